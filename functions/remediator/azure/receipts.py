"""Keep execution records and receipts in Table Storage: inserted once, changed under the record's ETag, never deleted.

A remediation is one partition, so its findings change in one transaction with its record, whose ETag is the fence
between attempts. The counter lies elsewhere: it is raised first, so that a crash between the two counts a request that
never was, and never the other way round.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import TableTransactionError, UpdateMode

from remediator.azure.receipt_entities import (
    entity_size,
    finding_entity,
    finding_from,
    record_entity,
    record_from,
    settled,
)
from remediator.service.errors import ClaimLost
from remediator.service.records import MAX_FINDINGS, MAX_REQUESTS, Claimed, Refusal, State, decide

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from azure.data.tables import TableClient

    from remediator.service.records import Claim, Finding, Record

MOST_OPERATIONS: Final = 99
"""Findings in one transaction: Table Storage takes 100 operations, and one is the record's."""

MOST_BYTES: Final = 2_500_000
"""Bytes of findings in one transaction: Table Storage takes 4 MiB, in UTF-16 and base64."""

TRIES: Final = 8
RECORD: Final = "record"
DAY: Final = 86_400


@dataclass(slots=True)
class _Hold:
    """Hold an attempt on a record: the record's ETag, which each of its transactions changes, one after the other."""

    etag: str
    until: int
    changing: threading.Lock = field(default_factory=threading.Lock)


class ReceiptTable:
    """Keep records and findings in one partition per remediation.

    An attempt is held in memory until it ends, or could be taken over: so what never ended doesn't add up.
    """

    def __init__(self, table: TableClient, *, retention_days: int) -> None:
        self._table = table
        self._retention = retention_days * DAY
        self._holds: dict[tuple[str, int], _Hold] = {}

    def claim(self, claim: Claim) -> Claimed | Refusal | Record:
        """Insert the request's record and count it; or decide what it gets that meets a record."""
        self._forget(claim.now)
        met = self._entity(claim.record.id)
        if met is not None:
            return self._meet(met, claim)
        if not self._count(claim):
            return Refusal.OVER_LIMIT
        try:
            stored = self._table.create_entity(record_entity(claim.record, self._retention))
        except ResourceExistsError:
            return self._meet(self._entity(claim.record.id), claim)
        self._hold(claim.record, stored["etag"])
        return Claimed(claim.record, resumed=False)

    def record(self, remediation: str) -> Record | None:
        """Return a remediation's execution record."""
        met = self._entity(remediation)
        return record_from(met) if met is not None else None

    def findings(self, remediation: str) -> Sequence[Finding]:
        """Return the stored findings in order of their index."""
        query = "PartitionKey eq @remediation and RowKey ge 'finding-' and RowKey lt 'finding.'"
        found = self._table.query_entities(query, parameters={"remediation": remediation})
        return [finding_from(entity) for entity in found]

    def store(self, claimed: Claimed, findings: Sequence[Finding]) -> None:
        """Store findings while the record is ours."""
        entities = [finding_entity(finding, claimed.record, self._retention) for finding in findings]
        hold = self._held(claimed.record)
        with hold.changing:
            for batch in _batches(entities):
                puts = [("upsert", entity, {"mode": UpdateMode.REPLACE}) for entity in batch]
                self._change(claimed.record, hold, puts)

    def finish(self, claimed: Claimed, *, partial: bool) -> None:
        """End the work on the record while it is ours."""
        hold = self._held(claimed.record)
        with hold.changing:
            self._change(claimed.record, hold, [], state=State.PARTIAL if partial else State.DONE)
        self._holds.pop((claimed.record.id, claimed.record.attempt), None)

    def spend(self, day: str, *, wanted: int, most: int) -> int:
        """Count findings for a day as far as there is room, on the condition that nobody else did meanwhile."""
        key = {"PartitionKey": "count", "RowKey": day}
        ends = int(datetime.fromisoformat(f"{day}T00:00+00:00").timestamp()) + 2 * DAY
        for _ in range(TRIES):
            met = self._entity(key["PartitionKey"], key["RowKey"])
            before = met["findings"] if met else 0
            granted = max(0, min(wanted, most - before))
            if granted == 0:
                return 0
            try:
                self._put_counter(key | {"findings": before + granted, "expires_at": ends}, met)
            except (ResourceExistsError, ResourceModifiedError):
                continue
            return granted
        raise ClaimLost("the counter is too busy")

    def settle(self, finding: Finding) -> None:
        """Note that an unsettled finding is settled; one that was settled meanwhile stays as it is."""
        met = self._table.get_entity(finding.remediation, f"finding-{finding.index:04}")
        if met.get("outcome") not in ("pending", "unverified"):
            return
        changed = settled(met, str(finding.outcome))
        try:
            self._table.update_entity(changed, mode=UpdateMode.REPLACE, **_if_unchanged(str(met.metadata["etag"])))
        except ResourceModifiedError:
            return

    def _meet(self, met: Any, claim: Claim) -> Claimed | Refusal | Record:  # noqa: ANN401 - the SDK's entity
        decided = decide(record_from(met), claim)
        if not isinstance(decided, Claimed):
            return decided
        taken = record_entity(decided.record, self._retention)
        try:
            stored = self._table.update_entity(taken, mode=UpdateMode.REPLACE, **_if_unchanged(met.metadata["etag"]))
        except ResourceModifiedError:
            return Refusal.IN_PROGRESS
        self._hold(decided.record, stored["etag"])
        return decided

    def _count(self, claim: Claim) -> bool:
        key = {"PartitionKey": f"count-{claim.record.caller}", "RowKey": f"{claim.window.number:012}"}
        for _ in range(TRIES):
            met = self._entity(key["PartitionKey"], key["RowKey"])
            requests = (met["requests"] if met else 0) + 1
            findings = (met["findings"] if met else 0) + claim.record.findings
            if requests > MAX_REQUESTS or findings > MAX_FINDINGS:
                return False
            counted = {"requests": requests, "findings": findings, "expires_at": claim.window.not_after + DAY}
            try:
                self._put_counter(key | counted, met)
            except (ResourceExistsError, ResourceModifiedError):
                continue
            return True
        raise ClaimLost("the counter is too busy")

    def _put_counter(self, counter: dict[str, Any], met: Any) -> None:  # noqa: ANN401 - the SDK's entity
        if met is None:
            self._table.create_entity(counter)
            return
        self._table.update_entity(counter, mode=UpdateMode.REPLACE, **_if_unchanged(met.metadata["etag"]))

    def _change(self, record: Record, hold: _Hold, puts: list[Any], *, state: State = State.RUNNING) -> None:
        """Run a transaction that holds on to the record by its ETag, which every such transaction changes."""
        touched = {"PartitionKey": record.id, "RowKey": RECORD, "state": state.value}
        touch = ("update", touched, {"mode": UpdateMode.MERGE, **_if_unchanged(hold.etag)})
        try:
            answers = self._table.submit_transaction([touch, *puts])
        except TableTransactionError as error:
            if error.status_code != 412:  # noqa: PLR2004 - HTTP's own number: the ETag isn't the entity's any more
                raise
            raise ClaimLost("the record was taken over") from None
        hold.etag = answers[0]["etag"]

    def _hold(self, record: Record, etag: str) -> None:
        self._holds[record.id, record.attempt] = _Hold(etag, record.free_at)

    def _held(self, record: Record) -> _Hold:
        hold = self._holds.get((record.id, record.attempt))
        if hold is None:
            raise ClaimLost("the attempt has ended, or its time is over")
        return hold

    def _forget(self, now: float) -> None:
        """Let attempts go whose records may be taken over: nothing they still send would be taken."""
        for attempt, hold in list(self._holds.items()):
            if hold.until <= now:
                self._holds.pop(attempt, None)

    def _entity(self, partition: str, row: str = RECORD) -> Any:  # noqa: ANN401 - the SDK's entity
        try:
            return self._table.get_entity(partition, row)
        except ResourceNotFoundError:
            return None


def _if_unchanged(etag: str) -> dict[str, Any]:
    return {"etag": etag, "match_condition": MatchConditions.IfNotModified}


def _batches(entities: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    size = 0
    for entity in entities:
        more = entity_size(entity)
        if batch and (len(batch) == MOST_OPERATIONS or size + more > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(entity)
        size += more
    if batch:
        yield batch
