"""Refuse policies that IAM would refuse for their length, before anything is deployed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from aws_cdk import aws_iam as iam

from infra.errors import Refused
from remediator.catalogue.policies import MANAGED_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aws_cdk import Stack

INLINE_LIMIT: Final = 10_240
"""Characters of all inline policies of a role; white space isn't counted."""

_LONGEST: Final[Mapping[str, str]] = {
    "AWS::AccountId": "9" * 12,
    "AWS::Partition": "aws-us-gov",
    "AWS::Region": "ap-southeast-2",
    "AWS::URLSuffix": "amazonaws.com.cn",
}
_ARN_LENGTH: Final = 100
"""More than the ARNs of our own resources have."""


class PolicyTooLong(Refused):
    """Refuse to synthesize: IAM wouldn't take the policy."""


def require_policies_fit(stack: Stack) -> None:
    """Raise `PolicyTooLong` if a managed policy, or a role's inline policies, are longer than IAM's limit."""
    for name, length, limit in policy_lengths(stack):
        if length > limit:
            raise PolicyTooLong(
                f"{name}: {length:,} of {limit:,} characters of policy; enable fewer fixes, or fewer regions"
            )


def policy_lengths(stack: Stack) -> Iterator[tuple[str, int, int]]:
    """Yield the name of each policy or role, how long its policies are at most, and IAM's limit for them."""
    for child in stack.node.find_all():
        if isinstance(child, iam.CfnManagedPolicy):
            yield child.node.id, _length(stack.resolve(child.policy_document)), MANAGED_LIMIT
        elif isinstance(child, iam.CfnRole):
            inline = stack.resolve(child.policies) or []
            yield child.node.id, sum(_length(one["policyDocument"]) for one in inline), INLINE_LIMIT


def _length(document: Any) -> int:  # noqa: ANN401 - a JSON value
    return len(json.dumps(_written_out(document), separators=(",", ":")))


def _written_out(value: Any) -> Any:  # noqa: ANN401 - a JSON value
    """Replace CloudFormation's functions by the longest text they may stand for."""
    match value:
        case {"Ref": name}:
            return _LONGEST.get(name, "x" * _ARN_LENGTH)
        case {"Fn::GetAtt": _} | {"Fn::Select": _}:
            return "x" * _ARN_LENGTH
        case {"Fn::Join": [between, parts]}:
            return between.join(_written_out(part) for part in parts)
        case dict():
            return {name: _written_out(part) for name, part in value.items()}
        case list():
            return [_written_out(part) for part in value]
        case _:
            return value
