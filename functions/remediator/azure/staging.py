"""Keep control item, lease and verifiers in Table Storage, for the rotator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import TableTransactionError, UpdateMode

from remediator.azure.windows_table import CONTROL, LEASE, PARTITION, row_of, sealings
from remediator.service.errors import Frozen, LeaseTaken
from remediator.service.staging import Staging

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azure.data.tables import TableClient

    from remediator.core.gate import Verifier
    from remediator.core.windows import Window

LEASE_SECONDS: Final = 120
"""How long a lease lasts: twice the rotator's time-out."""


class StagingTables:
    """Stage windows. Verifiers are only ever inserted; the state is only ever inserted, as open, when there is none."""

    def __init__(self, control: TableClient, windows: TableClient) -> None:
        self._control = control
        self._windows = windows

    def look(self, windows: Sequence[Window]) -> Staging:
        """Read the control item, and the lease with all verifiers in one query."""
        entities = {
            entity["RowKey"]: entity for entity in self._windows.query_entities(f"PartitionKey eq '{PARTITION}'")
        }
        staged = frozenset(window for window in windows if row_of(window) in entities)
        return Staging(self._state(), staged, sealings(entities.values()))

    def take_lease(self, holder: str, now: float) -> None:
        """Take the lease unless another run's is still good."""
        lease = {"PartitionKey": PARTITION, "RowKey": LEASE, "holder": holder, "until": int(now) + LEASE_SECONDS}
        met = _entity(self._windows, LEASE)
        if met is not None and met["until"] > now:
            raise LeaseTaken("another run of the rotator is at work; the next one goes on")
        self._put(lease, met)

    def give_lease_back(self, holder: str, gate: str) -> None:  # noqa: ARG002 - the sealed entities are the gate's own note
        """End the lease if it is still ours."""
        met = _entity(self._windows, LEASE)
        if met is None or met["holder"] != holder:
            raise LeaseTaken("another run of the rotator took the lease over")
        self._put({"PartitionKey": PARTITION, "RowKey": LEASE, "holder": holder, "until": 0}, met)

    def open_first(self) -> None:
        """Insert the control item as open; one that is there already stays as it is."""
        try:
            self._control.create_entity({"PartitionKey": CONTROL, "RowKey": CONTROL, "state": "open"})
        except ResourceExistsError:
            return

    def stage(self, verifiers: Sequence[Verifier], holder: str) -> None:
        """Insert verifiers in one transaction, on the condition that the lease is ours, if the state is open."""
        if self._state() != "open":
            raise Frozen("the state isn't open any more")
        lease = _entity(self._windows, LEASE)
        if lease is None or lease["holder"] != holder:
            raise LeaseTaken("another run of the rotator took the lease over")
        held = {
            "mode": UpdateMode.MERGE,
            "etag": lease.metadata["etag"],
            "match_condition": MatchConditions.IfNotModified,
        }
        operations: list[Any] = [("update", dict(lease), held)]
        operations += [("create", _entity_of(verifier)) for verifier in verifiers]
        try:
            self._windows.submit_transaction(operations)
        except TableTransactionError as error:
            raise LeaseTaken(f"another run of the rotator was faster: {error.status_code}") from None

    def _state(self) -> str | None:
        control = _entity(self._control, CONTROL, partition=CONTROL)
        return str(control["state"]) if control else None

    def _put(self, lease: dict[str, Any], met: Any) -> None:  # noqa: ANN401 - the SDK's entity
        """Write the lease over the one that was met; a call that is sent again finds its own."""
        try:
            if met is None:
                self._windows.create_entity(lease)
                return
            self._windows.update_entity(
                lease,
                mode=UpdateMode.REPLACE,
                etag=met.metadata["etag"],
                match_condition=MatchConditions.IfNotModified,
            )
        except (ResourceExistsError, ResourceModifiedError):
            if _entity(self._windows, LEASE) != lease:
                raise LeaseTaken("another run of the rotator was faster") from None


def _entity(table: TableClient, row: str, *, partition: str = PARTITION) -> Any:  # noqa: ANN401 - the SDK's entity
    try:
        return table.get_entity(partition, row)
    except ResourceNotFoundError:
        return None


def _entity_of(verifier: Verifier) -> dict[str, Any]:
    window = verifier.window
    return {
        "PartitionKey": PARTITION,
        "RowKey": row_of(window),
        "P": verifier.proof_key.reveal(),
        "c": verifier.check,
        "not_before": window.not_before,
        "not_after": window.not_after,
    }
