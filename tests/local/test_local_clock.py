from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from remediator.local.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator

HOUR = 3600.0
TOLERANCE = 5.0


@pytest.fixture
def clock() -> Iterator[Clock]:
    clock = Clock()
    yield clock
    clock.close()


def test_a_shift_moves_everything_that_tells_the_time(clock: Clock) -> None:
    before, steady = time.time(), time.monotonic()
    clock.shift(HOUR)
    assert time.time() - before == pytest.approx(HOUR, abs=TOLERANCE)
    assert datetime.now(UTC).timestamp() - before == pytest.approx(HOUR, abs=TOLERANCE)
    assert time.monotonic() - steady < TOLERANCE


def test_shifts_add_up_and_go_back(clock: Clock) -> None:
    before = time.time()
    clock.shift(HOUR)
    clock.shift(HOUR)
    clock.shift(-3 * HOUR)
    assert clock.offset == -HOUR
    assert clock.now() - before == pytest.approx(-HOUR, abs=TOLERANCE)


def test_a_shifted_clock_ticks_on(clock: Clock) -> None:
    clock.shift(HOUR)
    first = clock.now()
    threading.Event().wait(0.02)
    assert 0.01 < clock.now() - first < TOLERANCE


def test_closing_returns_to_real_time(clock: Clock) -> None:
    before = time.time()
    clock.shift(HOUR)
    clock.close()
    assert time.time() - before < TOLERANCE
    assert clock.offset == 0


def test_who_waits_for_a_moment_wakes_when_the_clock_is_moved_there(clock: Clock) -> None:
    reached: list[bool] = []
    waiter = threading.Thread(target=lambda: reached.append(clock.wait_until(time.time() + HOUR)))
    waiter.start()
    clock.shift(HOUR / 2)
    assert not reached
    clock.shift(HOUR / 2 + 1)
    waiter.join(TOLERANCE)
    assert reached == [True]


def test_who_waits_is_let_go_when_the_clock_closes(clock: Clock) -> None:
    reached: list[bool] = []
    waiter = threading.Thread(target=lambda: reached.append(clock.wait_until(time.time() + HOUR)))
    waiter.start()
    clock.close()
    waiter.join(TOLERANCE)
    assert reached == [False]


def test_listeners_hear_the_new_offset(clock: Clock) -> None:
    heard: list[float] = []
    clock.on_shift(heard.append)
    clock.shift(5)
    clock.shift(-2)
    assert heard == [5, 3]
