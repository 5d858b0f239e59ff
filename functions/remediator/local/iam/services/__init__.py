"""Know for every service which IAM actions an operation needs, on which resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from remediator.local.iam.check import Check

from . import by_parameter, dynamodb, events, iam_entities, keys, s3, secrets, sts

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.local.iam.apicall import ApiCall

_SERVICES: Final[dict[str, Callable[[ApiCall], list[Check]]]] = {
    "dynamodb": dynamodb.checks,
    "events": events.checks,
    "iam": iam_entities.checks,
    "kms": keys.checks,
    "s3": s3.checks,
    "s3control": s3.account_checks,
    "secretsmanager": secrets.checks,
    "sts": sts.checks,
}
_FREE: Final = frozenset({("sts", "GetCallerIdentity")})


def checks(call: ApiCall) -> list[Check]:
    """Return what the call needs, the action that names it first; empty only if everybody may (GetCallerIdentity)."""
    if (call.model, call.operation) in _FREE:
        return []
    needed = _SERVICES.get(call.model, by_parameter.checks)(call)
    # An operation on nothing, like an empty transaction, still isn't everybody's.
    return needed or [Check(f"{call.service}:{call.operation}")]
