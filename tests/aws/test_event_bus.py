"""Events reach the bus in as few calls as it takes, whatever their size, and what it doesn't take is counted."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import ANY, Stubber

from remediator.aws.event_bus import CONFIG, MOST_BYTES, PATIENCE, EventBus
from remediator.service.announcements import Announcement, NotTaken
from remediator.service.records import TAKEOVER_MARGIN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.aws.conftest import Account

BUCKET = "arn:aws:s3:::a-bucket"


def change(number: int = 0, before: Any = "off") -> Announcement:
    detail = {"id": f"r/{number}", "before": before, "after": "on", "states_left_out": False}
    return Announcement(f"r/{number}", 1_800_000_000, BUCKET, detail)


@dataclass
class Bus:
    """A bus that refuses the entries of some receipts, or breaks at a call."""

    refuses: Mapping[str, str] = field(default_factory=dict)
    breaks_at: int | None = None
    calls: list[list[dict[str, Any]]] = field(default_factory=list)
    connected: int = 0

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - the SDK's name
        self.calls.append(Entries)
        if self.breaks_at == len(self.calls):
            raise EndpointConnectionError(endpoint_url="https://events")
        ids = [json.loads(entry["Detail"])["id"] for entry in Entries]
        return {"Entries": [{"ErrorCode": self.refuses[one]} if one in self.refuses else {} for one in ids]}

    def connect(self) -> Bus:
        self.connected += 1
        return self

    @property
    def details(self) -> list[dict[str, Any]]:
        return [json.loads(entry["Detail"]) for call in self.calls for entry in call]


def test_moto_takes_what_is_sent_as_the_sdk_sends_it(account: Account) -> None:
    client: Any = account.session.create_client("events", config=CONFIG)
    EventBus(lambda: client).announce([change(number) for number in range(11)])


def test_an_entry_is_what_eventbridge_asks_for(account: Account) -> None:
    client: Any = account.client("events")
    with Stubber(client) as stubber:
        entry = {"EventBusName": "default", "Source": "remediator", "DetailType": "Remediation", "Time": 1_800_000_000,
                 "Resources": [BUCKET], "Detail": ANY}  # fmt: skip
        stubber.add_response("put_events", {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}, {"Entries": [entry]})
        EventBus(lambda: client).announce([change()])
        stubber.assert_no_pending_responses()


def test_ten_go_in_one_call_and_the_client_is_made_once_and_late() -> None:
    bus = Bus()
    events = EventBus(bus.connect)
    assert bus.connected == 0
    events.announce([change(number) for number in range(25)])
    assert [len(call) for call in bus.calls] == [10, 10, 5]
    assert bus.connected == 1
    assert [one["id"] for one in bus.details] == [f"r/{number}" for number in range(25)]


def test_no_call_is_larger_than_the_bus_takes_counted_in_bytes() -> None:
    bus = Bus()
    EventBus(bus.connect).announce([change(number, "ü" * 50_000) for number in range(5)])
    assert [len(call) for call in bus.calls] == [2, 2, 1]
    for call in bus.calls:
        assert sum(len(json.dumps(entry, ensure_ascii=False).encode()) for entry in call) < 262_144
    assert all(one["before"] for one in bus.details)


def test_states_that_no_call_has_room_for_stay_with_the_receipt() -> None:
    bus = Bus()
    EventBus(bus.connect).announce([change(0, "x" * MOST_BYTES), change(1)])
    large, small = bus.details
    assert (large["id"], large["before"], large["after"], large["states_left_out"]) == ("r/0", None, None, True)
    assert (small["before"], small["states_left_out"]) == ("off", False)


def test_an_entry_that_is_refused_is_lost_alone() -> None:
    bus = Bus(refuses={"r/3": "ThrottlingException", "r/12": "InternalFailure"})
    with pytest.raises(NotTaken, match="InternalFailure") as lost:
        EventBus(bus.connect).announce([change(number) for number in range(25)])
    assert lost.value.events == 2
    assert len(bus.calls) == 3


def test_a_bus_that_is_away_is_tried_once_and_the_rest_counts_as_lost() -> None:
    bus = Bus(breaks_at=2)
    with pytest.raises(NotTaken, match="EndpointConnectionError") as lost:
        EventBus(bus.connect).announce([change(number) for number in range(25)])
    assert lost.value.events == 15
    assert len(bus.calls) == 2


def test_a_refused_call_says_with_which_code(account: Account) -> None:
    client: Any = account.client("events")
    with Stubber(client) as stubber:
        stubber.add_client_error("put_events", "AccessDeniedException")
        with pytest.raises(NotTaken, match=r"^AccessDeniedException$") as lost:
            EventBus(lambda: client).announce([change(0), change(1)])
    assert lost.value.events == 2


def test_a_slow_bus_is_left_when_the_patience_is_over() -> None:
    bus = Bus()
    times = iter([0.0, 0.0, PATIENCE - 0.1, PATIENCE])
    with pytest.raises(NotTaken, match="no time") as lost:
        EventBus(bus.connect, clock=lambda: next(times)).announce([change(number) for number in range(50)])
    assert (len(bus.calls), lost.value.events) == (2, 30)


def test_news_never_last_until_the_record_may_be_taken_over() -> None:
    bounds: Any = CONFIG
    longest = bounds.retries["total_max_attempts"] * (bounds.connect_timeout + bounds.read_timeout)
    pause = 1.0  # at most this between the first try and the second, in the SDK's standard mode
    assert PATIENCE + longest + pause < TAKEOVER_MARGIN
