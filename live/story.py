"""Tell the demo's story through a deployment: one resource, made and removed here, repaired and brought back."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from live.workshop import Slow
from remediator.vendor.errors import NotServed

if TYPE_CHECKING:
    from collections.abc import Callable

    from live.workshop import Workshop
    from remediator.vendor import Client, Finding
    from remediator.vendor.answers import Answer

AS_IT_WAS: Final = "as it was"
CLOSED: Final = "closed"
OPENS_WITHIN: Final = 1_200.0
"""Seconds after a deployment in which a plan must pass: a tick of the rotator, and what roles take to spread."""


@dataclass(frozen=True, slots=True)
class Line:
    """Hold one step, what had to come of it and what came."""

    step: str
    wanted: str
    got: str

    @property
    def right(self) -> bool:
        """Tell whether it came as it had to."""
        return self.wanted == self.got

    def __str__(self) -> str:
        return f"{'as wanted' if self.right else 'WRONG':<9} {self.step}: {self.got}"


class Subject(Protocol):
    """Make something that is badly set, tell how it is set, and take it away."""

    def make(self) -> Finding:
        """Make it, and return what a scanner would find."""

    def setting(self) -> str:
        """Return `AS_IT_WAS`, `CLOSED`, or what else it is."""

    def remove(self) -> None:
        """Take it away, if it was made."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Hold both sides' clients of a deployment, and what the story is about."""

    vendor: Client
    operator: Client
    subject: Subject


def play(shop: Workshop, stage: Stage) -> list[Line]:
    """Plan, apply, look and roll back on a resource of our own; refuse what must be refused."""
    lines: list[Line] = []

    def note(step: str, wanted: str, got: Callable[[], str]) -> None:
        lines.append(Line(step, wanted, _answered(got)))

    vendor, operator, subject = stage.vendor, stage.operator, stage.subject
    try:
        found = [subject.make()]
        note("the first plan that passes", "planned", lambda: _opened(shop, stage, found))
        note("the gate", "open", lambda: vendor.health().gate)
        note("a code without its signature", "InvalidRequest", lambda: _outcomes(vendor.told("000000").plan(found)))
        note("the resource after it", AS_IT_WAS, subject.setting)
        note("the operator may not apply", "Forbidden", lambda: _outcomes(operator.apply(found)))
        key = str(uuid.uuid4())
        note("apply", "fixed", lambda: _outcomes(vendor.apply(found, key=key)))
        note("the resource after it", CLOSED, subject.setting)
        note("the vendor may not roll back", "Forbidden", lambda: _outcomes(vendor.roll_back(key)))
        note("roll back", "rolled_back", lambda: _outcomes(operator.roll_back(key)))
        note("the resource after it", AS_IT_WAS, subject.setting)
    finally:
        subject.remove()
    return lines


def _opened(shop: Workshop, stage: Stage, found: list[Finding]) -> str:
    """Plan again and again until it passes: right after a deployment the gate is closed, and roles aren't known yet."""
    last = ""

    def passes() -> bool:
        nonlocal last
        last = _answered(lambda: _outcomes(stage.vendor.plan(found)))
        return last == "planned"

    try:
        seconds = shop.until(passes, most=OPENS_WITHIN, every=15.0)
    except Slow as slow:
        return f"{slow}; the last was {last}"
    shop.say(f"a plan passed after {seconds:.0f} s")
    return last


def _answered(ask: Callable[[], str]) -> str:
    """Return an answer, or the name of the refusal."""
    try:
        return ask()
    except NotServed as error:
        return type(error).__name__


def _outcomes(answer: Answer) -> str:
    return ", ".join(one.outcome.value for one in answer.results)
