from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediator.core.errors import Expired
from remediator.core.windows import AHEAD, GRACE, LAST, PERIOD, Window, open_at, staged_at, window_at

W = Window(5_984_850)
START = 5_984_850 * 300
MOMENTS = st.one_of(st.integers(0, 2**40), st.floats(0, 2**40))


def test_the_lengths_are_those_of_the_protocol() -> None:
    assert (PERIOD, GRACE, AHEAD) == (300, 60, 3)


@pytest.mark.parametrize(
    ("now", "number"),
    [(0, 0), (299, 0), (299.999, 0), (300, 1), (START - 1, W.number - 1), (START, W.number), (START + 299, W.number)],
)
def test_a_window_begins_with_its_first_second(now: float, number: int) -> None:
    assert window_at(now) == Window(number)


def test_a_window_knows_when_it_lives() -> None:
    assert (W.not_before, W.not_after, W.closes) == (START, START + 300, START + 360)


@pytest.mark.parametrize(
    ("offset", "honoured"),
    [
        (-1, False),
        (-0.001, False),
        (0, True),
        (299, True),
        (300, True),
        (359, True),
        (359.999, True),
        (360, False),
        (361, False),
    ],
)
def test_a_window_is_honoured_from_its_first_second_to_the_end_of_its_grace(offset: float, *, honoured: bool) -> None:
    assert W.honoured_at(START + offset) is honoured


@pytest.mark.parametrize("offset", [-310, -1, 360, 610])
def test_a_window_that_is_not_live_is_refused(offset: int) -> None:
    with pytest.raises(Expired, match="the window isn't live"):
        W.require_honoured(START + offset)


@pytest.mark.parametrize("offset", [0, 359])
def test_a_window_that_is_live_is_let_through(offset: int) -> None:
    W.require_honoured(START + offset)


@pytest.mark.parametrize("now", [math.nan, math.inf, -math.inf])
def test_no_window_lives_at_a_time_that_is_no_number(now: float) -> None:
    assert not W.honoured_at(now)


@pytest.mark.parametrize("number", [-1, LAST + 1, 2**64])
def test_a_number_that_no_keyid_can_have_is_no_window(number: int) -> None:
    with pytest.raises(ValueError, match="twelve digits"):
        Window(number)


def test_before_1970_there_is_no_window() -> None:
    with pytest.raises(ValueError, match="1970"):
        window_at(-1)


def test_the_last_window_has_twelve_digits() -> None:
    assert str(Window(LAST)) == "9" * 12


def test_windows_are_counted_and_ordered() -> None:
    assert Window(5_984_851) == W + 1
    assert W + -1 < W < W + 1
    assert str(W) == "5984850"
    assert {W, Window(5_984_850)} == {W}


@given(MOMENTS)
def test_at_every_moment_one_window_lives_and_at_most_one_more_is_graced(now: float) -> None:
    current = window_at(now)
    assert current.not_before <= now < current.not_after
    near = [Window(number) for number in range(max(0, current.number - 3), current.number + 4)]
    honoured = [window for window in near if window.honoured_at(now)]
    graced = now - current.not_before < 60 and current.number > 0
    assert honoured == ([current + -1, current] if graced else [current])


@given(MOMENTS)
def test_the_current_window_and_three_ahead_are_staged(now: float) -> None:
    current = window_at(now).number
    assert [window.number for window in staged_at(now)] == [current, current + 1, current + 2, current + 3]


@given(MOMENTS)
def test_the_gate_knows_what_is_staged_and_what_is_graced_and_nothing_else(now: float) -> None:
    opened = open_at(now)
    assert opened[-4:] == staged_at(now)
    assert all(now < window.closes for window in opened)
    first = window_at(now).number
    graced = now % 300 < 60 and first > 0
    assert [window.number for window in opened[:-4]] == ([first - 1] if graced else [])


@pytest.mark.parametrize(("offset", "windows"), [(0, 5), (59.9, 5), (60, 4), (299, 4)])
def test_the_last_window_leaves_the_gate_with_its_grace(offset: float, windows: int) -> None:
    assert len(open_at(START + offset)) == windows


def test_the_first_window_of_all_has_none_before_it() -> None:
    assert open_at(0) == staged_at(0)
    assert open_at(299) == staged_at(299)
    assert open_at(300) == (Window(0), *staged_at(300))


@given(st.integers(1000, 2**40), st.integers(-310, 310))
def test_a_rotator_whose_clock_is_off_has_staged_the_live_window_in_its_last_run(now: int, skew: int) -> None:
    last_run = now - 300
    assert window_at(now) <= staged_at(last_run + skew)[-1]


@given(st.integers(1200, 2**40))
def test_two_lost_runs_cost_nothing(now: int) -> None:
    last_run = now - 900
    assert window_at(now) in staged_at(last_run)
    assert window_at(now) not in staged_at(last_run - 300)
