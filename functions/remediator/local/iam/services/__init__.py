"""Know for every service which IAM actions an operation needs, on which resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import by_parameter, dynamodb, iam_entities, keys, s3, secrets, sts

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.local.iam.apicall import ApiCall
    from remediator.local.iam.check import Check

_SERVICES: Final[dict[str, Callable[[ApiCall], list[Check]]]] = {
    "dynamodb": dynamodb.checks,
    "iam": iam_entities.checks,
    "kms": keys.checks,
    "s3": s3.checks,
    "s3control": s3.account_checks,
    "secretsmanager": secrets.checks,
    "sts": sts.checks,
}


def checks(call: ApiCall) -> list[Check]:
    """Return what the call needs, the action that names it first; empty if everybody may (GetCallerIdentity)."""
    return _SERVICES.get(call.model, by_parameter.checks)(call)
