"""Verify Signature Version 4 against moto's key store.

Source: AWS General Reference, "Signature Version 4 signing process"; header and query form, no region sets (SigV4A).
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from .identities import Credential, credential
from .principal import Principal, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

_SKEW_SECONDS: Final = 300
_LONGEST_PRESIGNED: Final = 604_800
_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_HEADER: Final = re.compile(
    rf"{_ALGORITHM}\s+Credential=(?P<credential>[^,\s]+),\s*SignedHeaders=(?P<headers>[^,\s]+),\s*"
    r"Signature=(?P<signature>[0-9a-f]{64})"
)
_UNHASHED: Final = ("UNSIGNED-PAYLOAD", "STREAMING-")


@dataclass(frozen=True, slots=True)
class Scope:
    """Hold what a signature says about itself."""

    access_key: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    moment: str
    presigned: bool
    token: str | None
    lifetime: int


def scope_of(url: str, headers: Mapping[str, str]) -> Scope | None:
    """Read the signature of a request; None if it carries none. Raises `Refused` if it can't be read."""
    lower = {name.lower(): value for name, value in headers.items()}
    query = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    if "X-Amz-Signature" in query:
        return _presigned(query)
    if "authorization" not in lower:
        return None
    match = _HEADER.fullmatch(lower["authorization"].strip())
    if match is None or "x-amz-date" not in lower:
        raise Refused("IncompleteSignature", "The request signature does not conform to AWS standards.")
    moment, token = lower["x-amz-date"], lower.get("x-amz-security-token")
    return _scope(match["credential"], match["headers"], match["signature"], moment, token, lifetime=0)


def _presigned(query: Mapping[str, str]) -> Scope:
    try:
        return _scope(
            query["X-Amz-Credential"],
            query["X-Amz-SignedHeaders"],
            query["X-Amz-Signature"],
            query["X-Amz-Date"],
            query.get("X-Amz-Security-Token"),
            lifetime=int(query["X-Amz-Expires"]),
        )
    except (KeyError, ValueError) as error:
        raise Refused("IncompleteSignature", "A presigned request misses one of its parameters.") from error


def _scope(  # noqa: PLR0913 - the parts of a signature
    credential_scope: str, headers: str, signature: str, moment: str, token: str | None, *, lifetime: int
) -> Scope:
    parts = credential_scope.split("/")
    if len(parts) != 5 or parts[4] != "aws4_request" or not moment.startswith(parts[1]):  # noqa: PLR2004 - SigV4
        raise Refused("IncompleteSignature", "Credential must be AccessKeyId/date/region/service/aws4_request.")
    signed = tuple(headers.split(";"))
    access_key, date, region, service = parts[:4]
    return Scope(access_key, date, region, service, signed, signature, moment, lifetime > 0, token, lifetime)


def authenticate(method: str, url: str, headers: Mapping[str, str], body: bytes, *, service: str) -> Principal:
    """Return who signed the request; `url` is the path and query as they were sent, with or without the host.

    Raises `Refused`: unsigned, unreadable, for another service, unknown key, wrong token, clocks more than five minutes
    apart, wrong signature, changed body, expired session.
    """
    scope = scope_of(url, headers)
    if scope is None:
        raise Refused("MissingAuthenticationToken", "Request is missing Authentication Token")
    if scope.service != service:
        raise Refused("SignatureDoesNotMatch", f"Credential should be scoped to correct service: {service!r}.")
    owner = credential(scope.access_key)
    if owner is None or (owner.token or "") != (scope.token or ""):
        raise Refused("InvalidClientTokenId", "The security token included in the request is invalid.")
    _check_moment(scope)
    lower = {name.lower(): value for name, value in headers.items()}
    _check_signature(scope, owner, _canonical(method, url, lower, body, scope))
    if owner.expires is not None and owner.expires <= time.time():
        raise Refused("ExpiredToken", "The security token included in the request is expired")
    return owner.principal


def _check_moment(scope: Scope) -> None:
    try:
        signed = datetime.strptime(scope.moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError as error:
        raise Refused("IncompleteSignature", "Date must be in ISO-8601 'basic format'.") from error
    age = time.time() - signed
    oldest = min(scope.lifetime, _LONGEST_PRESIGNED) if scope.presigned else _SKEW_SECONDS
    if not -_SKEW_SECONDS <= age <= oldest:
        raise Refused("RequestTimeTooSkewed", f"Signature expired or not yet valid: signed at {scope.moment}.")


def _canonical(method: str, url: str, headers: Mapping[str, str], body: bytes, scope: Scope) -> str:
    split = urlsplit(url)
    missing = [name for name in scope.signed_headers if name not in headers]
    if missing or "host" not in scope.signed_headers:
        raise Refused("SignatureDoesNotMatch", f"Signed headers are missing: {missing or ['host']}.")
    lines = [f"{name}:{' '.join(headers[name].split())}" for name in scope.signed_headers]
    path = split.path or "/"
    return "\n".join(
        [
            method.upper(),
            path if scope.service == "s3" else quote(_normalized(path), safe="/-_.~"),
            _canonical_query(split.query),
            *lines,
            "",
            ";".join(scope.signed_headers),
            _payload_hash(headers, body, scope),
        ]
    )


def _normalized(path: str) -> str:
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == ".." and kept:
            kept.pop()
        elif segment not in ("", ".", ".."):
            kept.append(segment)
    slash = "/" if kept and path.endswith("/") else ""
    return f"/{'/'.join(kept)}{slash}"


def _canonical_query(query: str) -> str:
    pairs = [pair.partition("=")[::2] for pair in query.split("&") if pair]
    encoded = sorted((_encoded(name), _encoded(value)) for name, value in pairs if name != "X-Amz-Signature")
    return "&".join(f"{name}={value}" for name, value in encoded)


def _encoded(text: str) -> str:
    return quote(unquote(text), safe="-_.~")


def _payload_hash(headers: Mapping[str, str], body: bytes, scope: Scope) -> str:
    actual = hashlib.sha256(body).hexdigest()
    if scope.presigned and scope.service == "s3":
        return "UNSIGNED-PAYLOAD"
    claimed = headers.get("x-amz-content-sha256")
    if claimed is None:
        return actual
    if scope.service == "s3" and claimed.startswith(_UNHASHED):
        return claimed
    if not hmac.compare_digest(claimed, actual):
        raise Refused(
            "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match the body."
        )
    return claimed


def _check_signature(scope: Scope, owner: Credential, canonical: str) -> None:
    credential_scope = f"{scope.date}/{scope.region}/{scope.service}/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"{_ALGORITHM}\n{scope.moment}\n{credential_scope}\n{digest}"
    key = f"AWS4{owner.secret}".encode()
    for part in (scope.date, scope.region, scope.service, "aws4_request", text):
        key = hmac.digest(key, part.encode(), "sha256")
    if not hmac.compare_digest(key.hex(), scope.signature):
        raise Refused("SignatureDoesNotMatch", "The request signature we calculated does not match the one provided.")
