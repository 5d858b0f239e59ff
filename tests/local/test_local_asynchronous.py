"""Asynchronous invocation: tries, delays, ages, and where what is given up goes."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from remediator.local.clock import Clock
from remediator.local.runtime.asynchronous import AsyncInvoker
from remediator.local.runtime.host import LambdaHost
from tests.local.hosting import Notebook, eventually, function

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediator.local.runtime.functions import Function

QUEUE = "arn:aws:sqs:eu-west-1:123456789012:dead"
FAILS = "def handler(event, context): raise RuntimeError('no')"
SUCCEEDS = "def handler(event, context): return 'done'"


@dataclass
class Sent:
    """Be the outbox: keep what is sent."""

    letters: list[tuple[str, Any, dict[str, str | int]]] = field(default_factory=list)

    def send(self, function: Function, target_arn: str, body: str, attributes: dict[str, str | int]) -> None:
        del function
        self.letters.append((target_arn, json.loads(body), attributes))


@dataclass
class Stage:
    """Hold a host, the functions on it, and what they left behind."""

    clock: Clock
    host: LambdaHost
    invoker: AsyncInvoker
    functions: dict[str, Function]
    sent: Sent

    def deploy(self, source: str, **settings: Any) -> str:
        deployed = function(source, **settings)
        self.functions[deployed.arn] = deployed
        return deployed.arn


@pytest.fixture
def stage() -> Iterator[Stage]:
    clock = Clock()
    host = LambdaHost(Notebook(), clock)
    functions: dict[str, Function] = {}
    sent = Sent()
    invoker = AsyncInvoker(host, clock, functions.get, sent)
    yield Stage(clock, host, invoker, functions, sent)
    invoker.close()
    host.close()
    clock.close()


def test_an_event_runs_at_once_and_its_delivery_is_found_by_its_id(stage: Stage) -> None:
    delivery = stage.invoker.submit(stage.deploy(SUCCEEDS), b"{}")
    assert delivery.wait(10)
    assert delivery.condition == "Success"
    assert delivery.invocations[0].identity == delivery.identity
    assert stage.invoker.delivery(delivery.identity) is delivery
    assert stage.sent.letters == []


def test_a_failed_event_is_tried_again_after_one_minute_and_after_two_more(stage: Stage) -> None:
    delivery = stage.invoker.submit(stage.deploy(FAILS, dead_letter_arn=QUEUE), b'{"n": 1}')
    assert eventually(lambda: len(delivery.invocations) == 1)
    stage.clock.shift(58)
    assert not eventually(lambda: len(delivery.invocations) > 1, 0.3)
    stage.clock.shift(2)
    assert eventually(lambda: len(delivery.invocations) == 2)
    stage.clock.shift(118)
    assert not eventually(lambda: len(delivery.invocations) > 2, 0.3)
    stage.clock.shift(2)
    assert delivery.wait(10)
    assert delivery.condition == "RetriesExhausted"
    assert len({invocation.identity for invocation in delivery.invocations}) == 1
    attributes = {"RequestID": delivery.identity, "ErrorCode": 200, "ErrorMessage": "no"}
    assert stage.sent.letters == [(QUEUE, {"n": 1}, attributes)]


def test_the_functions_own_setting_bounds_the_retries(stage: Stage) -> None:
    delivery = stage.invoker.submit(stage.deploy(FAILS, retries=0), b"{}")
    assert delivery.wait(10)
    assert (delivery.condition, len(delivery.invocations)) == ("RetriesExhausted", 1)


def test_an_event_that_grew_too_old_isnt_tried_again(stage: Stage) -> None:
    delivery = stage.invoker.submit(stage.deploy(FAILS, maximum_age=90, dead_letter_arn=QUEUE), b"{}")
    assert eventually(lambda: len(delivery.invocations) == 1)
    stage.clock.shift(100)
    assert delivery.wait(10)
    assert (delivery.condition, len(delivery.invocations)) == ("EventAgeExceeded", 1)
    assert len(stage.sent.letters) == 1


def test_a_destination_gets_a_record_of_the_failure(stage: Stage) -> None:
    arn = stage.deploy(FAILS, retries=0, on_failure_arn=QUEUE)
    delivery = stage.invoker.submit(arn, b'{"n": 1}')
    assert delivery.wait(10)
    ((target, record, attributes),) = stage.sent.letters
    assert (target, attributes) == (QUEUE, {})
    assert record["requestContext"] == {
        "requestId": delivery.identity,
        "functionArn": f"{arn}:$LATEST",
        "condition": "RetriesExhausted",
        "approximateInvokeCount": 1,
    }
    assert record["requestPayload"] == {"n": 1}
    assert record["responseContext"]["functionError"] == "Unhandled"
    assert record["responsePayload"]["errorType"] == "RuntimeError"


def test_a_destination_for_success_gets_the_result(stage: Stage) -> None:
    delivery = stage.invoker.submit(stage.deploy(SUCCEEDS, on_success_arn=QUEUE), b"{}")
    assert delivery.wait(10)
    ((_, record, _),) = stage.sent.letters
    assert record["responsePayload"] == "done"
    assert "functionError" not in record["responseContext"]


def test_a_throttled_event_waits_its_turn(stage: Stage) -> None:
    arn = stage.deploy("import time\ndef handler(event, context): time.sleep(event)", reserved=1)
    first = stage.invoker.submit(arn, b"0.3")
    assert eventually(lambda: first.tries == 1)
    second = stage.invoker.submit(arn, b"0")
    assert first.wait(10)
    assert second.wait(10)
    assert second.condition == "Success"


def test_the_configuration_of_the_moment_counts(stage: Stage) -> None:
    arn = stage.deploy(FAILS, name="healed")
    delivery = stage.invoker.submit(arn, b"{}")
    assert eventually(lambda: len(delivery.invocations) == 1)
    stage.deploy(SUCCEEDS, name="healed")
    stage.clock.shift(60)
    assert delivery.wait(10)
    assert delivery.condition == "Success"


def test_an_event_for_a_function_that_went_away_ends(stage: Stage) -> None:
    delivery = stage.invoker.submit("arn:aws:lambda:eu-west-1:123456789012:function:gone", b"{}")
    assert delivery.wait(10)
    assert delivery.condition == "FunctionGone"


def test_what_waits_is_dropped_when_the_account_closes(stage: Stage) -> None:
    delivery = stage.invoker.submit(stage.deploy(FAILS), b"{}")
    assert eventually(lambda: len(delivery.invocations) == 1)
    stage.invoker.close()
    stage.clock.shift(3600)
    assert not delivery.wait(0.2)
    assert time.time() > delivery.accepted
