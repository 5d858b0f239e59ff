"""Freeze on Azure: beside the state, the sealed keys of the windows are taken away.

The operator may change rows of windows but not read them, since it reads seeds: so keys are overwritten unseen, row by
row, in every window that may stand. It may not start the rotator, as the right to do so is a right to change its code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import UpdateMode

from remediator.azure.windows_table import CONTROL_TABLE, PARTITION, WINDOWS_TABLE, row_of
from remediator.core.windows import window_at
from remediator.operator.azure.control import ControlEntity
from remediator.operator.azure.refusals import reported
from remediator.service.freeze import Freezer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from azure.data.tables import TableClient

    from remediator.operator.azure.office import AzureOffice
    from remediator.service.freeze import Step

LONGEST_RUN: Final = 75
"""Seconds after which no run of the rotator that is at work now is still at work: its time-out of 60, and some more."""

REACH: Final = 6
"""How many windows before and after this one may have a row: the rotator stages three, and may have missed ticks."""


def freezer(
    office: AzureOffice, tell: Callable[[Step], None], waits: Callable[[], Iterable[None]], clock: Callable[[], float]
) -> Freezer:
    """Return what freezes a deployment; `waits` lasts as long as a run of the rotator may."""
    return Freezer(
        ControlEntity(office.table(CONTROL_TABLE)),
        None,
        SealedKeys(office.table(WINDOWS_TABLE), waits, clock),
        tell,
    )


class SealedKeys:
    """Take the sealed keys away: what no opening unseals signs nobody in."""

    def __init__(self, windows: TableClient, waits: Callable[[], Iterable[None]], clock: Callable[[], float]) -> None:
        self._windows = windows
        self._waits = waits
        self._clock = clock

    def close(self) -> str:
        """Take them at once, and again when a run of the rotator that had found the state open is over."""
        self._sweep()
        for _ in self._waits():
            pass
        self._sweep()
        return "tokens that were issued already live on, for 60 to 90 minutes: only their roles' removal ends them"

    def open(self) -> str:
        """Leave it to the rotator, which alone reads the key, to seal it again."""
        return "the rotator seals the key again at its next tick, within five minutes"

    def _sweep(self) -> None:
        current = window_at(self._clock())
        for distance in range(-REACH, REACH + 1):
            row = {"PartitionKey": PARTITION, "RowKey": row_of(current + distance), "sealed": b"", "credential": ""}
            try:
                with reported():
                    self._windows.update_entity(row, mode=UpdateMode.MERGE)
            except ResourceNotFoundError:
                continue
