"""Read what the rotator staged, for the remediator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from azure.core.exceptions import ResourceNotFoundError

from remediator.azure.windows_table import CONTROL, PARTITION, POLICY, row_of
from remediator.core.gate import ProofKey, Verifier
from remediator.service.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from azure.data.tables import TableClient

    from remediator.core.windows import Window

VERIFIER: Final = ("P", "c", "not_before", "not_after")


class VerifierTables:
    """Read the control item and windows; Table Storage always reads consistently.

    What is sealed is read apart, and last: only for who passed both locks, and as it is sealed then.
    """

    def __init__(self, control: TableClient, windows: TableClient) -> None:
        self._control = control
        self._windows = windows

    def standing(self, window: Window | None = None) -> Standing:
        """Return how the deployment stands: state and policy in one query, read first, then the window's verifier."""
        items = {one["RowKey"]: one for one in self._control.query_entities(f"PartitionKey eq '{CONTROL}'")}
        if CONTROL not in items:
            return Standing(None)
        entity = _entity(self._windows, PARTITION, row_of(window), VERIFIER) if window else None
        return Standing(
            state=str(items[CONTROL]["state"]),
            policy=policy_of(items.get(POLICY)),
            verifier=_verifier(window, entity) if window and entity else None,
        )

    def sealed(self, window: Window) -> bytes | None:
        """Return the window's sealed credential, or None if there is none, or it was taken away by a freeze."""
        entity = _entity(self._windows, PARTITION, row_of(window), ["sealed"])
        return (entity.get("sealed") or None) if entity else None


def policy_of(entity: Mapping[str, Any] | None) -> str | None:
    """Return the text of the policy's entity; an entity without one is a broken policy, and not none."""
    return None if entity is None else str(entity.get("document", ""))


def _verifier(window: Window, entity: Any) -> Verifier | None:  # noqa: ANN401 - the SDK's entity
    if (entity["not_before"], entity["not_after"]) != (window.not_before, window.not_after):
        return None
    return Verifier(window, ProofKey(entity["P"]), entity["c"])


def _entity(table: TableClient, partition: str, row: str, properties: Sequence[str] = ()) -> Any:  # noqa: ANN401 - the SDK's entity
    """Return an entity, or of it the properties that are named, or None."""
    try:
        return table.get_entity(partition, row, select=list(properties) or None)
    except ResourceNotFoundError:
        return None
