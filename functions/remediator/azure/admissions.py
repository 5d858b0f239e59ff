"""Keep admissions by hand: a row counts who tries and who used it, a vault of its own holds the opening.

The row stands from the admission on, so that a window is admitted once. The vault's one secret is overwritten by the
next admission, by the third wrong code, and by the rotator when the window is over.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from azure.core import MatchConditions
from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import UpdateMode

from remediator.azure.vaults import vault
from remediator.azure.windows_table import row_of
from remediator.core.errors import Malformed
from remediator.core.gate import Opening, parse_opening
from remediator.core.windows import window_at
from remediator.service.by_hand import MOST_TRIES
from remediator.service.records import Mode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from azure.core.credentials import TokenCredential
    from azure.data.tables import TableClient
    from azure.keyvault.secrets import SecretClient

    from remediator.core.windows import Window

ADMISSIONS_TABLE: Final = "remediatoradmissions"
SECRET: Final = "admission"  # noqa: S105 - its name
"""The one secret of the vault that operator and remediator share."""

USES: Final = (
    "Microsoft.KeyVault/vaults/secrets/getSecret/action",
    "Microsoft.KeyVault/vaults/secrets/setSecret/action",
)

PARTITION: Final = "admissions"
TRIES: Final = 16
"""How often a change is tried again that somebody else's came before; each of them ends somebody's attempt."""

KEPT: Final = 86_400
_EMPTY: Final = "{}"
_USED_BY: Final[Mapping[Mode, str]] = {Mode.PLAN: "planned_by", Mode.APPLY: "applied_by"}


class Vault:
    """Hold the opening of the one window that was admitted last."""

    def __init__(self, client: SecretClient) -> None:
        self._client = client

    def put(self, window: Window, opening: Opening) -> None:
        """Leave an opening; the dates are for people, since the vault gives it out before and after them."""
        self._client.set_secret(
            SECRET,
            json.dumps({"window": window.number, "opening": opening.hex()}),
            content_type="application/json",
            not_before=datetime.fromtimestamp(window.not_before, UTC),
            expires_on=datetime.fromtimestamp(window.not_after, UTC),
        )

    def held(self) -> tuple[int, Opening] | None:
        """Return the window's number and its opening, or None if there is none."""
        try:
            text = self._client.get_secret(SECRET).value or _EMPTY
        except ResourceNotFoundError:
            return None
        try:
            found = json.loads(text)
            return int(found["window"]), parse_opening(found["opening"])
        except (ValueError, TypeError, KeyError, Malformed):
            return None

    def empty(self) -> None:
        """Overwrite the opening."""
        self._client.set_secret(SECRET, _EMPTY, content_type="application/json")


def vault_at(url: str, credential: TokenCredential) -> Vault:
    """Return the vault at an address."""
    return Vault(vault(url, credential))


class AdmissionRows:
    """Count attempts on a window's admission and note what it is used for; for the remediator."""

    def __init__(self, table: TableClient, vault: Vault) -> None:
        self._table = table
        self._vault = vault

    def count(self, window: Window) -> Opening | None:
        """Count an attempt while there are any left, and only then read the opening."""
        if not self._change(window, lambda row: {"tries": row["tries"] + 1} if row["tries"] < MOST_TRIES else None):
            return None
        held = self._vault.held()
        return held[1] if held and held[0] == window.number else None

    def use(self, window: Window, mode: Mode, request: str) -> bool:
        """Take the attempt back and note the request, unless another one of its mode was before it."""
        used = _USED_BY[mode]

        def first(row: Any) -> dict[str, Any] | None:  # noqa: ANN401 - the SDK's entity
            ours = row.get(used, request) == request
            return {"tries": row["tries"] - 1, used: request} if ours else None

        if self._change(window, first):
            return True
        self._change(window, lambda row: {"tries": row["tries"] - 1})
        return False

    def close_spent(self, window: Window) -> bool:
        """Overwrite the opening once no attempt is left, then close the row; a crash between is made up for later."""
        row = open_row(self._table, window)
        if row is None or row["tries"] < MOST_TRIES:
            return False
        held = self._vault.held()
        if held and held[0] == window.number:
            self._vault.empty()
        return self._change(window, lambda row: {"closed": True} if row["tries"] >= MOST_TRIES else None)

    def _change(self, window: Window, change: Callable[[Any], dict[str, Any] | None]) -> bool:
        """Change the row while the admission is open, if it is still what was read; tell whether it was changed.

        Never sent again by the SDK: of a change whose reply was lost nobody could tell that it was ours, and an attempt
        that is taken back twice makes room for one wrong code more.
        """
        for _ in range(TRIES):
            row = open_row(self._table, window)
            changed = change(row) if row is not None else None
            if changed is None:
                return False
            try:
                self._table.update_entity(
                    {**row, **changed}, mode=UpdateMode.REPLACE, retry_total=0, **_if_unchanged(row)
                )
            except ResourceModifiedError:
                continue
            return True
        return False


class DepositSweep:
    """Overwrite the opening of a window that is over; for the rotator."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def clear(self, now: float) -> None:
        """Look what was left, and write only if it is an opening of a window that is over."""
        held = self._vault.held()
        if held and held[0] < window_at(now).number:
            self._vault.empty()


def open_row(table: TableClient, window: Window) -> Any:  # noqa: ANN401 - the SDK's entity, or None
    """Return the row of a window's admission while it is open."""
    try:
        row = table.get_entity(PARTITION, row_of(window))
    except ResourceNotFoundError:
        return None
    return None if row.get("closed") else row


def _if_unchanged(row: Any) -> dict[str, Any]:  # noqa: ANN401 - the SDK's entity
    return {"etag": row.metadata["etag"], "match_condition": MatchConditions.IfNotModified}
