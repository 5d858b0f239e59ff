"""Judge what CloudTrail saw done to the write role: a request explains it, a deployment, the operator, or nobody.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CLOUDFORMATION: Final = "cloudformation.amazonaws.com"
FREEZE: Final = "frozen"
"""The inline policy that the operator's freeze writes."""

SLACK: Final = 5
"""Seconds by which our clock and CloudTrail's may differ."""


@dataclass(frozen=True, slots=True)
class Ours:
    """Hold who may do what to the write role: unique ids of roles, as IAM gives them to no other role ever."""

    remediator_id: str
    remediator_arn: str
    rotator_id: str
    operator_id: str


@dataclass(frozen=True, slots=True)
class Span:
    """Say when a request may have passed the gate: from its record's creation to its deadline, in Unix seconds."""

    begins: int
    ends: int


@dataclass(frozen=True, slots=True)
class Deed:
    """Hold one API call on the write role. `role_id` is the caller's role, empty for whoever has none that shows."""

    name: str
    at: float
    role_id: str
    who: str
    by_stack: bool
    refused: bool
    session: str
    policy: str
    document: str


def deed_of(event: Mapping[str, Any]) -> Deed:
    """Read what CloudTrail wrote, as EventBridge delivers it."""
    detail = event["detail"]
    caller, asked = detail["userIdentity"], detail.get("requestParameters") or {}
    issuer = caller.get("sessionContext", {}).get("sessionIssuer", {})
    return Deed(
        name=detail["eventName"],
        at=datetime.fromisoformat(detail["eventTime"]).timestamp(),
        role_id=str(issuer.get("principalId", "")),
        who=str(caller.get("arn") or caller.get("principalId") or caller.get("invokedBy") or caller.get("type")),
        by_stack=caller.get("invokedBy") == CLOUDFORMATION,
        refused="errorCode" in detail,
        session=str(asked.get("roleSessionName", "")),
        policy=str(asked.get("policyName", "")),
        document=str(asked.get("policyDocument", "")),
    )


def objection(deed: Deed, ours: Ours, span_of: Callable[[str], Span | None]) -> str | None:
    """Return what nothing explains about a deed, or None.

    `span_of` finds a request by its id, which is also its sessions' name. What IAM refused did nothing.
    """
    if deed.refused:
        return None
    if deed.name.startswith("AssumeRole"):
        return _session(deed, ours, span_of)
    if deed.name == "UpdateAssumeRolePolicy":
        return _trust(deed, ours)
    return None if deed.by_stack or _freezes(deed, ours) else "somebody changed what the write role may do"


def _freezes(deed: Deed, ours: Ours) -> bool:
    """Tell whether it is the operator's freeze, or its end: that policy, and nothing in it but denials."""
    if (deed.name, deed.policy, deed.role_id) != ("PutRolePolicy", FREEZE, ours.operator_id):
        return False
    return all(statement.get("Effect") == "Deny" for statement in json.loads(deed.document)["Statement"])


def _session(deed: Deed, ours: Ours, span_of: Callable[[str], Span | None]) -> str | None:
    if deed.role_id != ours.remediator_id:
        return "somebody else than the remediator assumed the write role"
    span = span_of(deed.session)
    if span is None:
        return "the remediator assumed the write role without a request"
    if not span.begins - SLACK <= deed.at <= span.ends + SLACK:
        return "the remediator assumed the write role at another time than its request's"
    return None


def _trust(deed: Deed, ours: Ours) -> str | None:
    if not deed.by_stack and deed.role_id != ours.rotator_id:
        return "somebody else than the rotator changed whom the write role trusts"
    statements = json.loads(deed.document)["Statement"]
    if any(statement.get("Principal") != {"AWS": ours.remediator_arn} for statement in statements):
        return "the write role trusts somebody else than the remediator"
    return None
