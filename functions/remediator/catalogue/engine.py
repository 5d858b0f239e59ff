"""Run one fix on one target: plan, apply, resume, roll back. Everything follows from read, desired and write."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from remediator.catalogue.errors import Overtaken, Underway

if TYPE_CHECKING:
    from collections.abc import Iterable

    from remediator.catalogue.spec import JSON, Fix, Target


class Outcome(StrEnum):
    """Say how it ended for one finding: the closed list of protocol.md."""

    PLANNED = "planned"
    ALREADY_COMPLIANT = "already_compliant"
    FIXED = "fixed"
    PENDING = "pending"
    ROLLED_BACK = "rolled_back"
    ALREADY_ROLLED_BACK = "already_rolled_back"
    DRIFTED = "drifted"
    REFUSED = "refused"
    FAILED = "failed"
    UNVERIFIED = "unverified"
    NOT_STARTED = "not_started"


UNTOUCHED: Final = frozenset({Outcome.PLANNED, Outcome.ALREADY_COMPLIANT, Outcome.REFUSED})
"""The outcomes of findings of which nothing was written, so that there is nothing to undo."""


@dataclass(frozen=True, slots=True)
class Change:
    """Hold a setting as it was found and as it is to be: JSON values."""

    before: JSON
    after: JSON

    @property
    def needed(self) -> bool:
        """Tell whether there is anything to do."""
        return bool(self.before != self.after)

    def reversed(self) -> Change:
        """Return the change that undoes this one."""
        return Change(self.after, self.before)


@dataclass(frozen=True, slots=True)
class Job:
    """Hold one fix, the client it is given, the target and the parameters."""

    fix: Fix[Any, Any, Any]
    client: Any
    target: Target
    parameters: Any

    def read(self) -> JSON:
        """Return the setting now."""
        return self.fix.read(self.client, self.target)

    def shows(self, wanted: JSON) -> bool:
        """Tell whether the setting is what is wanted; while a change is under way, it isn't yet."""
        try:
            return bool(self.read() == wanted)
        except Underway:
            return False

    def plan(self) -> Change:
        """Return the change that would repair the setting; only reads."""
        before = self.read()
        return Change(before, self.fix.desired(before, self.parameters))

    def apply(self, change: Change, *, pauses: Iterable[None]) -> Outcome:
        """Write `change` and read it back; each of `pauses` waits before it yields, and allows one more look."""
        return self._write(change, Outcome.FIXED, pauses)

    def resume(self, change: Change, *, pauses: Iterable[None]) -> Outcome:
        """Go on with a change that was begun, but may or may not have been written; trample nothing."""
        try:
            now = self.read()
        except Underway:  # by ourselves, as like as not
            return Outcome.UNVERIFIED
        if now == change.after:
            return Outcome.FIXED
        if now != change.before and self.fix.desired(now, self.parameters) != change.after:
            return Outcome.DRIFTED
        return self.apply(Change(now, change.after), pauses=pauses)

    def roll_back(self, change: Change, *, pauses: Iterable[None]) -> Outcome:
        """Write back what was there before `change`, only if the setting is still what `change` left."""
        now = self.read()
        if now == change.before:
            return Outcome.ALREADY_ROLLED_BACK
        if now != change.after:
            return Outcome.DRIFTED
        return self._write(change.reversed(), Outcome.ROLLED_BACK, pauses)

    def _write(self, change: Change, done: Outcome, pauses: Iterable[None]) -> Outcome:
        try:
            self.fix.write(self.client, self.target, change.before, change.after)
        except Overtaken:
            return self._overtaken(change, done)
        if self._stands(change.after, pauses):
            return done
        return Outcome.PENDING if self.fix.asynchronous else Outcome.UNVERIFIED

    def _overtaken(self, change: Change, done: Outcome) -> Outcome:
        """Tell who was faster: it was ourselves, if an answer was lost on the way and the call sent again."""
        try:
            now = self.read()
        except Underway:
            return Outcome.UNVERIFIED
        if now == change.after:
            return done
        may_come = self.fix.asynchronous and now == change.before
        return Outcome.UNVERIFIED if may_come else Outcome.DRIFTED

    def _stands(self, wanted: JSON, pauses: Iterable[None]) -> bool:
        return self.shows(wanted) or any(self.shows(wanted) for _ in pauses)
