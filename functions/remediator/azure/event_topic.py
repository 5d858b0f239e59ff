"""Put announcements on the deployment's own Event Grid topic, as CloudEvents, and a line of each into the log.

The line is what an alert turns into a message: Event Grid itself sends none to an action group for a topic of one's
own. https://learn.microsoft.com/azure/event-grid/cloud-event-schema
"""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from azure.core import PipelineClient
from azure.core.exceptions import AzureError
from azure.core.pipeline import Pipeline
from azure.core.pipeline.policies import BearerTokenCredentialPolicy, UserAgentPolicy
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest, HttpResponse

from remediator.azure.bounded_retry import BoundedRetry
from remediator.service.announcements import NotTaken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from azure.core.credentials import TokenCredential
    from azure.core.pipeline.transport import HttpTransport

    from remediator.service.announcements import Announcement
    from remediator.service.ports import Monitor

API: Final = "2018-01-01"
SCOPE: Final = "https://eventgrid.azure.net/.default"
TYPE: Final = "Remediator.Remediation"
CONTENT_TYPE: Final = "application/cloudevents-batch+json; charset=utf-8"

MOST_BYTES: Final = 1_000_000
"""Of one request: Event Grid takes a megabyte, for one event or for many."""

PATIENCE: Final = 4.0
"""Seconds after which no further request is begun, nor a try of one: nobody waits for news as long as for a repair."""

CONNECTION_TIMEOUT: Final = 0.5
READ_TIMEOUT: Final = 1.5
TOLD: Final = ("account_alias", "outcome", "fix", "resource", "finding", "way_back", "id")
"""What the log has of a change: no states."""


class _Patience(threading.local):
    """Hold the end of a thread's own patience: requests that are answered at the same time share the client."""

    ends = 0.0


class EventTopic:
    """Send in batches; the connection is made at the first change."""

    def __init__(  # noqa: PLR0913 - what the tests replace has defaults
        self,
        endpoint: str,
        credential: TokenCredential,
        monitor: Monitor,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        transport: HttpTransport[Any, Any] | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._monitor = monitor
        self._clock = clock
        self._own = _Patience()
        policies: list[Any] = [
            UserAgentPolicy(base_user_agent="remediator"),
            BoundedRetry(lambda: self._own.ends - clock(), sleep),
            BearerTokenCredentialPolicy(credential, SCOPE),
        ]
        pipeline: Pipeline[HttpRequest, HttpResponse] = Pipeline(transport or RequestsTransport(), policies)
        self._client: PipelineClient[HttpRequest, HttpResponse] = PipelineClient(endpoint, pipeline=pipeline)

    def announce(self, announcements: Sequence[Announcement]) -> None:
        """Log each, then send every batch until one finds no topic, or the patience is over."""
        for one in announcements:
            self._monitor.note("changed", **{name: str(one.detail[name]) for name in TOLD})
        self._own.ends = self._clock() + PATIENCE
        left = len(announcements)
        for batch in _batches([_event(one) for one in announcements]):
            if self._clock() >= self._own.ends:
                raise NotTaken(left, "no time was left")
            self._send(batch, left)
            left -= len(batch)

    def _send(self, batch: Sequence[str], left: int) -> None:
        body = f"[{','.join(batch)}]".encode()
        headers = {"Content-Type": CONTENT_TYPE}
        request = HttpRequest("POST", self._endpoint, params={"api-version": API}, headers=headers, content=body)
        try:
            answer = self._client.send_request(
                request, connection_timeout=CONNECTION_TIMEOUT, read_timeout=READ_TIMEOUT
            )
        except AzureError as error:
            raise NotTaken(left, type(error).__name__) from None
        if answer.status_code != 200:  # noqa: PLR2004 - all that Event Grid answers where it took them
            raise NotTaken(left, f"HTTP {answer.status_code}")


def _event(announcement: Announcement) -> str:
    whole = _written(announcement)
    return whole if len(whole.encode()) <= MOST_BYTES - 2 else _written(announcement.without_states())


def _written(announcement: Announcement) -> str:
    event = {
        "specversion": "1.0",
        "id": announcement.id,
        "source": f"/remediator/{announcement.detail['account']}",
        "type": TYPE,
        "subject": announcement.resource,
        "time": datetime.fromtimestamp(announcement.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "datacontenttype": "application/json",
        "data": announcement.detail,
    }
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False)


def _batches(events: Sequence[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    room = MOST_BYTES - 2
    for event in events:
        size = len(event.encode()) + 1
        if batch and size > room:
            yield batch
            batch, room = [], MOST_BYTES - 2
        batch.append(event)
        room -= size
    if batch:
        yield batch
