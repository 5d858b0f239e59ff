"""Read what the rotator staged, for the remediator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azure.core.exceptions import ResourceNotFoundError

from remediator.azure.windows_table import CONTROL, PARTITION, row_of
from remediator.core.gate import ProofKey, Verifier

if TYPE_CHECKING:
    from azure.data.tables import TableClient

    from remediator.core.windows import Window


class VerifierTables:
    """Read the control item and windows; Table Storage always reads consistently."""

    def __init__(self, control: TableClient, windows: TableClient) -> None:
        self._control = control
        self._windows = windows

    def state(self) -> str | None:
        """Return `open`, `frozen`, or None before the first rotation."""
        control = _entity(self._control, CONTROL, CONTROL)
        return str(control["state"]) if control else None

    def state_and_verifier(self, window: Window) -> tuple[str | None, Verifier | None]:
        """Return the state, read first, and the window's verifier."""
        state = self.state()
        entity = _entity(self._windows, PARTITION, row_of(window))
        return state, _verifier(window, entity) if entity else None

    def sealed(self, window: Window) -> bytes | None:
        """Return the window's sealed credential, or None if there is none."""
        entity = _entity(self._windows, PARTITION, row_of(window))
        return entity.get("sealed") if entity else None


def _verifier(window: Window, entity: Any) -> Verifier | None:  # noqa: ANN401 - the SDK's entity
    if (entity["not_before"], entity["not_after"]) != (window.not_before, window.not_after):
        return None
    return Verifier(window, ProofKey(entity["P"]), entity["c"])


def _entity(table: TableClient, partition: str, row: str) -> Any:  # noqa: ANN401 - the SDK's entity
    try:
        return table.get_entity(partition, row)
    except ResourceNotFoundError:
        return None
