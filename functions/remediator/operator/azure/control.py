"""Keep the control item in Table Storage: the operator writes it, every request reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import UpdateMode

from remediator.azure.windows_table import CONTROL
from remediator.operator.azure.refusals import reported
from remediator.service.control import Control, Order
from remediator.service.errors import FrozenAgain

if TYPE_CHECKING:
    from azure.data.tables import TableClient


class ControlEntity:
    """Keep the state in the control table, with the order that it follows from."""

    def __init__(self, table: TableClient) -> None:
        self._table = table

    def read(self) -> Control:
        """Return the control item; Table Storage always reads consistently. Its version is the entity's ETag."""
        try:
            with reported():
                found = self._table.get_entity(CONTROL, CONTROL)
        except ResourceNotFoundError:
            return Control(None, "", None)
        order = Order(found["order"], found["by"], int(found["at"]), found["why"]) if "order" in found else None
        return Control(str(found["state"]), str(found.metadata["etag"]), order)

    def freeze(self, order: Order) -> None:
        """Set the state to frozen, whatever it was."""
        with reported():
            self._table.upsert_entity(_entity("frozen", order), mode=UpdateMode.MERGE)

    def open(self, order: Order, met: Control) -> None:
        """Set the state to open if the control item is still the one that was met; one that shows the order is so."""
        if met.state != "frozen":
            if self.read().state == "frozen":
                raise FrozenAgain("somebody froze it meanwhile, and that holds")
            return
        try:
            with reported():
                self._table.update_entity(
                    _entity("open", order),
                    mode=UpdateMode.MERGE,
                    etag=met.version,
                    match_condition=MatchConditions.IfNotModified,
                )
        except (ResourceModifiedError, ResourceNotFoundError):
            if self.read().order != order:  # ours, if the reply was lost and the SDK sent it again
                raise FrozenAgain("somebody froze it again meanwhile, and that holds") from None


def _entity(state: str, order: Order) -> dict[str, Any]:
    said = {"order": order.id, "by": order.by, "at": order.at, "why": order.why}
    return {"PartitionKey": CONTROL, "RowKey": CONTROL, "state": state, **said}
