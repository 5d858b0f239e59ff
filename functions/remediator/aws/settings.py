"""Read a function's environment: names of things, never a secret."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from remediator.aws.trail import Ours
from remediator.catalogue.spec import Home
from remediator.service.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class RotateSettings:
    """Hold the rotator's environment. `seed_secrets` are ARNs, in the order of the ring's slots.

    `gate_secret` holds a sealed gate's one value; it is empty where the gate is the write role's trust policy.
    """

    deployment: str
    state_table: str
    seed_secrets: tuple[str, ...]
    write_role_name: str
    remediator_role_arn: str
    gate_secret: str
    by_hand: bool


@dataclass(frozen=True, slots=True)
class RemediateSettings:
    """Hold the remediator's environment. The role ids are the unique ones that IAM gives, `AROA…`."""

    deployment: str
    state_table: str
    receipts_table: str
    write_role_arn: str
    reader_role_id: str
    operator_role_id: str
    vendor_rollback: bool
    retention_days: int
    sealed: bool
    by_hand: bool
    account_alias: str
    """What the account's people call it."""
    scope: Scope


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """Hold the watcher's environment."""

    receipts_table: str
    ours: Ours


def rotate_settings(environment: Mapping[str, str]) -> RotateSettings:
    """Read the rotator's environment; a missing variable raises `KeyError` with its name."""
    return RotateSettings(
        deployment=environment["DEPLOYMENT"],
        state_table=environment["STATE_TABLE"],
        seed_secrets=_listed(environment["SEED_SECRETS"]),
        write_role_name=environment["WRITE_ROLE_NAME"],
        remediator_role_arn=environment["REMEDIATOR_ROLE_ARN"],
        gate_secret=environment.get("GATE_SECRET", ""),
        by_hand=_by_hand(environment),
    )


def remediate_settings(environment: Mapping[str, str]) -> RemediateSettings:
    """Read the remediator's environment; a missing variable raises `KeyError` with its name."""
    return RemediateSettings(
        deployment=environment["DEPLOYMENT"],
        state_table=environment["STATE_TABLE"],
        receipts_table=environment["RECEIPTS_TABLE"],
        write_role_arn=environment["WRITE_ROLE_ARN"],
        reader_role_id=environment["READER_ROLE_ID"],
        operator_role_id=environment["OPERATOR_ROLE_ID"],
        vendor_rollback=environment["VENDOR_ROLLBACK"] == "true",
        retention_days=int(environment["RETENTION_DAYS"]),
        sealed=environment.get("GATE") == "sealed",
        by_hand=_by_hand(environment),
        account_alias=environment.get("ACCOUNT_ALIAS") or environment["ACCOUNT_ID"],
        scope=Scope(
            home=Home(environment["PARTITION"], environment["ACCOUNT_ID"]),
            regions=frozenset(_listed(environment["REGIONS"])),
            fixes=frozenset(_listed(environment["FIXES"])),
            own=tuple(json.loads(environment["OWN_RESOURCES"])),
        ),
    )


def watch_settings(environment: Mapping[str, str]) -> WatchSettings:
    """Read the watcher's environment; a missing variable raises `KeyError` with its name."""
    return WatchSettings(
        receipts_table=environment["RECEIPTS_TABLE"],
        ours=Ours(
            remediator_id=environment["REMEDIATOR_ROLE_ID"],
            remediator_arn=environment["REMEDIATOR_ROLE_ARN"],
            rotator_id=environment["ROTATOR_ROLE_ID"],
            operator_id=environment["OPERATOR_ROLE_ID"],
        ),
    )


def _by_hand(environment: Mapping[str, str]) -> bool:
    """Tell whether codes are passed on by hand; where nothing says so, a code alone is worth nothing."""
    return environment.get("DELIVERY") == "manual"


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(",") if part)
