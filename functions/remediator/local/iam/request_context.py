"""Collect the condition keys that every request has: who, when, from where.

Source: IAM User Guide, "AWS global condition context keys".
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from . import entities

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .apicall import ApiCall
    from .principal import Principal


def of_principal(principal: Principal, delay: float) -> dict[str, str | Sequence[str]]:
    """Return the keys about the caller and the moment; tags of roles and users are seen `delay` seconds late."""
    now = time.time()
    context: dict[str, str | Sequence[str]] = {
        "aws:CurrentTime": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:EpochTime": str(int(now)),
        "aws:SecureTransport": "true",
        "aws:ViaAWSService": "false",
        "aws:PrincipalIsAWSService": "false",
        "aws:PrincipalType": principal.kind,
        "aws:userid": principal.unique_id,
    }
    if not principal.account:
        return context
    context |= {"aws:PrincipalArn": principal.arn, "aws:PrincipalAccount": principal.account}
    if principal.kind == "User":
        context["aws:username"] = principal.arn.rpartition("/")[2]
    if principal.issued_at is not None:
        issued = datetime.fromtimestamp(principal.issued_at, UTC)
        context["aws:TokenIssueTime"] = issued.strftime("%Y-%m-%dT%H:%M:%SZ")
    found = entities.entity(principal.arn, delay)
    for key, value in (*(found.tags if found else ()), *principal.tags):
        context[f"aws:PrincipalTag/{key}"] = value
    if principal.source_identity is not None:
        context["aws:SourceIdentity"] = principal.source_identity
    return context


def of_call(call: ApiCall) -> dict[str, str | Sequence[str]]:
    """Return the keys about the request; the loopback's plain HTTP stands for AWS's TLS, see `ApiCall.secure`."""
    return {
        "aws:RequestedRegion": call.region,
        "aws:SourceIp": call.source_ip,
        "aws:SecureTransport": "true" if call.secure else "false",
        "aws:UserAgent": call.headers.get("User-Agent", ""),
    }
