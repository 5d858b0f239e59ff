"""Schedules: who may fire what, at least once, late, in real time; and what becomes of what can't be delivered."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from remediator.local.faults import Match
from remediator.local.scheduler import NoSchedule
from tests.local.schedules import scheduled
from tests.local.stacks import Deployed, deploy, resource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediator.local.account import EmbeddedAccount


def dead_letters(stack: Deployed) -> list[dict[str, Any]]:
    received = stack.client("sqs").receive_message(
        QueueUrl=stack.physical_id("Dead"), MessageAttributeNames=["All"], MaxNumberOfMessages=10
    )
    found: list[dict[str, Any]] = received.get("Messages", [])
    return found


@pytest.fixture
def account(embedded: EmbeddedAccount) -> Iterator[EmbeddedAccount]:
    yield embedded
    embedded.faults.clear()


def test_a_schedule_fired_on_demand_runs_its_function_with_its_input(account: EmbeddedAccount) -> None:
    stack = deploy(account, scheduled())
    firing = account.scheduler.fire(stack.physical_id("Schedule"))
    (delivery,) = firing.deliveries
    assert delivery.wait(10)
    event = json.loads(delivery.invocations[0].outcome.payload)
    assert event["attempt"] == "1"
    assert event["at"].startswith(time.strftime("%Y-%m-%dT", time.gmtime()))


def test_late_and_double_firings_can_be_asked_for(account: EmbeddedAccount) -> None:
    stack = deploy(account, scheduled())
    firing = account.scheduler.fire(stack.physical_id("Schedule"), scheduled_for=1_000_000_020.0, copies=2)
    assert all(delivery.wait(10) for delivery in firing.deliveries)
    events = [json.loads(delivery.invocations[0].outcome.payload) for delivery in firing.deliveries]
    assert events == [{"at": "2001-09-09T01:47:00Z", "attempt": "1"}] * 2


def test_the_schedules_role_is_asked(account: EmbeddedAccount) -> None:
    stack = deploy(account, scheduled(rights=("sqs:SendMessage",)))
    firing = account.scheduler.fire(stack.physical_id("Schedule"))
    assert firing.deliveries == []
    assert "not authorized to perform: lambda:InvokeFunction" in firing.refusals[0]
    (letter,) = dead_letters(stack)
    attributes = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert attributes["ERROR_CODE"] == "AccessDeniedException"
    assert attributes["SCHEDULE_ARN"].endswith(f":schedule/default/{stack.physical_id('Schedule')}")
    assert json.loads(letter["Body"])["attempt"] == "1"


def test_a_role_that_trusts_another_group_cannot_be_assumed(account: EmbeddedAccount) -> None:
    other = "arn:aws:scheduler:*:*:schedule-group/other"
    stack = deploy(account, scheduled(trusted_group=other))
    firing = account.scheduler.fire(stack.physical_id("Schedule"))
    assert "sts:AssumeRole" in firing.refusals[0]
    assert dead_letters(stack) == []  # it is sent with the same role


def test_a_throttled_delivery_is_tried_again_as_often_as_the_schedule_says(account: EmbeddedAccount) -> None:
    stack = deploy(account, scheduled())
    role = stack.physical_id("Firing")
    account.faults.error(Match(role=role, action="lambda:InvokeFunction"), "TooManyRequestsException", 429)
    firing = account.scheduler.fire(stack.physical_id("Schedule"))
    assert len(firing.refusals) == 1
    assert firing.deliveries[0].wait(10)
    assert json.loads(firing.deliveries[0].invocations[0].outcome.payload)["attempt"] == "2"


def test_a_delivery_that_stays_throttled_is_given_up(account: EmbeddedAccount) -> None:
    stack = deploy(account, scheduled())
    role = stack.physical_id("Firing")
    account.faults.error(Match(role=role, action="lambda:InvokeFunction", times=None), "TooManyRequestsException", 429)
    firing = account.scheduler.fire(stack.physical_id("Schedule"))
    assert (len(firing.refusals), firing.deliveries) == (2, [])
    assert len(dead_letters(stack)) == 1


def test_a_lost_answer_fires_twice(account: EmbeddedAccount) -> None:
    stack = deploy(account, scheduled())
    mark = account.calls.mark()
    account.faults.lose_reply(Match(role=stack.physical_id("Firing"), action="lambda:InvokeFunction"))
    firing = account.scheduler.fire(stack.physical_id("Schedule"))
    assert firing.deliveries[0].wait(10)
    assert sum(call.operation == "Invoke" for call in account.calls.since(mark)) == 2


def test_a_function_that_fails_leaves_its_dead_letter_by_its_own_role(account: EmbeddedAccount) -> None:
    resources = scheduled("def handler(event, context): raise RuntimeError('no')")
    dead = {"Fn::GetAtt": ["Dead", "Arn"]}
    resources["Retries"] = resource(
        "AWS::Lambda::EventInvokeConfig",
        FunctionName={"Ref": "Function"},
        Qualifier="$LATEST",
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": dead}},
    )
    resources["Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0]["Action"] += ["sqs:SendMessage"]
    stack = deploy(account, resources)
    firing = account.scheduler.fire(stack.physical_id("Schedule"))
    assert firing.deliveries[0].wait(10)
    (letter,) = dead_letters(stack)
    assert json.loads(letter["Body"])["requestContext"]["condition"] == "RetriesExhausted"


def test_a_function_without_the_right_to_its_queue_leaves_nothing(account: EmbeddedAccount) -> None:
    source = "def handler(event, context): raise RuntimeError('no')"
    resources = scheduled(source)
    resources["Function"]["Properties"]["DeadLetterConfig"] = {"TargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}}
    resources["Retries"] = resource(
        "AWS::Lambda::EventInvokeConfig", FunctionName={"Ref": "Function"}, Qualifier="$LATEST", MaximumRetryAttempts=0
    )
    stack = deploy(account, resources)
    firing = account.scheduler.fire(stack.physical_id("Schedule"))
    assert firing.deliveries[0].wait(10)
    assert dead_letters(stack) == []


def test_a_disabled_schedule_does_not_fire(account: EmbeddedAccount) -> None:
    stack = deploy(account, scheduled(State="DISABLED"))
    with pytest.raises(NoSchedule):
        account.scheduler.fire(stack.physical_id("Schedule"))


def test_there_is_no_firing_what_isnt_there(account: EmbeddedAccount) -> None:
    with pytest.raises(NoSchedule):
        account.scheduler.fire("imagined")
