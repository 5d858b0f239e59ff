"""Break the embedded account on purpose: slow, throttled, failing, half-done, killed, late.

A rule says which calls it strikes (role, action, resource; from the n-th match on; how many times) and what happens to
them. Rules strike calls that IAM allowed; what IAM refuses is answered as it is, and isn't counted.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from .calls import Call


class Effect(Enum):
    """Say what happens to a struck call."""

    THROTTLE = "refused as throttled, the way its service says it; nothing happens"
    ERROR = "refused with the given code and status; nothing happens"
    LOSE_REPLY = "takes effect, and the connection closes without an answer"
    CRASH_BEFORE = "never happens; the function that made it is killed"
    CRASH_AFTER = "takes effect; the function that made it is killed before it hears so"


@dataclass(frozen=True, slots=True)
class Match:
    """Choose calls. `action` and `resource` may hold wildcards and are looked for among all that a call needed.

    The first `nth - 1` matching calls pass; then `times` calls are struck (None: all of them).
    """

    role: str | None = None
    action: str | None = None
    resource: str | None = None
    nth: int = 1
    times: int | None = 1

    def chooses(self, call: Call) -> bool:
        """Tell whether a call is of this kind, whatever its number."""
        if self.role is not None and call.role != self.role:
            return False
        checked = ((call.action, call.resource), *call.checked)
        return any(
            (self.action is None or fnmatchcase(action.lower(), self.action.lower()))
            and (self.resource is None or fnmatchcase(resource, self.resource))
            for action, resource in checked
        )


@dataclass(frozen=True, slots=True)
class Fault:
    """Hold what strikes a call; `code` and `status` only for `ERROR`."""

    effect: Effect
    code: str = ""
    status: int = 0


@dataclass(slots=True)
class _Rule:
    match: Match
    fault: Fault
    seen: int = 0

    def strikes(self, call: Call) -> bool:
        if not self.match.chooses(call):
            return False
        self.seen += 1
        number = self.seen - self.match.nth
        return number >= 0 and (self.match.times is None or number < self.match.times)


class Faults:
    """Hold the faults that are switched on. `kill` is given the access key of a function's sandbox to kill."""

    def __init__(self, kill: Callable[[str], None] | None = None) -> None:
        self.kill = kill
        self._lock = threading.Lock()
        self._rules: list[_Rule] = []
        self._struck: list[tuple[Fault, Call]] = []
        self._latency = 0.0
        self._propagation = 0.0
        self._settling = 0.0

    @property
    def latency_seconds(self) -> float:
        """Return how long every call waits before it is looked at."""
        return self._latency

    @property
    def propagation_seconds(self) -> float:
        """Return how many seconds of the clock IAM's evaluation is behind IAM's writes; reads show them at once."""
        return self._propagation

    @property
    def settling_seconds(self) -> float:
        """Return how many seconds of the clock it takes to carry out what AWS accepts and carries out later."""
        return self._settling

    @property
    def struck(self) -> tuple[tuple[Fault, Call], ...]:
        """Return what struck which call, in order; a test that finds nothing here tested nothing."""
        with self._lock:
            return tuple(self._struck)

    def latency(self, milliseconds: float) -> None:
        """Delay every call, in real time."""
        self._latency = milliseconds / 1000

    def propagation(self, seconds: float) -> None:
        """Let writes to roles, users and policies count only after so many seconds of the clock."""
        self._propagation = seconds

    def settling(self, seconds: float) -> None:
        """Let what AWS carries out later take so many seconds of the clock, counted from when it was accepted."""
        self._settling = seconds

    def throttle(self, match: Match) -> None:
        """Refuse calls with the throttling error of their service."""
        self._add(match, Fault(Effect.THROTTLE))

    def error(self, match: Match, code: str, status: int) -> None:
        """Refuse calls with this code and HTTP status."""
        self._add(match, Fault(Effect.ERROR, code, status))

    def lose_reply(self, match: Match) -> None:
        """Let calls take effect, and lose the answer."""
        self._add(match, Fault(Effect.LOSE_REPLY))

    def crash_before(self, match: Match) -> None:
        """Kill the calling function; the call never happens."""
        self._add(match, Fault(Effect.CRASH_BEFORE))

    def crash_after(self, match: Match) -> None:
        """Let calls take effect, and kill the calling function."""
        self._add(match, Fault(Effect.CRASH_AFTER))

    def clear(self) -> None:
        """Switch everything off, and forget what was struck."""
        with self._lock:
            self._rules.clear()
            self._struck.clear()
        self._latency = self._propagation = self._settling = 0.0

    def strike(self, call: Call) -> Fault | None:
        """Return what strikes this call; every rule counts it, the first rule whose turn it is wins."""
        with self._lock:
            due = [rule for rule in self._rules if rule.strikes(call)]
            if not due:
                return None
            self._struck.append((due[0].fault, call))
            return due[0].fault

    def _add(self, match: Match, fault: Fault) -> None:
        with self._lock:
            self._rules.append(_Rule(match, fault))
