"""Keep protocol bugs that the model must find: each is one line of the real code gone wrong."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from remediator.catalogue.engine import Job, Outcome
from remediator.core.gate import GateValue
from remediator.core.messages import SignedMessage
from remediator.core.seeds import slot_of
from remediator.core.windows import open_at
from remediator.service import by_hand, remediate
from remediator.service.admission import Admission
from remediator.service.by_hand import ByHand
from remediator.service.freeze import Freezer, Part
from remediator.service.records import Claimed, Record, Refusal, State
from remediator.service.rotate import Rotated, Rotator
from remediator.service.standing import Standing
from remediator.service.work import Apply
from tests.model import invariants
from tests.service import by_hand_site, world
from tests.service.operators_world import Switch

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from remediator.core.gate import Opening
    from remediator.core.windows import Window
    from remediator.service.records import Claim

    Patch = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Bug:
    """Hold one bug: the scene that finds it, and the invariant that it breaks."""

    what: str
    scene: str
    breaks: str
    patch: Patch


def no_lease(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(world.Table, "take_lease", lambda *_: None)
    patch.setattr(world.Table, "give_lease_back", lambda self, _, gate: setattr(self, "gate", gate))

    def stage(self: Any, verifiers: Any, holder: str) -> None:  # noqa: ARG001 - whoever it is
        with self.steps.step("table.stage"):
            self.verifiers.update({one.window: one for one in verifiers})

    patch.setattr(world.Table, "stage", stage)


def a_second_seed(patch: pytest.MonkeyPatch) -> None:
    def keep(self: Any, record: Any) -> Any:
        with self.steps.step("ring.keep"):
            self.versions[record.window] = record.seed
            return record.seed

    patch.setattr(world.Ring, "keep", keep)


def a_ring_without_tokens(patch: pytest.MonkeyPatch) -> None:
    keep = world.Ring.keep

    def again(self: Any, record: Any) -> Any:
        self.writes[slot_of(record.window)] += record.window in self.versions
        return keep(self, record)

    patch.setattr(world.Ring, "keep", again)
    patch.setattr(world.Ring, "held", lambda _: {})


def an_empty_claim(patch: pytest.MonkeyPatch) -> None:
    def claim(self: Any, asked: Claim) -> Any:
        with self.steps.step("ledger.claim"):
            return Claimed(asked.record, resumed=False)

    patch.setattr(world.Ledger, "claim", claim)


def notes_what_was_brought(patch: pytest.MonkeyPatch) -> None:
    admit = Admission.admit

    def noting(self: Any, message: SignedMessage) -> Any:
        self.monitor.note("a request", opening=message.opening.hex())
        return admit(self, message)

    patch.setattr(Admission, "admit", noting)


def state_not_read_again(patch: pytest.MonkeyPatch) -> None:
    def write(self: Rotator, holder: str) -> Any:
        staging = replace(self.staged.look(open_at(self.clock())), state="open")
        return Rotated(4, frozen=False, wrote=True), self.gate.set(self._stage(holder, staging))

    patch.setattr(Rotator, "_write", write)
    stage = world.Table.stage

    def unconditional(self: Any, verifiers: Any, holder: str) -> None:
        now, self.state_now = self.state_now, "open"
        try:
            stage(self, verifiers, holder)
        finally:
            self.state_now = now

    patch.setattr(world.Table, "stage", unconditional)


def gate_before_verifiers(patch: pytest.MonkeyPatch) -> None:
    original = Rotator._stage

    def staging(self: Any, holder: str, staging: Any) -> Any:
        early: dict[str, Any] = {}
        stage, self.staged.stage = self.staged.stage, lambda verifiers, _: early.update(found=verifiers)
        try:
            openings = original(self, holder, staging)
        finally:
            self.staged.stage = stage
        self.gate.set(openings)
        if early:
            stage(early["found"], holder)
        return openings

    patch.setattr(Rotator, "_stage", staging)


def statements_without_an_end(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(world.Gate, "opens", lambda self, value, _: value in self.values)


def a_value_that_needs_no_opening(patch: pytest.MonkeyPatch) -> None:
    def value(deployment: str, window: Window, opened: Opening) -> GateValue:  # noqa: ARG001 - the bug
        return GateValue(hashlib.sha256(f"{deployment}/{window}".encode()).hexdigest().encode())

    for module in (world, invariants):
        patch.setattr(module, "gate_value", value)


def takes_over_what_runs(patch: pytest.MonkeyPatch) -> None:
    def decide(met: Record, claim: Claim) -> Refusal | Record | Claimed:  # noqa: ARG001 - the bug
        if met.state is State.DONE:
            return met
        return Claimed(replace(met, state=State.RUNNING, attempt=met.attempt + 1), resumed=True)

    patch.setattr(world, "decide", decide)


def runs_what_is_done_again(patch: pytest.MonkeyPatch) -> None:
    def decide(met: Record, claim: Claim) -> Refusal | Record | Claimed:
        if met.state is State.RUNNING and claim.now < met.free_at:
            return Refusal.IN_PROGRESS
        return Claimed(replace(met, state=State.RUNNING, attempt=met.attempt + 1), resumed=False)

    patch.setattr(world, "decide", decide)


def receipts_without_the_claim(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(world.Ledger, "_require", lambda *_: None)


def receipt_after_the_write(patch: pytest.MonkeyPatch) -> None:
    def run(self: Any, session: Any, tasks: Any) -> Any:
        looked = [
            self.tools.attempt(session, task, lambda job, finding: replace(finding, change=job.plan()))
            for task in tasks
        ]
        writing = [replace(task, finding=one) for task, one in zip(tasks, looked, strict=True)]
        written = [self.tools.attempt(session, task, self._apply) for task in writing]
        self.tools.store(written)
        return written

    patch.setattr(Apply, "run", run)


def resumes_over_anything(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Job, "resume", lambda self, change, *, pauses: self.apply(change, pauses=pauses))


def rolls_back_over_anything(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        Job, "roll_back", lambda self, change, *, pauses: self._write(change.reversed(), Outcome.ROLLED_BACK, pauses)
    )


def any_time(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SignedMessage, "require_timely", lambda *_: None)


def a_deadline_past_the_window(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(remediate, "deadline_of", lambda now, **_: int(now) + 120)


def not_asked_again_before_the_gate(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Admission, "require_open", lambda _: Standing("open"))
    patch.setattr(Freezer, "freeze", lambda self, order: [self._try(Part.REQUESTS, lambda: self.switch.freeze(order))])


def unfreezes_whatever_came_between(patch: pytest.MonkeyPatch) -> None:
    def opened(self: Any, order: Any, met: Any) -> None:  # noqa: ARG001 - the bug
        with self.steps.step("switch.open"):
            self.table.state_now, self.order = "open", order

    patch.setattr(Switch, "open", opened)


def counts_after_comparing(patch: pytest.MonkeyPatch) -> None:
    def count(self: Any, window: Window) -> Any:
        with self.steps.step("book.count"):
            left = self.left.get(window)
            return left.opening if left is not None and left.tries < by_hand.MOST_TRIES else None

    def close_spent(self: Any, window: Window) -> bool:
        with self.steps.step("book.close_spent"):
            left = self.left[window]
            left.tries += 1
            if left.tries < by_hand.MOST_TRIES:
                return False
            left.opening = None
            return True

    patch.setattr(by_hand_site.Book, "count", count)
    patch.setattr(by_hand_site.Book, "close_spent", close_spent)


def any_number_by_hand(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ByHand, "_use", lambda *_: None)


BUGS: Final = (
    Bug("nobody minds the lease", "a_freeze_and_a_rotation", "freeze", no_lease),
    Bug("the ring gives a window a second seed", "two_rotations", "I3", a_second_seed),
    Bug("the ring is written without a token", "a_late_rotation", "I5", a_ring_without_tokens),
    Bug("nothing is recorded before the gate", "one_key_twice", "I7", an_empty_claim),
    Bug("the log shows what was brought", "one_key_twice", "I8", notes_what_was_brought),
    Bug("the state isn't read again under the lease", "a_freeze_and_a_rotation", "freeze", state_not_read_again),
    Bug("the gate opens before the verifiers stand", "two_rotations", "I3", gate_before_verifiers),
    Bug("the gate's statements never end", "two_rotations", "I4", statements_without_an_end),
    Bug("the gate's value needs no opening", "one_key_twice", "I10", a_value_that_needs_no_opening),
    Bug("a record that runs is taken over", "one_key_twice", "I2", takes_over_what_runs),
    Bug("a finished record runs again", "somebody_else", "I2", runs_what_is_done_again),
    Bug("receipts are stored whoever holds the record", "a_takeover_late", "I2", receipts_without_the_claim),
    Bug("the receipt comes after the write", "one_key_twice", "I6", receipt_after_the_write),
    Bug("a resumed finding doesn't look first", "one_key_twice", "I2", resumes_over_anything),
    Bug("a rollback doesn't look first", "a_way_back", "I2", rolls_back_over_anything),
    Bug("the window's time isn't looked at", "a_request_at_the_end", "I1", any_time),
    Bug("a session may outlive its window", "a_request_at_the_end", "I1", a_deadline_past_the_window),
    Bug("a freeze only says so", "a_freeze_and_a_request", "freeze", not_asked_again_before_the_gate),
    Bug(
        "an unfreeze opens whatever came in between", "a_freeze_and_its_end", "freeze", unfreezes_whatever_came_between
    ),
    Bug("a wrong code is counted after it is compared", "guesses", "I9", counts_after_comparing),
    Bug("an admission lets any number through", "two_by_hand", "I9", any_number_by_hand),
)
