"""Keep execution records and receipts in DynamoDB: written on conditions, in transactions, never deleted."""

from __future__ import annotations

import random
import threading
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from remediator.aws.receipt_items import finding_from, finding_item, item_size, record_from, record_item
from remediator.service.errors import ClaimLost
from remediator.service.records import MAX_FINDINGS, MAX_REQUESTS, Claimed, Refusal, State, decide

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from remediator.service.records import Claim, Finding, Record

MOST_ITEMS: Final = 99
"""Findings in one transaction: DynamoDB takes 100 items, and one is the condition on the record."""

MOST_BYTES: Final = 3_000_000
"""Bytes of findings in one transaction: DynamoDB takes 4 MB."""

TRIES: Final = 6
DAY: Final = 86_400

USES_STATE: Final = {"dynamodb:UpdateItem": ("count/*",)}
USES: Final = (
    "dynamodb:ConditionCheckItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
)


class ReceiptTable:
    """Keep records and findings in one partition per remediation."""

    def __init__(  # noqa: PLR0913 - tables, retention and the two ways of waiting
        self,
        client: Any,  # noqa: ANN401 - an SDK client
        *,
        receipts: str,
        state: str,
        retention_days: int,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._client = client
        self._receipts = receipts
        self._state = state
        self._retention = retention_days * DAY
        self._sleep = sleep
        self._jitter = jitter
        self._one_at_a_time = threading.Lock()

    def claim(self, claim: Claim) -> Claimed | Refusal | Record:
        """Count the request and insert its record in one transaction; or decide what it gets that meets a record."""
        count, insert = self._count(claim), self._insert(claim.record)
        failed = self._transact([{"Update": count}, {"Put": insert}])
        if failed is None:
            return Claimed(claim.record, resumed=False)
        counted, inserted = failed
        if inserted:
            return self._meet(record_from(inserted), claim)
        if counted is not None:
            return Refusal.OVER_LIMIT
        raise ClaimLost("the transaction was refused for no reason of ours")

    def record(self, remediation: str) -> Record | None:
        """Return a remediation's execution record."""
        answer = self._client.get_item(TableName=self._receipts, Key=_key(remediation, "record"), ConsistentRead=True)
        return record_from(answer["Item"]) if "Item" in answer else None

    def findings(self, remediation: str) -> Sequence[Finding]:
        """Return the stored findings in order of their index."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._receipts,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :findings)",
            ExpressionAttributeValues={":pk": {"S": remediation}, ":findings": {"S": "finding/"}},
            ConsistentRead=True,
        )
        return [finding_from(item) for page in pages for item in page["Items"]]

    def store(self, claimed: Claimed, findings: Sequence[Finding]) -> None:
        """Store findings while the record is ours.

        One transaction at a time: all have their condition on one item, and those that meet on it refuse each other.
        """
        items = [finding_item(finding, claimed.record, self._retention) for finding in findings]
        with self._one_at_a_time:
            for batch in _batches(items):
                puts = [{"Put": {"TableName": self._receipts, "Item": item}} for item in batch]
                if self._transact([{"ConditionCheck": self._ours(claimed)}, *puts]) is not None:
                    raise ClaimLost("the record was taken over")

    def finish(self, claimed: Claimed, *, partial: bool) -> None:
        """End the work on the record while it is ours."""
        state = State.PARTIAL if partial else State.DONE
        condition = self._ours(claimed)
        values = condition.pop("ExpressionAttributeValues") | {":ended": {"S": state.value}}
        try:
            self._client.update_item(
                **condition, UpdateExpression="SET #state = :ended", ExpressionAttributeValues=values
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            raise ClaimLost("the record was taken over") from None

    def spend(self, day: str, *, wanted: int, most: int) -> int:
        """Count findings for a day as far as there is room, each time on the condition that there still is."""
        wanted = min(wanted, most)
        while wanted > 0:
            try:
                self._client.update_item(**self._count_day(day, wanted, most))
            except self._client.exceptions.ConditionalCheckFailedException as full:
                counted = int(full.response.get("Item", {}).get("findings", {}).get("N", "0"))
                wanted = min(wanted - 1, most - counted)
            else:
                return wanted
        return 0

    def settle(self, finding: Finding) -> None:
        """Note that an unsettled finding is settled; one that was settled meanwhile stays as it is."""
        try:
            self._client.update_item(
                TableName=self._receipts,
                Key=_key(finding.remediation, f"finding/{finding.index:04}"),
                UpdateExpression="SET outcome = :outcome REMOVE reason",
                ConditionExpression="outcome IN (:pending, :unverified)",
                ExpressionAttributeValues={
                    ":outcome": {"S": str(finding.outcome)},
                    ":pending": {"S": "pending"},
                    ":unverified": {"S": "unverified"},
                },
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return

    def _meet(self, met: Record, claim: Claim) -> Claimed | Refusal | Record:
        decided = decide(met, claim)
        if not isinstance(decided, Claimed):
            return decided
        try:
            self._client.update_item(**self._take_over(met, decided.record))
        except self._client.exceptions.ConditionalCheckFailedException:
            return Refusal.IN_PROGRESS
        return decided

    def _take_over(self, met: Record, taken: Record) -> dict[str, Any]:
        return {
            "TableName": self._receipts,
            "Key": _key(met.id, "record"),
            "UpdateExpression": "SET attempt = :next, deadline = :deadline, free_at = :free, #state = :running",
            "ConditionExpression": "attempt = :met AND #state = :state",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {
                ":next": {"N": str(taken.attempt)},
                ":deadline": {"N": str(taken.deadline)},
                ":free": {"N": str(taken.free_at)},
                ":running": {"S": State.RUNNING.value},
                ":met": {"N": str(met.attempt)},
                ":state": {"S": met.state.value},
            },
        }

    def _count(self, claim: Claim) -> dict[str, Any]:
        record, window = claim.record, claim.window
        return {
            "TableName": self._state,
            "Key": {"pk": {"S": f"count/{record.caller}/{window}"}},
            "UpdateExpression": "ADD requests :one, findings :asked SET expires_at = :expires",
            "ConditionExpression": "attribute_not_exists(pk) OR (requests < :most AND findings <= :room)",
            "ExpressionAttributeValues": {
                ":one": {"N": "1"},
                ":asked": {"N": str(record.findings)},
                ":expires": {"N": str(window.not_after + DAY)},
                ":most": {"N": str(MAX_REQUESTS)},
                ":room": {"N": str(MAX_FINDINGS - record.findings)},
            },
        }

    def _count_day(self, day: str, wanted: int, most: int) -> dict[str, Any]:
        return {
            "TableName": self._state,
            "Key": {"pk": {"S": f"count/{day}"}},
            "UpdateExpression": "ADD findings :wanted SET expires_at = :expires",
            "ConditionExpression": "attribute_not_exists(findings) OR findings <= :room",
            "ExpressionAttributeValues": {
                ":wanted": {"N": str(wanted)},
                ":room": {"N": str(most - wanted)},
                ":expires": {"N": str(int(datetime.fromisoformat(f"{day}T00:00+00:00").timestamp()) + 2 * DAY)},
            },
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def _insert(self, record: Record) -> dict[str, Any]:
        return {
            "TableName": self._receipts,
            "Item": record_item(record, self._retention),
            "ConditionExpression": "attribute_not_exists(pk)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def _ours(self, claimed: Claimed) -> dict[str, Any]:
        return {
            "TableName": self._receipts,
            "Key": _key(claimed.record.id, "record"),
            "ConditionExpression": "attempt = :attempt AND #state = :running",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {
                ":attempt": {"N": str(claimed.record.attempt)},
                ":running": {"S": State.RUNNING.value},
            },
        }

    def _transact(self, items: list[dict[str, Any]]) -> list[dict[str, Any] | None] | None:
        """Run a transaction; return None, or for each item what refused it: its old value, maybe empty, or None."""
        for attempt in range(TRIES):
            try:
                self._client.transact_write_items(TransactItems=items)
            except ClientError as error:
                codes = _cancellation_codes(error)
                if "ConditionalCheckFailed" in codes:
                    return _refusals(error)
                if "TransactionConflict" not in codes or attempt == TRIES - 1:
                    raise
                self._sleep(0.05 * 2**attempt * (0.5 + self._jitter()))
            else:
                return None
        raise AssertionError("unreachable: the last try returns or raises")  # pragma: no cover


def _key(remediation: str, name: str) -> dict[str, Any]:
    return {"pk": {"S": remediation}, "sk": {"S": name}}


def _batches(items: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    size = 0
    for item in items:
        more = item_size(item)
        if batch and (len(batch) == MOST_ITEMS or size + more > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += more
    if batch:
        yield batch


def _cancellation_codes(error: ClientError) -> list[str]:
    reasons: Any = error.response.get("CancellationReasons", [])
    return [reason.get("Code", "None") for reason in reasons]


def _refusals(error: ClientError) -> list[dict[str, Any] | None]:
    reasons: Any = error.response.get("CancellationReasons", [])
    return [reason.get("Item", {}) if reason.get("Code") == "ConditionalCheckFailed" else None for reason in reasons]
