"""Freeze on Azure: the control item, and the sealed keys of the windows.

The operator may change rows of windows but not read them, since it reads seeds: so keys are overwritten unseen, row by
row, in every window that may stand. It may not start the rotator, as the right to do so is a right to change its code.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from azure.core import MatchConditions
from azure.core.exceptions import AzureError, HttpResponseError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import UpdateMode

from remediator.azure.windows_table import CONTROL, CONTROL_TABLE, PARTITION, WINDOWS_TABLE, row_of
from remediator.core.windows import window_at
from remediator.service.control import Control, Order
from remediator.service.errors import FrozenAgain, NotDone
from remediator.service.freeze import Freezer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

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


class ControlEntity:
    """Keep the state in the control table, with the order that it follows from."""

    def __init__(self, table: TableClient) -> None:
        self._table = table

    def read(self) -> Control:
        """Return the control item; Table Storage always reads consistently. Its version is the entity's ETag."""
        try:
            with _reported():
                found = self._table.get_entity(CONTROL, CONTROL)
        except ResourceNotFoundError:
            return Control(None, "", None)
        order = Order(found["order"], found["by"], int(found["at"]), found["why"]) if "order" in found else None
        return Control(str(found["state"]), str(found.metadata["etag"]), order)

    def freeze(self, order: Order) -> None:
        """Set the state to frozen, whatever it was."""
        with _reported():
            self._table.upsert_entity(_entity("frozen", order), mode=UpdateMode.MERGE)

    def open(self, order: Order, met: Control) -> None:
        """Set the state to open if the control item is still the one that was met; one that shows the order is so."""
        if met.state != "frozen":
            if self.read().state == "frozen":
                raise FrozenAgain("somebody froze it meanwhile, and that holds")
            return
        try:
            with _reported():
                self._table.update_entity(
                    _entity("open", order),
                    mode=UpdateMode.MERGE,
                    etag=met.version,
                    match_condition=MatchConditions.IfNotModified,
                )
        except (ResourceModifiedError, ResourceNotFoundError):
            if self.read().order != order:  # ours, if the reply was lost and the SDK sent it again
                raise FrozenAgain("somebody froze it again meanwhile, and that holds") from None


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
                with _reported():
                    self._windows.update_entity(row, mode=UpdateMode.MERGE)
            except ResourceNotFoundError:
                continue


def _entity(state: str, order: Order) -> dict[str, Any]:
    said = {"order": order.id, "by": order.by, "at": order.at, "why": order.why}
    return {"PartitionKey": CONTROL, "RowKey": CONTROL, "state": state, **said}


@contextmanager
def _reported() -> Iterator[None]:
    """Turn what Azure refuses into a step that wasn't done, but for what the callers expect by name."""
    try:
        yield
    except (ResourceModifiedError, ResourceNotFoundError):
        raise
    except HttpResponseError as error:
        code = getattr(error, "error_code", None) or error.status_code
        raise NotDone(f"Table Storage: {code}: {error.reason}") from None
    except AzureError as error:
        raise NotDone(f"Table Storage: {type(error).__name__}") from None
