"""Try what isn't one call that goes wrong: what comes twice, late, at once, by a wrong clock, or finds a store away."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from remediator.core.windows import PERIOD
from tests.faults import remediation
from tests.faults.kinds import Fault, Kind
from tests.faults.rotation import RETRY
from tests.faults.stage import End

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.faults.stage import Answer, Stage

HOUR: Final = 3_600
LATE: Final = (59, PERIOD - 1, PERIOD, 2 * PERIOD + 1, HOUR, 6 * HOUR)
"""How late a run comes, in seconds: the scheduler tries for six hours."""

SKEWS: Final = {-310: False, -61: False, -59: True, 0: True, 59: True, 61: False, 310: False}
"""By how many seconds a caller's clock is wrong, and whether its request is taken."""

AT_ONCE: Final = 4

TAKEOVER: Final = 200
"""When a record is free on both clouds, in seconds; what is on the wire to AWS is signed for 300."""


def run_at_once(stage: Stage) -> list[End]:
    """Deliver one tick several times, all at the same time."""
    stage.settle()
    stage.pass_time(PERIOD)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        ends = list(threads.map(lambda _: stage.run(), range(AT_ONCE)))
    assert End.DONE in ends
    _require_whole(stage)
    return ends


def run_twice(stage: Stage) -> None:
    """Deliver one tick twice, the second time when all is done."""
    stage.settle()
    stage.pass_time(PERIOD)
    assert stage.run() is End.DONE
    before = stage.look()
    assert stage.run() is End.DONE
    assert stage.look() == before
    _require_whole(stage)


def run_late(stage: Stage, seconds: float) -> None:
    """Let a run come late."""
    stage.settle()
    stage.pass_time(PERIOD + seconds)
    stage.require_nothing_loose()
    assert stage.run() is End.DONE
    _require_whole(stage)


def rotate_without(stage: Stage, service: str, ticks: int = 2) -> None:
    """Take a service away from the rotator for some ticks, in which the staged windows serve on."""
    stage.settle()
    for _ in range(ticks):
        stage.pass_time(PERIOD)
        with stage.wire.watching(away=service):
            assert stage.run() is End.FAILED
        assert stage.wire.struck
        stage.require_nothing_loose()
        findings = stage.break_settings()
        answer = stage.send(remediation.APPLY, {"mode": "apply", "findings": findings}, uuid.uuid4().hex)
        assert answer.outcomes == ["fixed"] * len(findings)
    stage.pass_time(RETRY)
    assert stage.run() is End.DONE
    _require_whole(stage)
    stage.require_silence()


def remediate_without(stage: Stage, service: str) -> None:
    """Take a service away from the remediator during a request, and give it back before the next."""
    stage.settle()
    asked = remediation.begin_apply(stage)
    found = asked.settings
    with stage.wire.watching(away=service):
        first = stage.send(asked.path, asked.body, asked.key)
    assert stage.wire.struck
    remediation.require_way_on(first)
    answers = list(remediation.go_on(asked, first))
    if set(answers[-1].outcomes) == {"fixed"}:
        assert asked.settings == [result["after"] for result in answers[-1].body["results"]]
        return
    assert set(answers[-1].outcomes) <= {"failed", "fixed"}
    assert asked.settings == [
        result["after"] if result["outcome"] == "fixed" else before
        for result, before in zip(answers[-1].body["results"], found, strict=True)
    ]
    another = stage.send(asked.path, asked.body, uuid.uuid4().hex)
    assert set(another.outcomes) <= {"fixed", "already_compliant"}


def send_at_once(stage: Stage) -> Sequence[Answer]:
    """Send one request under one key several times, all at the same time."""
    stage.settle()
    asked = remediation.begin_apply(stage)
    with stage.wire.watching(), ThreadPoolExecutor(AT_ONCE) as threads:
        answers = list(threads.map(lambda _: stage.send(asked.path, asked.body, asked.key), range(AT_ONCE)))
    effects = stage.wire.effects(*stage.writes)
    assert max(effects.values()) == 1, effects
    stands = stage.send(asked.path, asked.body, asked.key)
    assert set(stands.outcomes) == {"fixed"}
    assert all(answer.body == stands.body for answer in answers if answer.status == 200)
    assert {answer.problem for answer in answers if answer.status != 200} <= {"in_progress"}
    return answers


def resume_late(stage: Stage, fault: Fault) -> None:
    """Kill a request in the middle, and send it again six hours later."""
    stage.settle()
    asked = remediation.begin_apply(stage)
    assert fault.kind is Kind.KILLED_AFTER
    assert asked.send(fault) is None
    stage.pass_time(6 * HOUR)
    assert stage.run() is End.DONE
    answer = asked.send()
    assert answer is not None
    assert set(answer.outcomes) == {"fixed"}
    assert asked.settings == [result["after"] for result in answer.body["results"]]
    assert max(asked.effects[name] for name in stage.writes) == 1


def overtake(stage: Stage) -> None:
    """Let a request stall before it stores its receipts, until another attempt has taken it over and ended it."""
    stage.settle()
    asked = remediation.begin_apply(stage)
    taken: list[Answer] = []

    def take_over() -> None:
        stage.pass_time(TAKEOVER)
        stage.restart()
        stage.rotate()
        taken.append(stage.send(asked.path, asked.body, asked.key))

    with meanwhile(stage, stage.stores_first, take_over), stage.wire.watching():
        stalled = stage.send(asked.path, asked.body, asked.key)
    assert max(stage.wire.effects(*stage.writes).values()) == 1
    assert set(taken[0].outcomes) == {"fixed"}
    assert stalled.problem in ("in_progress", "gate_unavailable")
    stands = stage.send(asked.path, asked.body, asked.key)
    assert stands.body == taken[0].body


def overtake_run(stage: Stage, at: tuple[str, int]) -> None:
    """Let a run stall before a write until its lease is over and another one has done the work."""
    stage.settle()
    stage.pass_time(PERIOD)

    def run_instead() -> None:
        stage.pass_time(RETRY)
        stage.restart()
        stage.rotate()
        stage.look()

    with meanwhile(stage, at, run_instead), stage.wire.watching():
        assert stage.run() is End.FAILED
    _require_whole(stage)


def freeze_between(stage: Stage) -> None:
    """Freeze a deployment whose gate a run is about to repair, after the run looked and before it has the lease."""
    stage.settle()
    stage.close_gate()
    with meanwhile(stage, (stage.takes_lease, 1), lambda: stage.set_state("frozen")), stage.wire.watching():
        assert stage.run() is End.DONE
    opened = stage.opens()
    stage.set_state("open")
    assert not opened


@contextmanager
def meanwhile(stage: Stage, at: tuple[str, int], act: Callable[[], None]) -> Iterator[None]:
    """Let something happen just before a call reaches the cloud."""
    sent: list[str] = []

    def look(call: str) -> None:
        sent.append(call)
        if call == at[0] and sent.count(call) == at[1]:
            act()

    stage.wire.before = look
    try:
        yield
    finally:
        stage.wire.before = lambda _: None
    assert sent.count(at[0]) >= at[1], "it never came to that"


def send_skewed(stage: Stage, seconds: int) -> None:
    """Send a request by a clock that is wrong; whose clock it is, is no reason to ring."""
    stage.settle()
    asked = remediation.begin_plan(stage)
    stage.metrics()
    answer = stage.send(asked.path, asked.body, asked.key, skew=seconds)
    assert answer.status == (200 if SKEWS[seconds] else 401)
    assert not stage.metrics().keys() & {"WrongCode", "GateUnavailable", "Failed"}


def _require_whole(stage: Stage) -> None:
    stage.look()
    stage.require_nothing_loose()
    stage.require_whole()
