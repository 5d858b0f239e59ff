"""Keep service control policies: what an organisation lets the principals of an account do at most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .policy import Policy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_POLICIES: Final[dict[str, Policy]] = {}
_WRITES: Final = ("iam:Attach*", "iam:Create*", "iam:Delete*", "iam:Detach*", "iam:Put*", "iam:Update*")


def control(account: str, document: Mapping[str, Any] | None) -> None:
    """Put an account under a policy, or under none; one that is to forbid something must allow the rest itself."""
    _POLICIES.pop(account, None)
    if document is not None:
        _POLICIES[account] = Policy.parse("of the organisation", document)


def policies_of(account: str) -> Sequence[Policy]:
    """Return the policies that an account is under."""
    return [_POLICIES[account]] if account in _POLICIES else []


def no_writes_to_iam(*but_for: str) -> dict[str, Any]:
    """Return a policy that lets nobody write to IAM but these principals, as patterns of their ARNs."""
    others = {"ArnNotLike": {"aws:PrincipalArn": list(but_for)}}
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": list(_WRITES), "Resource": "*", "Condition": others},
        ],
    }
