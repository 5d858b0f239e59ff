"""Refuse a write role whose trust policy wouldn't hold as many windows as must stand at once."""

from __future__ import annotations

from typing import Final

from infra.errors import Refused
from remediator.aws.trust_policy import compact, open_document
from remediator.core.windows import Window

TRUST_POLICY_LIMIT: Final = 2048
"""Characters of a role's trust policy, by IAM's default quota; white space isn't counted, and there is none."""

PARTITIONS: Final = ("aws", "aws-cn", "aws-us-gov", "aws-eusc", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f")
WINDOWS: Final = 5
"""The last window in its grace, the current one and three ahead."""


class TrustPolicyTooLong(Refused):
    """Refuse to synthesize: the rotator's writes would fail."""


def require_trust_fits(role_name: str) -> None:
    """Raise `TrustPolicyTooLong` unless all windows fit for a principal of this name, in every partition."""
    longest = max(PARTITIONS, key=lambda partition: trust_length(role_name, partition))
    length = trust_length(role_name, longest)
    if length > TRUST_POLICY_LIMIT:
        raise TrustPolicyTooLong(
            f"{WINDOWS} windows take {length} of {TRUST_POLICY_LIMIT} characters of the write role's trust policy"
            f" with the role name {role_name} in {longest}: use a shorter name"
        )


def trust_length(role_name: str, partition: str) -> int:
    """Return the characters that the trust policy takes at most while the gate is open."""
    principal = f"arn:{partition}:iam::{'9' * 12}:role/{role_name}"
    values = {Window(number): "f" * 64 for number in range(WINDOWS)}
    return len(compact(open_document(principal, values)))
