"""Put announcements on the account's own event bus.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from remediator.service.announcements import NotTaken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from remediator.service.announcements import Announcement

SOURCE: Final = "remediator"
DETAIL_TYPE: Final = "Remediation"
BUS: Final = "default"

MOST_ENTRIES: Final = 10
MOST_BYTES: Final = 256_000
"""Of one call's entries together: EventBridge takes 256 KB, time stamps and ARNs included."""

PATIENCE: Final = 4.0
"""Seconds after which no further call is begun: nobody waits for news as long as for a repair."""

CONFIG: Final = Config(connect_timeout=0.5, read_timeout=1.5, retries={"mode": "standard", "total_max_attempts": 2})
"""A call that fails does so within five seconds: with `PATIENCE`, inside the margin before a record is taken over."""

USES: Final = ("events:PutEvents",)


class EventBus:
    """Send in batches; `connect` makes the client, at the first change and not at every cold start."""

    def __init__(self, connect: Callable[[], Any], clock: Callable[[], float] = time.monotonic) -> None:
        self._connect = connect
        self._clock = clock
        self._client: Any = None

    def announce(self, announcements: Sequence[Announcement]) -> None:
        """Send every batch until one finds no bus, or the patience is over; what is refused alone is lost alone."""
        ends = self._clock() + PATIENCE
        lost, reason = len(announcements), "no time was left"
        for batch in _batches([_entry(one) for one in announcements]):
            if self._clock() >= ends:
                raise NotTaken(lost, reason)
            refused = self._put(batch, lost)
            lost -= len(batch) - len(refused)
            reason = next(iter(refused), reason)
        if lost:
            raise NotTaken(lost, reason)

    def _put(self, batch: Sequence[dict[str, Any]], lost: int) -> list[str]:
        """Return the code of each entry that was refused, or raise `NotTaken` where the call itself failed."""
        self._client = self._client or self._connect()
        try:
            answer = self._client.put_events(Entries=batch)
        except ClientError as error:
            raise NotTaken(lost, str(error.response["Error"]["Code"])) from None
        except BotoCoreError as error:
            raise NotTaken(lost, type(error).__name__) from None
        return [one["ErrorCode"] for one in answer["Entries"] if "ErrorCode" in one]


def _entry(announcement: Announcement) -> dict[str, Any]:
    entry = _whole(announcement)
    return entry if _size(entry) <= MOST_BYTES else _whole(announcement.without_states())


def _whole(announcement: Announcement) -> dict[str, Any]:
    return {
        "EventBusName": BUS,
        "Source": SOURCE,
        "DetailType": DETAIL_TYPE,
        "Time": announcement.at,
        "Resources": [announcement.resource],
        "Detail": json.dumps(announcement.detail, separators=(",", ":"), ensure_ascii=False),
    }


def _size(entry: dict[str, Any]) -> int:
    """Return an entry's size as EventBridge counts it: 14 bytes for the time, and UTF-8 for the rest."""
    texts = (entry["Source"], entry["DetailType"], entry["Detail"], *entry["Resources"])
    return 14 + sum(len(text.encode()) for text in texts)


def _batches(entries: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    room = MOST_BYTES
    for entry in entries:
        size = _size(entry)
        if batch and (len(batch) == MOST_ENTRIES or size > room):
            yield batch
            batch, room = [], MOST_BYTES
        batch.append(entry)
        room -= size
    if batch:
        yield batch
