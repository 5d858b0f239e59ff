"""Delete counters, records and receipts whose time is over; Table Storage has no expiry of its own."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from azure.data.tables import TableClient

MOST: Final = 5_000
"""Entities deleted in one go, so that the rotator stays within its time; the rest goes the next day."""

MOST_OPERATIONS: Final = 100


class Expired:
    """Find by their own date what may go."""

    def __init__(self, table: TableClient) -> None:
        self._table = table

    def delete(self, now: float) -> int:
        """Delete what expired before `now`, partition by partition, and return how much it was."""
        found = self._table.query_entities(
            "expires_at lt @now", parameters={"now": int(now)}, select=["PartitionKey", "RowKey"]
        )
        keys = [(entity["PartitionKey"], entity["RowKey"]) for entity, _ in zip(found, range(MOST), strict=False)]
        for partition, same in groupby(sorted(keys), key=lambda key: key[0]):
            rows = [row for _, row in same]
            for start in range(0, len(rows), MOST_OPERATIONS):
                self._table.submit_transaction(
                    [
                        ("delete", {"PartitionKey": partition, "RowKey": row})
                        for row in rows[start : start + MOST_OPERATIONS]
                    ]
                )
        return len(keys)
