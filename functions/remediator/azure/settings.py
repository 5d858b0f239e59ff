"""Read a function app's settings: names of things, never a secret."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from remediator.catalogue.spec import Home
from remediator.service.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class RotateSettings:
    """Hold the rotator's settings. `identity` is the client id of its user-assigned identity."""

    deployment: str
    identity: str
    tables: str
    seed_vault: str
    credential_vault: str
    app_id: str
    retention_days: int
    admission_vault: str
    """Empty where seeds are delivered automatically."""


@dataclass(frozen=True, slots=True)
class RemediateSettings:
    """Hold the remediator's settings.

    `reader` and `operator` are the object ids of the principals that may call, `reader_app` and `operator_app` the
    client ids of the apps that get their tokens.
    """

    deployment: str
    identity: str
    tables: str
    tenant: str
    app_id: str
    audience: str
    reader: str
    reader_app: str
    operator: str
    operator_app: str
    vendor_rollback: bool
    retention_days: int
    admission_vault: str
    """Empty where seeds are delivered automatically: then a code alone is worth nothing."""
    event_topic: str
    account_alias: str
    """What the subscription's people call it."""
    scope: Scope


def rotate_settings(environment: Mapping[str, str]) -> RotateSettings:
    """Read the rotator's settings; a missing one raises `KeyError` with its name."""
    return RotateSettings(
        deployment=environment["DEPLOYMENT"],
        identity=environment["AZURE_CLIENT_ID"],
        tables=environment["TABLES_ENDPOINT"],
        seed_vault=environment["SEED_VAULT"],
        credential_vault=environment["CREDENTIAL_VAULT"],
        app_id=environment["REMEDIATOR_APP_ID"],
        retention_days=int(environment["RETENTION_DAYS"]),
        admission_vault=environment["ADMISSION_VAULT"],
    )


def remediate_settings(environment: Mapping[str, str]) -> RemediateSettings:
    """Read the remediator's settings; a missing one raises `KeyError` with its name."""
    return RemediateSettings(
        deployment=environment["DEPLOYMENT"],
        identity=environment["AZURE_CLIENT_ID"],
        tables=environment["TABLES_ENDPOINT"],
        tenant=environment["TENANT_ID"],
        app_id=environment["REMEDIATOR_APP_ID"],
        audience=environment["API_AUDIENCE"],
        reader=environment["READER_OBJECT_ID"],
        reader_app=environment["READER_APP_ID"],
        operator=environment["OPERATOR_OBJECT_ID"],
        operator_app=environment["OPERATOR_APP_ID"],
        vendor_rollback=environment["VENDOR_ROLLBACK"] == "true",
        retention_days=int(environment["RETENTION_DAYS"]),
        admission_vault=environment["ADMISSION_VAULT"],
        event_topic=environment["EVENT_TOPIC"],
        account_alias=environment["ACCOUNT_ALIAS"],
        scope=Scope(
            home=Home("azure", environment["SUBSCRIPTION_ID"].lower()),
            regions=frozenset(),
            fixes=frozenset(part for part in environment["FIXES"].split(",") if part),
            own=tuple(json.loads(environment["OWN_RESOURCES"])),
            within=tuple(json.loads(environment["SCOPES"])),
        ),
    )
