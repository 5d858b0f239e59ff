from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from remediator.catalogue.engine import Change, Job, Outcome
from tests.catalogue.toys import BUCKET, Brightness, Lamp, TurnUp

if TYPE_CHECKING:
    from collections.abc import Iterator


def job(lamp: Lamp) -> Job:
    return Job(TurnUp(), lamp, BUCKET, Brightness())


def pauses(number: int, taken: list[None]) -> Iterator[None]:
    for _ in range(number):
        taken.append(None)
        yield


def test_a_plan_says_what_is_and_what_is_to_be() -> None:
    assert job(Lamp(2)).plan() == Change(2, 5)


@pytest.mark.parametrize(("brightness", "needed"), [(2, True), (5, False), (9, False)])
def test_a_change_is_needed_where_something_is_wrong(brightness: int, needed: bool) -> None:  # noqa: FBT001 - a table
    assert job(Lamp(brightness)).plan().needed is needed


def test_the_reverse_of_a_change_undoes_it() -> None:
    assert Change(2, 5).reversed() == Change(5, 2)


def test_what_shows_at_once_takes_no_pause() -> None:
    taken: list[None] = []
    assert job(Lamp(2)).apply(Change(2, 5), pauses=pauses(3, taken)) is Outcome.FIXED
    assert not taken


def test_what_shows_late_takes_as_many_pauses_as_it_needs() -> None:
    taken: list[None] = []
    lamp = Lamp(2, late=2)
    assert job(lamp).apply(Change(2, 5), pauses=pauses(9, taken)) is Outcome.FIXED
    assert len(taken) == 2
    assert lamp.looks == 3


def test_what_changed_nothing_is_not_a_success() -> None:
    lamp = Lamp(2, stuck=True)
    assert job(lamp).apply(Change(2, 5), pauses=pauses(2, [])) is Outcome.UNVERIFIED
    assert lamp.looks == 3


def test_a_change_that_stands_is_not_written_again() -> None:
    lamp = Lamp(5)
    assert job(lamp).resume(Change(2, 5), pauses=()) is Outcome.FIXED
    assert lamp.written == []


def test_a_change_that_never_came_is_written() -> None:
    lamp = Lamp(2)
    assert job(lamp).resume(Change(2, 5), pauses=()) is Outcome.FIXED
    assert lamp.written == [(2, 5)]


def test_a_half_written_change_is_finished_from_where_it_is() -> None:
    lamp = Lamp(3)
    assert job(lamp).resume(Change(2, 5), pauses=()) is Outcome.FIXED
    assert lamp.written == [(3, 5)]


def test_what_was_intended_is_written_though_the_fix_would_judge_otherwise_by_now() -> None:
    lamp = Lamp(2)
    assert job(lamp).resume(Change(2, 7), pauses=()) is Outcome.FIXED
    assert lamp.written == [(2, 7)]


def test_somebody_elses_change_is_not_trampled_on_the_way() -> None:
    lamp = Lamp(9)
    assert job(lamp).resume(Change(2, 5), pauses=()) is Outcome.DRIFTED
    assert lamp.written == []


def test_a_rollback_writes_back_what_was_there() -> None:
    lamp = Lamp(5)
    assert job(lamp).roll_back(Change(2, 5), pauses=()) is Outcome.ROLLED_BACK
    assert lamp.written == [(5, 2)]
    assert lamp.brightness == 2


def test_a_rollback_that_changed_nothing_is_not_a_success() -> None:
    assert job(Lamp(5, stuck=True)).roll_back(Change(2, 5), pauses=pauses(1, [])) is Outcome.UNVERIFIED


def test_a_second_rollback_writes_nothing() -> None:
    lamp = Lamp(2)
    assert job(lamp).roll_back(Change(2, 5), pauses=()) is Outcome.ALREADY_ROLLED_BACK
    assert lamp.written == []


def test_a_rollback_of_what_somebody_changed_since_writes_nothing() -> None:
    lamp = Lamp(7)
    assert job(lamp).roll_back(Change(2, 5), pauses=()) is Outcome.DRIFTED
    assert lamp.written == []
