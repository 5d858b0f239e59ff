"""The table of faults on Azure: installed roles, Azurite and the embedded services, the functions' own SDK clients."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.faults import extras, remediation, rotation, seen
from tests.faults.azure_stage import AzureStage
from tests.faults.calls import CALLS, daily, table
from tests.faults.kinds import Fault, Kind

if TYPE_CHECKING:
    from tests.faults.kinds import Case

pytestmark = pytest.mark.xdist_group("faults azure")

DAILY = daily("azure")


def rows(scenes: object) -> list[object]:
    chosen = [case for case in table("azure") if case.scene in scenes]  # type: ignore[operator]
    return [pytest.param(one, marks=[] if one in DAILY else [pytest.mark.deep], id=one.id) for one in chosen]


def some(first: object, *others: object) -> list[object]:
    """Return the first for every day, and the others for when there is time."""
    return [first, *(pytest.param(one, marks=pytest.mark.deep) for one in others)]


@pytest.mark.parametrize("scene", rotation.SCENES)
def test_a_rotation_s_calls_are_those_of_the_table(azure: AzureStage, scene: str) -> None:
    assert rotation.calls(azure, scene) == list(CALLS["azure"][scene])


@pytest.mark.parametrize("scene", remediation.SCENES)
def test_a_request_s_calls_are_those_of_the_table(azure: AzureStage, scene: str) -> None:
    assert Counter(remediation.calls(azure, scene)) == Counter(CALLS["azure"][scene])


@pytest.mark.parametrize("case", rows(rotation.SCENES))
def test_a_rotation_that_goes_wrong_is_repaired_by_the_next(azure: AzureStage, case: Case) -> None:
    seen.note(case, rotation.play(azure, case.scene, case.fault))


@pytest.mark.parametrize("case", rows(remediation.SCENES))
def test_a_request_that_goes_wrong_ends_in_one_outcome(azure: AzureStage, case: Case) -> None:
    seen.note(case, remediation.play(azure, case.scene, case.fault))


@pytest.mark.parametrize("service", some("tables", "vault"))
def test_a_store_that_is_away_for_two_ticks_costs_the_rotator_nothing(azure: AzureStage, service: str) -> None:
    extras.rotate_without(azure, service)


@pytest.mark.parametrize("service", some("tables", "entra", "arm"))
def test_a_service_that_is_away_during_a_request_leaves_a_way_on(azure: AzureStage, service: str) -> None:
    extras.remediate_without(azure, service)


def test_a_tick_that_comes_several_times_at_once_rotates_once(azure: AzureStage) -> None:
    extras.run_at_once(azure)


def test_a_tick_that_comes_twice_changes_nothing_the_second_time(azure: AzureStage) -> None:
    extras.run_twice(azure)


@pytest.mark.parametrize("seconds", some(*reversed(extras.LATE)))
def test_a_run_that_comes_late_serves_the_windows_that_live_then(azure: AzureStage, seconds: float) -> None:
    extras.run_late(azure, seconds)


def test_an_attempt_that_was_taken_over_stores_nothing_any_more(azure: AzureStage) -> None:
    extras.overtake(azure)


def test_a_run_whose_lease_is_over_changes_nothing(azure: AzureStage) -> None:
    """Before it stages: where it stalls before it writes the seed, decision 0010 says what holds."""
    extras.overtake_run(azure, ("tables POST $batch", 1))


def test_a_freeze_between_a_look_and_the_lease_keeps_the_gate_closed(azure: AzureStage) -> None:
    extras.freeze_between(azure)


def test_one_key_sent_several_times_at_once_writes_once(azure: AzureStage) -> None:
    extras.send_at_once(azure)


@pytest.mark.parametrize("call", some(*AzureStage.writes))
def test_a_request_killed_in_the_middle_goes_on_six_hours_later(azure: AzureStage, call: str) -> None:
    extras.resume_late(azure, Fault(call, 1, Kind.KILLED_AFTER))


@pytest.mark.parametrize("seconds", some(*extras.SKEWS))
def test_a_caller_s_clock_may_be_wrong_by_a_minute(azure: AzureStage, seconds: int) -> None:
    extras.send_skewed(azure, seconds)
