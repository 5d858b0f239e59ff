"""Allow what passing codes on by hand takes, on the windows' items alone, and only where it is asked for.

IAM sees an item's key and the names of the attributes that a request mentions, not their values. So each of the three
may change an admission's attributes, and neither a verifier nor its dates; that an update is conditional, so that it
makes no item and counts before it compares, is our code's word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.aws import names
from infra.aws.arns import table_arn
from infra.aws.statements import allow
from remediator.aws.admission_desk import TOUCHED_BY_DESK
from remediator.aws.admissions import TOUCHED, TOUCHED_BY_SWEEP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.aws.statements import Conditions, Statement


def count_attempts() -> list[Statement]:
    """Let the remediator count attempts, note uses and delete an opening."""
    return [_update("CountAttempts", TOUCHED)]


def admit() -> list[Statement]:
    """Let the operator leave an opening, on the condition that the deployment is open."""
    control: Conditions = {
        "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["control"]},
        "Null": {"dynamodb:LeadingKeys": "false"},
    }
    return [
        _update("Admit", TOUCHED_BY_DESK),
        allow("RequireOpen", ["dynamodb:ConditionCheckItem"], [table_arn(names.STATE_TABLE)], when=control),
    ]


def clear_deposits() -> list[Statement]:
    """Let the rotator delete the openings of windows that are over."""
    return [_update("ClearDeposits", TOUCHED_BY_SWEEP)]


def _update(sid: str, attributes: Sequence[str]) -> Statement:
    """Allow to update windows' items in these attributes alone, and to see nothing by it."""
    return allow(
        sid,
        ["dynamodb:UpdateItem"],
        [table_arn(names.STATE_TABLE)],
        when={
            "ForAllValues:StringEquals": {"dynamodb:Attributes": list(attributes)},
            "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["window/*"]},
            "Null": {"dynamodb:Attributes": "false", "dynamodb:LeadingKeys": "false"},
            "StringEqualsIfExists": {"dynamodb:ReturnValues": "NONE"},
        },
    )
