"""Freeze and unfreeze: alone, broken off anywhere, against each other, and against a rotation in flight."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from remediator.core.gate import gate_value
from remediator.core.windows import PERIOD, window_at
from remediator.service.errors import LeaseTaken, NotDone
from remediator.service.freeze import Part, Step
from remediator.service.rotate import Rotated, Rotator
from tests.service.operators_world import Desk, Halting
from tests.service.site import KEY, Site, asking, outcomes, problem
from tests.service.test_rotate import WRITING_RUN, require_whole
from tests.service.world import DEPLOYMENT, CloudError, Crash, Lamps, Steps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FREEZING = ["switch.freeze", "barrier.put_up"]
UNFREEZING = ["switch.read", "barrier.lower", "switch.open"]


@pytest.fixture
def desk(site: Site) -> Desk:
    return Desk(site)


def require_frozen(desk: Desk) -> None:
    """Nothing comes in, nothing runs, nothing opens."""
    assert desk.site.table.state_now == "frozen"
    assert desk.barrier.everything
    assert desk.site.gate.values == {}


def require_no_way_in(site: Site) -> None:
    """Where the state is frozen, a right request of the live window is refused, and no opening passes the gate."""
    assert site.table.state_now == "frozen"
    assert problem(site.post(asking("desk"), key="a-new-key-of-ours")) == "frozen"


def opens_now(site: Site) -> bool:
    window = window_at(site.clock())
    return site.gate.opens(gate_value(DEPLOYMENT, window, site.keys(window).opening).text(), site.clock())


# --- alone ------------------------------------------------------------------------------------------------------------


def test_freezing_refuses_stops_and_closes_in_this_order(desk: Desk) -> None:
    steps = desk.freeze()
    assert [(step.part, step.done) for step in steps] == [
        (Part.REQUESTS, True),
        (Part.SESSIONS, True),
        (Part.GATE, True),
    ]
    assert desk.steps.taken == FREEZING
    assert desk.told == steps
    require_frozen(desk)
    require_no_way_in(desk.site)


def test_unfreezing_lets_the_staged_windows_live_again(desk: Desk) -> None:
    staged = dict(desk.site.table.verifiers)
    desk.freeze()
    steps = desk.unfreeze()
    assert all(step.done for step in steps)
    assert desk.steps.taken == FREEZING + UNFREEZING
    assert desk.site.table.verifiers == staged
    require_whole(desk.site)
    assert outcomes(desk.site.post(asking("desk"))) == ["fixed"]


def test_what_was_issued_before_the_freeze_ended_stays_stopped_for_good(desk: Desk) -> None:
    before = desk.site.clock()
    desk.freeze()
    desk.site.clock.now += 60
    desk.unfreeze()
    assert not desk.barrier.passes(before)
    assert not desk.barrier.passes(desk.site.clock() - 1)
    assert desk.barrier.passes(desk.site.clock())
    desk.site.clock.now += 60
    desk.unfreeze()
    assert desk.barrier.passes(desk.site.clock() - 1), "unfreezing what is open ends nobody's session"


def test_a_deployment_that_never_rotated_can_be_frozen_and_opens_when_it_is_unfrozen() -> None:
    desk = Desk(Site())
    desk.freeze()
    require_frozen(desk)
    desk.unfreeze()
    require_whole(desk.site)


@pytest.mark.parametrize("broken", ["gate", "barrier"])
def test_freezing_again_repairs_what_a_freeze_left_undone(desk: Desk, broken: str) -> None:
    desk.freeze()
    if broken == "gate":
        desk.site.gate.values = {"f" * 64: window_at(desk.site.clock())}
    desk.barrier.everything = broken != "barrier"
    desk.freeze("order-2")
    require_frozen(desk)


def test_unfreezing_what_is_open_repairs_the_gate_and_takes_a_stray_barrier_away(desk: Desk) -> None:
    desk.site.gate.values = {}
    desk.barrier.everything = True
    desk.unfreeze()
    require_whole(desk.site)
    assert desk.barrier.passes(desk.site.clock())


def test_unfreezing_what_is_open_and_whole_writes_nothing(desk: Desk) -> None:
    desk.site.steps.taken.clear()
    assert all(step.done for step in desk.unfreeze())
    assert desk.steps.taken == ["switch.read", "barrier.stands", "switch.open"]
    assert desk.site.steps.taken == ["table.look", "gate.stands"]
    assert desk.barrier.before == 0


def test_the_rotator_never_writes_the_order(desk: Desk) -> None:
    desk.freeze()
    for _ in range(3):
        desk.site.clock.now += PERIOD
        desk.site.rotate()
    assert (desk.site.table.state_now, desk.switch.read().version) == ("frozen", "order-1")


# --- steps that fail --------------------------------------------------------------------------------------------------


def test_if_the_state_can_t_be_written_sessions_are_stopped_all_the_same_and_the_gate_isn_t_touched(desk: Desk) -> None:
    desk.switch.away = True
    steps = desk.freeze()
    assert [(step.part, step.done) for step in steps] == [(Part.REQUESTS, False), (Part.SESSIONS, True)]
    assert desk.barrier.everything
    assert desk.keeper.runs == 0
    desk.switch.away = False
    desk.unfreeze()
    assert desk.barrier.passes(desk.site.clock())


def test_if_sessions_can_t_be_stopped_the_gate_closes_all_the_same(desk: Desk) -> None:
    desk.barrier.away = True
    assert [step.done for step in desk.freeze()] == [True, False, True]
    require_no_way_in(desk.site)
    assert desk.site.gate.values == {}


def test_if_the_rotator_doesn_t_close_it_is_said_and_state_and_barrier_hold(desk: Desk) -> None:
    desk.site.table.holder, desk.site.table.until = "a run that hangs", desk.site.clock() + 120
    steps = desk.freeze()
    assert [step.done for step in steps] == [True, True, False]
    assert "still at work" in steps[-1].note
    assert desk.barrier.everything
    require_no_way_in(desk.site)
    desk.site.clock.now += 121
    desk.site.rotate()
    require_frozen(desk)


def test_where_the_state_doesn_t_open_the_barrier_goes_up_again_and_the_gate_stays_closed(desk: Desk) -> None:
    desk.freeze()
    desk.switch.away = True
    assert [step.done for step in desk.unfreeze()] == [True, False]
    require_frozen(desk)


# --- broken off -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", ["crash_before", "crash_after"])
@pytest.mark.parametrize("number", [1, 2])
def test_a_freeze_that_dies_anywhere_leaves_it_as_it_was_or_closing(desk: Desk, moment: str, number: int) -> None:
    setattr(desk.steps, moment, number)
    with pytest.raises(Crash):
        desk.freeze()
    untouched = (moment, number) == ("crash_before", 1)
    assert desk.site.table.state_now == ("open" if untouched else "frozen")
    if not untouched:
        require_no_way_in(desk.site)
        desk.site.rotate()
        assert desk.site.gate.values == {}, "the next tick closes what the freeze didn't"
    setattr(desk.steps, moment, None)
    desk.freeze("order-2")
    require_frozen(desk)


@pytest.mark.parametrize("moment", ["crash_before", "crash_after"])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_an_unfreeze_that_dies_anywhere_leaves_it_closed_or_open_and_never_between(
    desk: Desk, moment: str, number: int
) -> None:
    desk.freeze()
    setattr(desk.steps, moment, len(desk.steps.taken) + number)
    with pytest.raises(Crash):
        desk.unfreeze()
    setattr(desk.steps, moment, None)
    assert desk.site.gate.values == {}
    if (moment, number) != ("crash_after", 3):
        require_no_way_in(desk.site)
        desk.site.clock.now += PERIOD
        desk.site.rotate()
        assert desk.site.gate.values == {}, "no tick opens what is frozen"
    desk.unfreeze("order-3")
    require_whole(desk.site)
    assert desk.barrier.passes(desk.site.clock())


@pytest.mark.parametrize("moment", ["crash_before", "crash_after"])
@pytest.mark.parametrize("number", range(1, 6))
def test_a_rotator_that_dies_while_it_closes_leaves_the_rest_to_the_next(moment: str, number: int) -> None:
    site = Site()
    site.rotate()
    desk = Desk(site)
    site.steps.taken.clear()
    setattr(site.steps, moment, number)
    with pytest.raises(Crash):
        desk.freeze()
    assert (site.table.state_now, desk.barrier.everything) == ("frozen", True)
    setattr(site.steps, moment, None)
    require_no_way_in(site)
    site.table.until = 0
    desk.freeze("order-2")
    require_frozen(desk)


# --- against each other -----------------------------------------------------------------------------------------------


@contextmanager
def meanwhile(steps: Steps, number: int, act: Callable[[], object]) -> Iterator[None]:
    """Let something else happen right before an operator's n-th step."""
    whole = steps.step

    def step(name: str) -> Any:
        if len(steps.taken) + 1 == number:
            steps.step = whole  # type: ignore[method-assign]
            act()
        return whole(name)

    steps.step = step  # type: ignore[method-assign]
    yield
    steps.step = whole  # type: ignore[method-assign]


@pytest.mark.parametrize("number", [2, 3])
def test_a_freeze_during_an_unfreeze_wins(desk: Desk, number: int) -> None:
    desk.freeze("order-1")
    with meanwhile(desk.steps, len(desk.steps.taken) + number, lambda: desk.freeze("order-9")):
        steps = desk.unfreeze()
    assert not steps[-1].done
    require_frozen(desk)
    require_no_way_in(desk.site)


def test_a_freeze_after_the_state_opened_and_before_the_gate_did_wins(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.freeze()
    opening = desk.keeper.open

    def frozen_first() -> str:
        desk.freeze("order-9")
        return opening()

    monkeypatch.setattr(desk.keeper, "open", frozen_first)
    steps = desk.unfreeze()
    assert not steps[-1].done
    require_frozen(desk)


@pytest.mark.parametrize("number", [2, 3])
def test_a_freeze_while_somebody_repairs_what_is_open_wins(desk: Desk, number: int) -> None:
    desk.barrier.everything = True
    with meanwhile(desk.steps, number, lambda: desk.freeze("order-9")):
        assert not desk.unfreeze()[-1].done
    require_frozen(desk)


def test_an_unfreeze_during_a_freeze_is_told_and_sessions_stay_stopped(desk: Desk) -> None:
    with meanwhile(desk.steps, 2, lambda: desk.unfreeze("order-9")):
        steps = desk.freeze()
    assert [step.done for step in steps] == [True, True, False]
    assert "unfrozen meanwhile" in steps[-1].note
    assert desk.barrier.everything


# --- against a rotation in flight -------------------------------------------------------------------------------------


class Careless(Rotator):
    """A rotator that believes, under the lease, what it read before it had it."""

    def run(self, holder: str) -> Rotated:
        staging = self.staged.look([])
        self.staged.take_lease(holder, self.clock())
        if staging.state != "open":
            rotated, fingerprint = self._stay_closed()
        else:
            openings = self._stage(holder, self.staged.look(list(self.seeds.held())))
            rotated, fingerprint = Rotated(len(openings), frozen=False, wrote=True), self.gate.set(openings)
        self.staged.give_lease_back(holder, fingerprint)
        return rotated


def in_flight(moment: str, number: int, *, missing: bool, rotator: type[Rotator] = Rotator) -> tuple[Desk, Halting]:
    """Halt a run that would open, at its n-th call, and freeze meanwhile."""
    steps = Halting()
    site = Site(steps=steps)
    site.rotate()
    if missing:
        site.clock.now += PERIOD  # a window to stage, and the gate to move
    else:
        site.gate.values = {}  # nothing to stage: as after a redeploy, the gate alone is to be set right
    old = site.rotator
    site.rotator = rotator(old.deployment, old.seeds, old.staged, old.gate, old.clock, old.entropy)
    desk = Desk(site)
    desk.keeper.wait = steps.let_go
    steps.taken.clear()
    setattr(steps, f"halt_{moment}", number)
    steps.start(lambda: site.rotate("in-flight"))
    return desk, steps


@pytest.mark.parametrize("missing", [True, False], ids=["staging", "repairing"])
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", range(1, len(WRITING_RUN) + 1))
def test_after_a_freeze_and_a_rotation_in_flight_the_gate_is_closed(moment: str, number: int, *, missing: bool) -> None:
    desk, steps = in_flight(moment, number, missing=missing)
    assert all(step.done for step in desk.freeze())
    require_frozen(desk)
    steps.let_go()
    require_frozen(desk)
    for _ in range(2):
        desk.site.clock.now += PERIOD
        desk.site.rotate()
        require_frozen(desk)


def test_the_test_above_finds_a_rotator_that_doesn_t_read_the_state_again_under_the_lease() -> None:
    desk, steps = in_flight("before", 2, missing=False, rotator=Careless)
    desk.freeze()
    require_frozen(desk)
    steps.let_go()
    with pytest.raises(AssertionError):
        require_frozen(desk)


@pytest.mark.parametrize("number", range(2, 5))
def test_unfreezing_while_a_run_closes_waits_for_it_and_opens(number: int) -> None:
    steps = Halting()
    site = Site(steps=steps)
    site.rotate()
    desk = Desk(site)
    desk.freeze()
    desk.keeper.wait = steps.let_go
    steps.halt_before = number
    steps.start(lambda: site.rotate("in-flight"))
    assert all(step.done for step in desk.unfreeze())
    try:
        steps.let_go()
    except LeaseTaken:
        pytest.fail("nobody takes a lease that is held")
    require_whole(site)


# --- against requests in flight ---------------------------------------------------------------------------------------


def stopping_at(desk: Desk, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Freeze when the cloud is asked for the first time; from then on it refuses, as the barrier has it."""
    called = getattr(Lamps, step)

    def refuse(self: Lamps, name: str, *rest: Any) -> Any:
        if desk.site.table.state_now == "open" and not desk.told:
            desk.freeze()
        if desk.barrier.everything:
            raise CloudError("AccessDenied")
        return called(self, name, *rest)

    monkeypatch.setattr(Lamps, step, refuse)


@pytest.mark.parametrize("step", ["get_lamp", "put_lamp"])
def test_what_a_freeze_stops_is_not_started_and_goes_on_under_the_same_key(
    site: Site, desk: Desk, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        stopping_at(desk, step, patch)
        reply = site.post(asking("desk", "hall", "roof", "attic", "cellar"))
    assert reply.status == 200
    assert set(outcomes(reply)) == {"not_started"}
    assert not any(lamp["on"] for lamp in site.cloud.lamps.values())
    assert problem(site.post(asking("desk", "hall", "roof", "attic", "cellar"))) == "frozen"
    desk.unfreeze()
    site.clock.now += PERIOD
    site.rotate()
    assert outcomes(site.post(asking("desk", "hall", "roof", "attic", "cellar"))) == ["fixed"] * 5
    assert all(lamp["on"] for lamp in site.cloud.lamps.values())


def test_a_failure_while_nothing_is_frozen_is_a_failure(site: Site) -> None:
    site.cloud.broken_lamps["desk"] = CloudError("AccessDenied")
    assert outcomes(site.post(asking("desk"), key=KEY)) == ["failed"]


def test_not_done_is_an_interruption_that_running_again_repairs() -> None:
    assert str(NotDone("IAM is away")) == "IAM is away"


def test_a_step_that_is_done_says_what_is_still_to_come_or_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk.keeper, "close", lambda: "the cloud takes a minute")
    assert desk.freeze() == [
        Step(Part.REQUESTS, done=True, note=""),
        Step(Part.SESSIONS, done=True, note=""),
        Step(Part.GATE, done=True, note="the cloud takes a minute"),
    ]
