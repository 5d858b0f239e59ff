"""Break the embedded Azure on purpose: slow, throttled, failing, half-done, killed, late.

A rule says which calls it strikes (who, from where, what; from the n-th match on; how many times) and what happens to
them. Rules strike calls that were allowed; what is refused is answered as it is, and isn't counted.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.local.azure.calls import Call


class Effect(Enum):
    """Say what happens to a struck call."""

    THROTTLE = "refused as too many, the way its service says it; nothing happens"
    ERROR = "refused with the given code and status; nothing happens"
    LOSE_REPLY = "takes effect, and the connection closes without an answer"
    CRASH_BEFORE = "never happens; the function worker that made it is killed"
    CRASH_AFTER = "takes effect; the function worker that made it is killed before it hears so"


@dataclass(frozen=True, slots=True)
class Match:
    """Choose calls. All but `service` may hold wildcards; action and resource are looked for among all checked.

    The first `nth - 1` matching calls pass; then `times` calls are struck (None: all of them).
    """

    service: str | None = None
    principal: str | None = None
    origin: str | None = None
    operation: str | None = None
    resource: str | None = None
    nth: int = 1
    times: int | None = 1

    def chooses(self, call: Call) -> bool:
        """Tell whether a call is of this kind, whatever its number."""
        if self.service is not None and call.service != self.service:
            return False
        if self.principal is not None and not fnmatchcase(call.principal, self.principal):
            return False
        if self.origin is not None and not fnmatchcase(call.origin or "", self.origin):
            return False
        return any(
            (self.operation is None or fnmatchcase(operation.lower(), self.operation.lower()))
            and (self.resource is None or fnmatchcase(resource.lower(), self.resource.lower()))
            for operation, resource in ((call.operation, call.resource), *call.checked)
        )


@dataclass(frozen=True, slots=True)
class Fault:
    """Hold what strikes a call; `seconds` only for `THROTTLE`, `code` and `status` only for `ERROR`."""

    effect: Effect
    code: str = ""
    status: int = 0
    seconds: int = 0


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


@dataclass(slots=True)
class Delays:
    """Hold how late each part of the cloud notices a change, in seconds of the clock.

    `roles`: role assignments, made or removed; `credentials`: new certificates and secrets of app registrations;
    `deletions`: deleted secrets, until they show among the deleted ones.
    """

    roles: float = 0.0
    credentials: float = 0.0
    deletions: float = 0.0


class Faults:
    """Hold the faults that are switched on. `kill` is given the name of a function worker."""

    def __init__(self, kill: Callable[[str], object] | None = None) -> None:
        self.kill = kill
        self.delays = Delays()
        self._lock = threading.Lock()
        self._rules: list[_Rule] = []
        self._struck: list[tuple[Fault, Call]] = []
        self._latency = 0.0

    @property
    def latency_seconds(self) -> float:
        """Return how long every call waits before it is looked at."""
        return self._latency

    @property
    def struck(self) -> tuple[tuple[Fault, Call], ...]:
        """Return what struck which call, in order; a test that finds nothing here tested nothing."""
        with self._lock:
            return tuple(self._struck)

    def latency(self, milliseconds: float) -> None:
        """Delay every call, in real time."""
        self._latency = milliseconds / 1000

    def throttle(self, match: Match, *, seconds: int = 1) -> None:
        """Refuse calls as their service does when it is called too often, with `Retry-After`."""
        self._add(match, Fault(Effect.THROTTLE, seconds=seconds))

    def error(self, match: Match, code: str, status: int) -> None:
        """Refuse calls with this code and HTTP status."""
        self._add(match, Fault(Effect.ERROR, code, status))

    def lose_reply(self, match: Match) -> None:
        """Let calls take effect, and lose the answer."""
        self._add(match, Fault(Effect.LOSE_REPLY))

    def crash_before(self, match: Match) -> None:
        """Kill the calling function worker; the call never happens."""
        self._add(match, Fault(Effect.CRASH_BEFORE))

    def crash_after(self, match: Match) -> None:
        """Let calls take effect, and kill the calling function worker."""
        self._add(match, Fault(Effect.CRASH_AFTER))

    def clear(self) -> None:
        """Switch everything off, and forget what was struck."""
        with self._lock:
            self._rules.clear()
            self._struck.clear()
        self._latency = 0.0
        self.delays.roles = self.delays.credentials = self.delays.deletions = 0.0

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
