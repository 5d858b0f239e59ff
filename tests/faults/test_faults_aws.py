"""The table of faults on AWS: deployed roles, IAM enforced, the handlers' own SDK clients."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from remediator.core.windows import PERIOD
from tests.faults import extras, remediation, rotation, seen
from tests.faults.calls import CALLS, daily, table
from tests.faults.kinds import Fault, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.aws_requests import AwsSide
    from tests.faults.kinds import Case

pytestmark = pytest.mark.xdist_group("faults aws")

DAILY = daily("aws")


def rows(scenes: object) -> list[object]:
    chosen = [case for case in table("aws") if case.scene in scenes]  # type: ignore[operator]
    return [pytest.param(one, marks=[] if one in DAILY else [pytest.mark.deep], id=one.id) for one in chosen]


def some(first: object, *others: object) -> list[object]:
    """Return the first for every day, and the others for when there is time."""
    return [first, *(pytest.param(one, marks=pytest.mark.deep) for one in others)]


@pytest.mark.parametrize("scene", rotation.SCENES)
def test_a_rotation_s_calls_are_those_of_the_table(aws: AwsSide, scene: str) -> None:
    assert rotation.calls(aws, scene) == list(CALLS["aws"][scene])


@pytest.mark.parametrize("scene", remediation.SCENES)
def test_a_request_s_calls_are_those_of_the_table(aws: AwsSide, scene: str) -> None:
    assert Counter(remediation.calls(aws, scene)) == Counter(CALLS["aws"][scene])


@pytest.mark.parametrize("case", rows(rotation.SCENES))
def test_a_rotation_that_goes_wrong_is_repaired_by_the_next(aws: AwsSide, case: Case) -> None:
    seen.note(case, rotation.play(aws, case.scene, case.fault))


@pytest.mark.parametrize("case", rows(remediation.SCENES))
def test_a_request_that_goes_wrong_ends_in_one_outcome(aws: AwsSide, case: Case) -> None:
    seen.note(case, remediation.play(aws, case.scene, case.fault))


@pytest.mark.parametrize("service", some("dynamodb", "secretsmanager", "iam"))
def test_a_store_that_is_away_for_two_ticks_costs_the_rotator_nothing(aws: AwsSide, service: str) -> None:
    extras.rotate_without(aws, service)


@pytest.mark.parametrize("service", some("dynamodb", "sts", "s3", "ec2"))
def test_a_service_that_is_away_during_a_request_leaves_a_way_on(aws: AwsSide, service: str) -> None:
    extras.remediate_without(aws, service)


def test_a_tick_that_comes_several_times_at_once_rotates_once(aws: AwsSide) -> None:
    extras.run_at_once(aws)


def test_a_tick_that_comes_twice_changes_nothing_the_second_time(aws: AwsSide) -> None:
    extras.run_twice(aws)


@pytest.mark.parametrize("seconds", some(*reversed(extras.LATE)))
def test_a_run_that_comes_late_serves_the_windows_that_live_then(aws: AwsSide, seconds: float) -> None:
    extras.run_late(aws, seconds)


def test_an_attempt_that_was_taken_over_stores_nothing_any_more(aws: AwsSide) -> None:
    extras.overtake(aws)


@pytest.mark.parametrize("call", some("secretsmanager:PutSecretValue", "dynamodb:TransactWriteItems"))
def test_a_run_whose_lease_is_over_changes_nothing(aws: AwsSide, call: str) -> None:
    extras.overtake_run(aws, (call, 1))


def test_a_freeze_between_a_look_and_the_lease_keeps_the_gate_closed(aws: AwsSide) -> None:
    extras.freeze_between(aws)


def test_one_key_sent_several_times_at_once_writes_once(aws: AwsSide) -> None:
    extras.send_at_once(aws)


@pytest.mark.parametrize("call", some("ec2:AuthorizeSecurityGroupIngress", "s3:PutPublicAccessBlock"))
def test_a_request_killed_in_the_middle_goes_on_six_hours_later(aws: AwsSide, call: str) -> None:
    extras.resume_late(aws, Fault(call, 1, Kind.KILLED_AFTER))


@pytest.mark.parametrize("seconds", some(*extras.SKEWS))
def test_a_caller_s_clock_may_be_wrong_by_a_minute(aws: AwsSide, seconds: int) -> None:
    extras.send_skewed(aws, seconds)


@pytest.fixture
def slow_iam(aws: AwsSide) -> Iterator[AwsSide]:
    """IAM's evaluation is a minute behind what is written."""
    aws.settle()
    aws.account.faults.propagation(60)
    yield aws
    aws.account.faults.clear()


def test_iam_that_is_a_minute_late_costs_no_request_anything(slow_iam: AwsSide) -> None:
    """Each window's statement is written two windows before it is needed."""
    for _ in range(4):
        slow_iam.pass_time(PERIOD)
        slow_iam.rotate()
        asked = remediation.begin_apply(slow_iam)
        answer = asked.send()
        assert answer is not None
        assert answer.outcomes == ["fixed", "fixed"]


def test_a_first_run_opens_when_iam_has_spread_and_until_then_it_is_our_fault(slow_iam: AwsSide) -> None:
    rotation.begin_first(slow_iam)
    slow_iam.pass_time(60)
    slow_iam.rotate()
    asked = remediation.begin_apply(slow_iam)
    slow_iam.metrics()
    early = asked.send()
    assert early is not None
    assert (early.status, early.problem) == (503, "gate_unavailable")
    assert slow_iam.metrics()["GateUnavailable"] == 2
    slow_iam.pass_time(61)
    later = asked.send()
    assert later is not None
    assert later.outcomes == ["fixed", "fixed"]
