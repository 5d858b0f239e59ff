"""Find the account of an access key without making IAM anew in every partition of AWS: moto takes seconds for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.iam import models

if TYPE_CHECKING:
    from remediator.local.emulator.hooks import Hooks

PARTITION: Final = "aws"


def install(hooks: Hooks) -> None:
    """Replace moto's search."""
    hooks.replace(models, "get_account_id_from", _get_account_id_from)


def _get_account_id_from(access_key: str) -> str:
    for account_id, partitions in list(models.iam_backends.items()):
        if PARTITION in partitions.keys() and access_key in partitions[PARTITION].access_keys:  # noqa: SIM118 - `in` on moto's object means any known partition, made or not
            return account_id
    return DEFAULT_ACCOUNT_ID
