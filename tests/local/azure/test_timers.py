"""Timers fire by the cloud's clock: at their moment, once for what was missed, never two at a time."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import pytest

from remediator.local.azure.apps.ncrontab import schedule
from remediator.local.azure.apps.settings import BadApp
from remediator.local.azure.apps.timers import Ticker, Timer
from remediator.local.clock import Clock
from tests.local.hosting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediator.local.azure.apps.app import Invocation


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        ("0 2/5 * * * *", "2026-11-23T10:00:00", "2026-11-23T10:02:00"),
        ("0 2/5 * * * *", "2026-11-23T10:02:00", "2026-11-23T10:07:00"),
        ("0 2/5 * * * *", "2026-11-23T23:57:00", "2026-11-24T00:02:00"),
        ("2/5 * * * *", "2026-11-23T10:00:00", "2026-11-23T10:02:00"),
        ("*/10 * * * * *", "2026-11-23T10:00:09", "2026-11-23T10:00:10"),
        ("30 0 12 * * *", "2026-11-23T12:00:30", "2026-11-24T12:00:30"),
        ("0 0 9-17 * * 1-5", "2026-11-20T17:30:00", "2026-11-23T09:00:00"),
        ("0 0 0 1 Jan *", "2026-11-23T10:00:00", "2027-01-01T00:00:00"),
        ("0 0 0 29 2 *", "2026-11-23T10:00:00", "2028-02-29T00:00:00"),
        ("0 0 0 13 * Fri", "2026-11-23T10:00:00", "2027-08-13T00:00:00"),
        ("0 0,30 8 * * Sun,Wed", "2026-11-23T10:00:00", "2026-11-25T08:00:00"),
    ],
)
def test_the_next_moment_is_found(text: str, after: str, expected: str) -> None:
    assert schedule(text, {}).after(seconds(after)) == seconds(expected)


@pytest.mark.parametrize(
    "text", ["", "* * * *", "60 * * * * *", "0 0 0 0 * *", "0 0 0 * 13 *", "a * * * * *", "0 5-1 * * * *", "%GONE%"]
)
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(BadApp):
        schedule(text, {})


def test_a_schedule_can_be_a_setting_and_one_that_never_fires_is_refused() -> None:
    assert schedule("%TIMES%", {"TIMES": "0 * * * * *"}) == schedule("0 * * * * *", {})
    with pytest.raises(BadApp, match="never"):
        schedule("0 0 0 30 2 *", {}).after(0)


class Fired:
    """Collect what fires; each run lasts until `finish` is set."""

    def __init__(self) -> None:
        self.documents: list[str] = []
        self.finish = threading.Event()
        self.finish.set()

    def __call__(self, _: Timer, document: str, __: str) -> Invocation:
        self.documents.append(document)
        self.finish.wait(10)
        return cast("Invocation", None)


@pytest.fixture
def clock() -> Iterator[Clock]:
    clock = Clock()
    yield clock
    clock.close()


def started(clock: Clock, fired: Fired, *, monitored: bool) -> Ticker:
    # Begin well away from a moment at which it fires by itself.
    clock.shift(300 - time.time() % 300)
    ticker = Ticker(clock, fired, real_time=True)
    times = schedule("0 2/5 * * * *", {})
    ticker.set("app", [Timer("app", "tick", times, monitored, times.after(time.time()))])
    return ticker


@pytest.mark.parametrize("monitored", [True, False])
def test_it_fires_once_when_its_moment_has_come(clock: Clock, *, monitored: bool) -> None:
    fired = Fired()
    ticker = started(clock, fired, monitored=monitored)
    assert not eventually(lambda: bool(fired.documents), 0.5)
    clock.shift(300 - time.time() % 300 - 180)
    assert eventually(lambda: len(fired.documents) == 1, 5)
    assert '"IsPastDue": false' in fired.documents[0]
    assert not eventually(lambda: len(fired.documents) > 1, 0.5)
    ticker.close()


def test_many_missed_moments_are_made_up_for_once_and_called_past_due(clock: Clock) -> None:
    fired = Fired()
    ticker = started(clock, fired, monitored=True)
    clock.shift(3_600)
    assert eventually(lambda: len(fired.documents) == 1, 5)
    assert '"IsPastDue": true' in fired.documents[0]
    assert not eventually(lambda: len(fired.documents) > 1, 0.5)
    ticker.close()


def test_a_missed_moment_of_an_unmonitored_timer_is_gone(clock: Clock) -> None:
    fired = Fired()
    ticker = started(clock, fired, monitored=False)
    clock.shift(3_600)
    assert not eventually(lambda: bool(fired.documents), 0.7)
    ticker.close()


def test_while_one_run_is_under_way_no_other_starts(clock: Clock) -> None:
    fired = Fired()
    fired.finish.clear()
    ticker = started(clock, fired, monitored=True)
    clock.shift(150)
    assert eventually(lambda: len(fired.documents) == 1, 5)
    clock.shift(300)
    assert not eventually(lambda: len(fired.documents) > 1, 0.5)
    fired.finish.set()
    assert eventually(lambda: len(fired.documents) == 2, 5)
    ticker.close()


def test_an_app_that_is_deployed_again_keeps_its_place_in_the_schedule(clock: Clock) -> None:
    ticker = Ticker(clock, Fired(), real_time=False)
    times = schedule("0 2/5 * * * *", {})
    ticker.set("app", [Timer("app", "tick", times, monitored=True, following=1.0, last=0.5)])
    ticker.set("app", [Timer("app", "tick", times, monitored=True, following=900.0)])
    (timer,) = ticker.of("app")
    assert (timer.following, timer.last) == (1.0, 0.5)
    ticker.set("app", [Timer("app", "tick", schedule("0 * * * * *", {}), monitored=True, following=900.0)])
    (timer,) = ticker.of("app")
    assert timer.following == 900.0
