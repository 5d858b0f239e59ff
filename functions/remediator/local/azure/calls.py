"""Keep a log of every call that reached the embedded Azure."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Call:
    """Hold one call. `at` is Unix seconds by the one clock; `operation` is the action that the decision was about.

    `principal` is the caller's object id, empty if nobody was authenticated; `origin` the function worker that the
    call came from. `checked` is every (action, scope) that was looked at. `status` is 0 until there is an answer.
    """

    at: float
    service: str
    operation: str
    resource: str
    principal: str = ""
    origin: str | None = None
    checked: tuple[tuple[str, str], ...] = ()
    allowed: bool = True
    reason: str = ""
    status: int = 0


class CallLog:
    """Collect calls from all threads, in the order of their decisions; it grows until `reset`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: list[Call] = []

    def record(self, call: Call) -> int:
        """Add one call; return its place."""
        with self._lock:
            self._calls.append(call)
            return len(self._calls) - 1

    def answered(self, place: int, status: int) -> None:
        """Note how the call at a place was answered."""
        with self._lock:
            if place < len(self._calls):
                self._calls[place] = replace(self._calls[place], status=int(status))

    def mark(self) -> int:
        """Return a place in the log, for `since`."""
        with self._lock:
            return len(self._calls)

    def since(self, mark: int = 0) -> tuple[Call, ...]:
        """Return the calls after a mark."""
        with self._lock:
            return tuple(self._calls[mark:])

    def of(self, service: str, *, since: int = 0) -> tuple[Call, ...]:
        """Return the calls of one service: `entra`, `identity`, `graph`, `vault`, `tables`, `arm` or `apps`."""
        return tuple(call for call in self.since(since) if call.service == service)

    def by(self, principal: str, *, since: int = 0) -> tuple[Call, ...]:
        """Return the calls that a principal made, by its object id."""
        return tuple(call for call in self.since(since) if call.principal == principal)

    def reset(self) -> None:
        """Forget everything; earlier marks lose their meaning."""
        with self._lock:
            self._calls.clear()
