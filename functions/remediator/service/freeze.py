"""Freeze: refuse what comes, stop what runs, close the gate; and the way back.

Each step is repeated by running the same again, and each leaves the deployment closed or closing if nothing follows it:
a frozen state refuses requests by itself, and the rotator's next run closes the gate; the way back opens the state last
but one, and the gate last.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from remediator.service.errors import NotDone

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.service.control import Control, Order


class Part(StrEnum):
    """Name what is stopped."""

    REQUESTS = "requests"
    SESSIONS = "sessions"
    GATE = "gate"


@dataclass(frozen=True, slots=True)
class Step:
    """Report one step: whether it was done, and why not, or what is still to come."""

    part: Part
    done: bool
    note: str = ""


class Switch(Protocol):
    """Keep the state, which every request reads."""

    def read(self) -> Control:
        """Return the control item, read consistently."""

    def freeze(self, order: Order) -> None:
        """Set the state to frozen, whatever it was."""

    def open(self, order: Order, met: Control) -> None:
        """Set the state to open if it is still the frozen one that was met; raise `FrozenAgain` if it isn't.

        Where the state that was met wasn't frozen, nothing is written, and the same is raised if it is now.
        """


class Barrier(Protocol):
    """Stop sessions that are out already."""

    def stands(self) -> bool:
        """Tell whether every session is stopped."""

    def put_up(self) -> None:
        """Stop every session, and every one to come."""

    def lower(self) -> None:
        """Let sessions pass that are issued from now on, by the cloud's clock; older ones stay stopped for good."""


class Gatekeeper(Protocol):
    """Have the gate moved as the state says. Both say in a sentence what is still to come, or nothing."""

    def close(self) -> str:
        """Let nobody through, whatever a rotator that is at work just now opens."""

    def open(self) -> str:
        """Let the staged windows live again; raise `FrozenAgain` if the state is frozen."""


@dataclass(frozen=True, slots=True)
class Freezer:
    """Freeze and unfreeze one deployment. `barrier` is None where sessions can't be called back."""

    switch: Switch
    barrier: Barrier | None
    gatekeeper: Gatekeeper
    tell: Callable[[Step], None]

    def freeze(self, order: Order) -> list[Step]:
        """Stop everything; a step that fails doesn't keep the next one from being tried.

        Only the gate waits for the state: a rotator that doesn't find it frozen would open.
        """
        steps = [self._try(Part.REQUESTS, lambda: self.switch.freeze(order))]
        if self.barrier is not None:
            steps.append(self._try(Part.SESSIONS, self.barrier.put_up))
        if steps[0].done:
            steps.append(self._try(Part.GATE, self.gatekeeper.close))
        return steps

    def unfreeze(self, order: Order) -> list[Step]:
        """Let it go on, unless a freeze comes in between, which wins; the first step that fails is the last.

        What is open already is only put right.
        """
        met = self.switch.read()
        acts: dict[Part, Callable[[], str | None]] = {
            Part.SESSIONS: lambda: self._lower(met),
            Part.REQUESTS: lambda: self._open(order, met),
            Part.GATE: self.gatekeeper.open,
        }
        if self.barrier is None:
            del acts[Part.SESSIONS]
        steps: list[Step] = []
        for part, act in acts.items():
            steps.append(self._try(part, act))
            if not steps[-1].done:
                break
        return steps

    def _try(self, part: Part, act: Callable[[], str | None]) -> Step:
        try:
            step = Step(part, done=True, note=act() or "")
        except NotDone as failed:
            step = Step(part, done=False, note=str(failed))
        self.tell(step)
        return step

    def _lower(self, met: Control) -> None:
        if self.barrier is not None and (met.state == "frozen" or self.barrier.stands()):
            self.barrier.lower()

    def _open(self, order: Order, met: Control) -> None:
        """Open the state; where it doesn't open, the barrier that was lowered for it goes up again."""
        try:
            self.switch.open(order, met)
        except NotDone:
            if self.barrier is not None:
                self.barrier.put_up()
            raise
