"""Run the rotator on a timer."""

from __future__ import annotations

import os
import time
import uuid
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from azure.identity import ManagedIdentityCredential

from remediator.azure import windows_table
from remediator.azure.admissions import ADMISSIONS_TABLE, DepositSweep, vault_at
from remediator.azure.expired import Expired
from remediator.azure.monitor import FunctionMonitor
from remediator.azure.seal import Seal
from remediator.azure.sealed_gate import SealedGate
from remediator.azure.seed_ring import KeyVaultRing
from remediator.azure.settings import rotate_settings
from remediator.azure.staging import StagingTables
from remediator.azure.stored_credential import StoredCredential
from remediator.azure.tables import table
from remediator.azure.vaults import vault
from remediator.core.windows import window_at
from remediator.service.errors import Interrupted
from remediator.service.rotate import Rotator

if TYPE_CHECKING:
    from azure.keyvault.secrets import SecretClient

    from remediator.azure.settings import RotateSettings

DAY: Final = 288
"""Windows in a day."""


class RotationFailed(Exception):  # noqa: N818 - errors are named for what is the case
    """Fail the invocation; the message is safe to log."""


def rotate() -> None:
    """Rotate: the clock decides which windows, never the tick, however late, doubled or missed it was."""
    monitor = _monitor()
    try:
        rotated = _rotator().run(holder=uuid.uuid4().hex)
        if rotated.wrote and not rotated.frozen:
            _clean_up()
    except Interrupted as interrupted:
        monitor.count("RotationFailed")
        raise RotationFailed(str(interrupted)) from None
    except Exception as error:  # noqa: BLE001 - the entry point: nothing else may print what an error holds
        monitor.count("RotationFailed")
        monitor.note("the rotation failed", error=type(error).__name__, code=_code(error))
        raise RotationFailed(f"{type(error).__name__} {_code(error)}") from None
    monitor.count("Rotated")
    monitor.count("StagedWindows", rotated.staged)


@cache
def _monitor() -> FunctionMonitor:
    return FunctionMonitor()


@cache
def _settings() -> RotateSettings:
    return rotate_settings(os.environ)


@cache
def _identity() -> ManagedIdentityCredential:
    return ManagedIdentityCredential(client_id=_settings().identity)


@cache
def _ring() -> KeyVaultRing:
    return KeyVaultRing(_vault(_settings().seed_vault), _settings().deployment)


@cache
def _rotator() -> Rotator:
    settings = _settings()
    windows = table(settings.tables, windows_table.WINDOWS_TABLE, _identity())
    control = table(settings.tables, windows_table.CONTROL_TABLE, _identity())
    return Rotator(
        deployment=settings.deployment,
        seeds=_ring(),
        staged=StagingTables(control, windows),
        gate=SealedGate(windows, _credential(), Seal(settings.deployment, settings.app_id)),
        clock=time.time,
        entropy=os.urandom,
        deposits=_deposits(),
    )


def _credential() -> StoredCredential:
    return StoredCredential(_vault(_settings().credential_vault), _monitor(), time.time)


def _deposits() -> DepositSweep | None:
    url = _settings().admission_vault
    return DepositSweep(vault_at(url, _identity())) if url else None


def _clean_up() -> None:
    """Delete what has expired, once a day, the last epoch's seeds each time: a lost day is made up for by the next."""
    window = window_at(time.time())
    if window.number % DAY == 0:
        _ring().forget_before(window)
        expiring = [windows_table.RECEIPTS_TABLE, *([ADMISSIONS_TABLE] if _settings().admission_vault else [])]
        for name in expiring:
            Expired(table(_settings().tables, name, _identity())).delete(time.time())


def _vault(url: str) -> SecretClient:
    return vault(url, _identity())


def _code(error: Exception) -> str:
    details: Any = getattr(error, "error", None)
    return str(getattr(details, "code", "") or "")
