"""Say how windows, lease and control item lie in their tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from remediator.core.windows import Window

CONTROL_TABLE: Final = "remediatorcontrol"
WINDOWS_TABLE: Final = "remediatorwindows"
RECEIPTS_TABLE: Final = "remediatorreceipts"

CONTROL: Final = "control"
"""Partition and row of the control item, in a table of its own that the remediator may only read."""

POLICY: Final = "policy"
"""Row of the customer's policy, in the control item's partition, so that one query reads both."""

PARTITION: Final = "windows"
"""The one partition of lease and windows, so that they change in one transaction."""

LEASE: Final = "lease"


def row_of(window: Window) -> str:
    """Return a window's row; rows sort as windows do."""
    return f"{window.number:012}"


def window_rows(entities: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the entities that are windows."""
    return [entity for entity in entities if entity["RowKey"] != LEASE]


def sealings(entities: Iterable[Mapping[str, Any]]) -> str:
    """Return the gate's fingerprint: for each window, which version of the credential is sealed for it."""
    whole = [entity for entity in window_rows(entities) if "sealed" in entity and "credential" in entity]
    sealed = {entity["RowKey"]: entity["credential"] for entity in whole}
    return " ".join(f"{row}={version}" for row, version in sorted(sealed.items()))
