"""Admit a window on Azure: a row that counts, then the opening in the vault of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError

from remediator.azure.admissions import KEPT, PARTITION, open_row
from remediator.azure.windows_table import CONTROL, row_of
from remediator.core.windows import window_at
from remediator.service.errors import Frozen, NotLive, Spent

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.data.tables import TableClient

    from remediator.azure.admissions import Vault
    from remediator.core.gate import Opening
    from remediator.core.windows import Window

USES: Final = ("Microsoft.KeyVault/vaults/secrets/setSecret/action",)


class AdmissionDesk:
    """Admit a window; for the operator."""

    def __init__(self, control: TableClient, table: TableClient, vault: Vault, clock: Callable[[], float]) -> None:
        self._control = control
        self._table = table
        self._vault = vault
        self._clock = clock

    def admit(self, window: Window, opening: Opening) -> None:
        """Leave the opening if the deployment is open and the window is live; once, whatever is repeated.

        The row comes first: without the opening it admits nothing, and a repetition goes on from there.
        """
        if window_at(self._clock()) != window:
            raise NotLive("the window isn't live any more")
        if self._state() != "open":
            raise Frozen("the deployment isn't open")
        row = {"PartitionKey": PARTITION, "RowKey": row_of(window), "tries": 0, "expires_at": window.not_after + KEPT}
        try:
            self._table.create_entity(row)
        except ResourceExistsError:
            self._require_open(window)
        self._vault.put(window, opening)
        if open_row(self._table, window) is None:
            self._vault.empty()
            self._require_open(window)

    def admitted(self, window: Window) -> bool:
        """Tell whether the window's admission is open."""
        return open_row(self._table, window) is not None

    def _require_open(self, window: Window) -> None:
        if not self.admitted(window):
            raise Spent("three wrong codes have closed this window's admission")

    def _state(self) -> str | None:
        try:
            return str(self._control.get_entity(CONTROL, CONTROL)["state"])
        except ResourceNotFoundError:
            return None
