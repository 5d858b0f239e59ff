"""Changes reach the topic as CloudEvents, in as few requests as it takes, and what it doesn't take is counted."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ServiceRequestError
from azure.core.pipeline.transport import HttpTransport

from remediator.azure.event_topic import CONTENT_TYPE, MOST_BYTES, PATIENCE, SCOPE, EventTopic
from remediator.local.azure.event_grid import _fault
from remediator.service.announcements import Announcement, NotTaken
from tests.service.world import Notebook

if TYPE_CHECKING:
    from typing import Self

TOPIC = "https://changes.westeurope-1.eventgrid.azure.net/api/events"
RESOURCE = "/subscriptions/s/resourceGroups/shop/providers/Microsoft.Storage/storageAccounts/x"


def change(number: int = 0, before: Any = "off") -> Announcement:
    detail = {
        "id": f"r/{number}", "account": "s", "account_alias": "shop", "outcome": "fixed", "fix": "f",
        "resource": RESOURCE, "finding": "x", "way_back": "w", "before": before, "after": "on",
        "states_left_out": False,
    }  # fmt: skip
    return Announcement(f"r/{number}", 1_800_000_000, RESOURCE, detail)


class Credential:
    """Give tokens, and remember for what."""

    def __init__(self) -> None:
        self.scopes: list[str] = []

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.scopes += scopes
        return AccessToken("token", 9_999_999_999)


@dataclass
class Answer:
    status_code: int
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str | None = None
    reason: str = ""


@dataclass
class Transport(HttpTransport[Any, Any]):
    """Answer as told, the last answer again and again."""

    answers: list[int | Exception] = field(default_factory=lambda: [200])
    sent: list[Any] = field(default_factory=list)
    timeouts: list[tuple[float, float]] = field(default_factory=list)

    def send(self, request: Any, **options: Any) -> Any:
        self.sent.append(request)
        self.timeouts.append((options["connection_timeout"], options["read_timeout"]))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return Answer(answer)

    def open(self) -> None: ...

    def close(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    @property
    def events(self) -> list[Any]:
        return [event for request in self.sent for event in json.loads(request.content)]


def topic(transport: Transport, **more: Any) -> EventTopic:
    settings: dict[str, Any] = {"sleep": lambda _: None, **more}
    credential, monitor = settings.pop("credential", Credential()), settings.pop("monitor", Notebook())
    return EventTopic(TOPIC, credential, monitor, transport=transport, **settings)


def test_a_change_is_a_cloud_event_with_the_receipts_id() -> None:
    transport, credential = Transport(), Credential()
    topic(transport, credential=credential).announce([change()])
    (request,), (event,) = transport.sent, transport.events
    assert (request.method, request.url) == ("POST", f"{TOPIC}?api-version=2018-01-01")
    assert request.headers["Content-Type"] == CONTENT_TYPE
    assert request.headers["Authorization"] == "Bearer token"
    assert credential.scopes == [SCOPE]
    assert (event["id"], event["subject"], event["source"]) == ("r/0", RESOURCE, "/remediator/s")
    assert (event["type"], event["time"]) == ("Remediator.Remediation", "2027-01-15T08:00:00Z")
    assert event["data"] == dict(change().detail)
    assert _fault(event) is None


def test_many_go_in_one_request_and_none_is_larger_than_the_topic_takes() -> None:
    transport = Transport()
    topic(transport).announce([change(number, "ü" * 200_000) for number in range(5)])
    assert [len(json.loads(request.content)) for request in transport.sent] == [2, 2, 1]
    assert all(len(request.content) <= MOST_BYTES for request in transport.sent)
    assert [event["id"] for event in transport.events] == [f"r/{number}" for number in range(5)]


def test_states_that_no_request_has_room_for_stay_with_the_receipt() -> None:
    transport = Transport()
    topic(transport).announce([change(0, "x" * MOST_BYTES), change(1)])
    large, small = transport.events
    assert (large["data"]["before"], large["data"]["states_left_out"]) == (None, True)
    assert small["data"]["before"] == "off"


def test_the_log_has_a_line_of_each_without_its_states() -> None:
    monitor = Notebook()
    topic(Transport(), monitor=monitor).announce([change(0, "SECRETLY")])
    ((message, facts),) = monitor.notes
    assert message == "changed"
    assert facts["resource"] == RESOURCE
    assert (facts["account_alias"], facts["finding"], facts["way_back"]) == ("shop", "x", "w")
    assert "SECRETLY" not in str(facts)


@pytest.mark.parametrize(("status", "tries"), [(401, 1), (403, 1), (413, 1), (500, 4)])
def test_what_the_topic_refuses_is_counted_with_what_comes_after(status: int, tries: int) -> None:
    transport = Transport([200, status])
    with pytest.raises(NotTaken, match=f"HTTP {status}") as lost:
        topic(transport).announce([change(number, "x" * 600_000) for number in range(4)])
    assert (len(transport.sent), lost.value.events) == (1 + tries, 3)


def test_a_topic_that_is_away_is_counted_by_the_kind_of_error() -> None:
    transport = Transport([ServiceRequestError("where?")])
    with pytest.raises(NotTaken, match=r"^ServiceRequestError$") as lost:
        topic(transport).announce([change(0), change(1)])
    assert lost.value.events == 2


def test_no_try_is_made_when_the_patience_is_over_and_each_is_short() -> None:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += max(seconds, 1.5)

    transport = Transport([503])
    with pytest.raises(NotTaken):
        topic(transport, clock=lambda: now[0], sleep=sleep).announce([change()])
    assert now[0] <= PATIENCE + 1.5
    assert all(connect + read <= 2 for connect, read in transport.timeouts)


def test_a_slow_topic_is_left_when_the_patience_is_over() -> None:
    times = iter([0.0, 0.0, PATIENCE])
    transport = Transport()
    with pytest.raises(NotTaken, match="no time") as lost:
        topic(transport, clock=lambda: next(times)).announce([change(n, "x" * 600_000) for n in range(3)])
    assert (len(transport.sent), lost.value.events) == (1, 2)
