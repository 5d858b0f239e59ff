"""Freeze a deployment on the embedded account: under load, with IAM that spreads late, and over a deployment."""

from __future__ import annotations

import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from remediator.core.gate import gate_value
from remediator.core.windows import window_at
from remediator.local.emulator.sessions import service_session
from remediator.local.runtime.functions import Acting, Credentials
from remediator.operator.aws.freeze import POLICY
from remediator.service.control import Order
from remediator.service.freeze import Part
from remediator.vendor import Finding
from remediator.vendor.errors import Frozen, NotServed
from tests.local.hosting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediator.service.freeze import Step
    from remediator.vendor.answers import Answer
    from tests.end_to_end.world import World

pytestmark = pytest.mark.xdist_group("embedded account")

CLOSED = ["2000-01-01T00:00:00Z"]
BLOCK = "s3:PutBucketPublicAccessBlock"
PROPAGATION = 0.3


def frozen(world: World) -> list[Step]:
    operator = world.operator()
    order = Order(uuid.uuid4().hex, operator.who(), int(time.time()), "a leaked key")
    return operator.freezer(lambda _: None).freeze(order)


def unfrozen(world: World) -> list[Step]:
    operator = world.operator()
    order = Order(uuid.uuid4().hex, operator.who(), int(time.time()), "it was a drill")
    return operator.freezer(lambda _: None).unfreeze(order)


def gate(world: World) -> list[str]:
    """Return when each statement of the trust policy begins."""
    role = world.admin("iam").get_role(RoleName="remediator-write")["Role"]
    return [
        one["Condition"]["DateGreaterThanEquals"]["aws:CurrentTime"]
        for one in role["AssumeRolePolicyDocument"]["Statement"]
    ]


def deny(world: World) -> dict[str, Any]:
    found = world.admin("iam").get_role_policy(RoleName="remediator-write", PolicyName=POLICY)
    (statement,) = found["PolicyDocument"]["Statement"]
    return dict(statement)


def taken_over(world: World) -> Credentials:
    """Return a session of the write role, as a remediator gets it that is in other hands, with no session policy."""
    outputs = world.account.outputs
    window = window_at(time.time())
    own = service_session(Acting(outputs["RemediatorRoleArn"], "lambda.amazonaws.com"), "taken-over")
    sts: Any = world.account.client("sts", own)
    given = sts.assume_role(
        RoleArn=outputs["WriteRoleArn"],
        RoleSessionName="taken-over",
        ExternalId=gate_value(outputs["Deployment"], window, world.keys().opening).text(),
    )["Credentials"]
    return Credentials(
        given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], given["Expiration"].timestamp()
    )


@pytest.fixture
def thawed(world: World) -> Iterator[World]:
    """The world, open before and after."""
    unfrozen(world)
    world.account.clock.shift(1)
    world.rotate_next()
    world.break_again()
    yield world
    world.account.faults.clear()
    unfrozen(world)
    world.account.clock.shift(1)


def test_a_freeze_refuses_denies_and_closes_and_no_tick_opens_it(thawed: World) -> None:
    assert [step.done for step in frozen(thawed)] == [True, True, True]
    with pytest.raises(Frozen):
        thawed.vendor().apply(thawed.findings())
    assert (deny(thawed)["Effect"], deny(thawed)["Action"], "Condition" in deny(thawed)) == ("Deny", "*", False)
    for _ in range(2):
        assert gate(thawed) == CLOSED
        thawed.rotate_next()
    assert gate(thawed) == CLOSED


def test_the_way_back_opens_the_staged_windows(thawed: World) -> None:
    before = gate(thawed)
    frozen(thawed)
    assert [step.done for step in unfrozen(thawed)] == [True, True, True]
    assert gate(thawed) == before
    thawed.account.clock.shift(1)
    answer = thawed.vendor().apply(thawed.findings())
    assert {result.outcome for result in answer.results} == {"fixed"}


def test_a_session_from_before_the_freeze_is_dead_during_it_and_stays_so(thawed: World) -> None:
    target = next(one.target["arn"] for one in thawed.findings() if one.target["arn"].startswith("arn:aws:s3"))
    look = {"Bucket": target.rpartition(":")[2]}
    stolen: Any = thawed.account.client("s3", taken_over(thawed))
    stolen.get_bucket_policy(**look)
    frozen(thawed)
    with pytest.raises(ClientError, match="AccessDenied"):
        stolen.get_bucket_policy(**look)
    with pytest.raises(ClientError, match="AccessDenied"):
        taken_over(thawed)
    thawed.account.clock.shift(5)
    unfrozen(thawed)
    with pytest.raises(ClientError, match="AccessDenied"):
        stolen.get_bucket_policy(**look)
    thawed.account.clock.shift(1)
    fresh: Any = thawed.account.client("s3", taken_over(thawed))
    fresh.get_bucket_policy(**look)


@pytest.mark.deep
def test_deploying_while_frozen_thaws_nothing(thawed: World) -> None:
    frozen(thawed)
    try:
        thawed.account.deploy(fixes="aws.s3.block-public-access")
        assert gate(thawed) == CLOSED
        assert "Condition" not in deny(thawed)
        with pytest.raises(Frozen):
            thawed.vendor().apply(thawed.findings())
        thawed.rotate_next()
        assert gate(thawed) == CLOSED
    finally:
        thawed.account.deploy()
    assert gate(thawed) == CLOSED
    assert "Condition" not in deny(thawed)


# --- under load -------------------------------------------------------------------------------------------------------


@dataclass
class Load:
    """Callers that apply until they are turned away; each request has a key and findings of its own."""

    world: World
    buckets: list[str]
    size: int = 150
    asked: dict[str, list[Finding]] = field(default_factory=dict)
    answered: dict[str, Answer] = field(default_factory=dict)
    refused: dict[str, NotServed] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def requests(self) -> Iterator[tuple[str, list[Finding]]]:
        for start in range(0, len(self.buckets), self.size):
            names = self.buckets[start : start + self.size]
            yield str(uuid.uuid4()), [self._finding(name) for name in names]

    def send(self, request: tuple[str, list[Finding]]) -> None:
        key, findings = request
        with self._lock:
            self.asked[key] = findings
        try:
            answer = self.world.vendor().apply(findings, key=key)
        except NotServed as refused:
            with self._lock:
                self.refused[key] = refused
        else:
            with self._lock:
                self.answered[key] = answer

    def _finding(self, name: str) -> Finding:
        target = {"arn": f"arn:aws:s3:::{name}", "region": self.world.account.region}
        return Finding(fix="aws.s3.block-public-access", target=target)


def make_buckets(world: World, number: int) -> list[str]:
    s3, region = world.admin("s3"), world.account.region
    names = [f"load-{uuid.uuid4().hex[:12]}-{one}" for one in range(number)]
    for name in names:
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})
    return names


def writes(world: World, mark: int) -> list[float]:
    """Return when writes of the write role's sessions were let through."""
    calls = world.account.calls.by("remediator-write", since=mark)
    return [call.at for call in calls if call.allowed and call.action == BLOCK]


def stopped(world: World, mark: int) -> list[str]:
    """Return which calls the freeze's own Deny stopped."""
    calls = world.account.calls.by("remediator-write", since=mark)
    return [call.action for call in calls if not call.allowed and POLICY in call.reason]


def test_under_load_nothing_is_written_once_iam_has_spread_the_freeze_and_all_of_it_goes_on_later(
    thawed: World,
) -> None:
    """Each request has some ten rounds of calls to go when the freeze comes; the freeze needs two until its Deny."""
    load = Load(thawed, make_buckets(thawed, 450))
    ended: dict[Part, float] = {}
    freezer = thawed.operator().freezer(lambda step: ended.update({step.part: time.time()}))
    mark = thawed.account.calls.mark()
    thawed.account.faults.propagation(PROPAGATION)
    thawed.account.faults.latency(400)
    with ThreadPoolExecutor(2) as callers:
        sent = [callers.submit(load.send, request) for request in load.requests()]
        assert eventually(lambda: len(writes(thawed, mark)) >= 20, 60)
        order = Order(uuid.uuid4().hex, "the operator", int(time.time()), "a leaked key")
        assert [step.done for step in freezer.freeze(order)] == [True, True, True]
        for one in sent:
            one.result(120)
    thawed.account.faults.clear()
    landed = writes(thawed, mark)
    assert 20 <= len(landed) < 450, "the freeze came in the middle"
    assert [at for at in landed if at > ended[Part.SESSIONS] + PROPAGATION] == []
    assert stopped(thawed, mark), "sessions were out when the Deny came"
    refusals = {type(one) for one in load.refused.values()}
    assert refusals == {Frozen}
    outcomes = [result.outcome for answer in load.answered.values() for result in answer.results]
    assert set(outcomes) <= {"fixed", "not_started"}
    assert "not_started" in outcomes, "some requests were cut off"

    thawed.account.clock.shift(5)
    unfrozen(thawed)
    thawed.account.clock.shift(5)
    for key, findings in load.asked.items():
        answer = thawed.vendor().apply(findings, key=key)
        assert {result.outcome for result in answer.results} == {"fixed"}, key
    assert len(writes(thawed, mark)) == 450, "each bucket was written once"
