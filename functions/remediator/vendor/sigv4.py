"""Sign a call for the function URL, with AWS's Signature Version 4."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials

from remediator.vendor.transport import Call

if TYPE_CHECKING:
    from remediator.vendor.transport import Unsigned

SERVICE = "lambda"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Hold a session's credentials; only the key's id is shown. `expires_at` is Unix time in seconds."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(repr=False, default=None)
    expires_at: float = field(default=float("inf"))


def authorize(call: Unsigned, credentials: Credentials, *, region: str, now: float) -> Call:
    """Return the call with AWS's signature, made at `now`: Unix time in seconds, which may differ from this machine's.

    Source: docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
    """
    signer = SigV4Auth(
        BotocoreCredentials(credentials.access_key, credentials.secret_key, credentials.token), SERVICE, region
    )
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    headers = {**call.headers, "x-amz-date": stamp}
    if credentials.token:
        headers["x-amz-security-token"] = credentials.token
    request = AWSRequest(call.method, call.url, headers=headers, data=call.body)
    request.context["timestamp"] = stamp
    signature = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    names = signer.signed_headers(signer.headers_to_sign(request))
    proof = f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, SignedHeaders={names}, Signature={signature}"
    return Call(call.method, call.url, {**headers, **call.secrets, "authorization": proof}, call.body)
