"""Stand between a function and its cloud, count the calls, and let one of them go wrong.

A cloud's own wire says how its SDK is watched and what its services' refusals look like. What is between the attempts
is the SDK's own: its retries, its pauses, what it takes for a throttled call.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.faults.kinds import Fault, Kind
from tests.service.world import Crash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass
class Sent:
    """Hold one call of the function, over all the times that the SDK tries it."""

    name: str
    kind: Kind | None = None
    tries: int = 0
    effects: int = 0
    """How often it reached the cloud."""


@dataclass
class Wire(ABC):
    """Count what a function calls while it is watched; who was killed calls nothing any more."""

    calls: list[Sent] = field(default_factory=list)
    fault: Fault | None = None
    watched: bool = False
    dead: bool = False
    struck: bool = False
    away: str = ""
    """The service that can't be reached, or nothing."""
    before: Callable[[str], None] = lambda _: None
    """What is looked at before a call reaches the cloud."""
    _counting: threading.Lock = field(default_factory=threading.Lock)
    _silent: threading.local = field(default_factory=threading.local)

    @contextmanager
    def watching(self, fault: Fault | None = None, *, away: str = "") -> Iterator[list[Sent]]:
        """Count from one on, and let a call go wrong, or all of a service's."""
        self.calls = []
        self.fault, self.away, self.watched, self.dead, self.struck = fault, away, True, False, False
        try:
            yield self.calls
        finally:
            self.fault, self.away, self.watched, self.dead = None, "", False, False

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Let this thread call as the test, and not as the function."""
        before = getattr(self._silent, "now", False)
        self._silent.now = True
        try:
            yield
        finally:
            self._silent.now = before

    @property
    def names(self) -> list[str]:
        """Return what was called, in order."""
        return [sent.name for sent in self.calls]

    def effects(self, *names: str) -> Counter[str]:
        """Return how often calls of these names reached the cloud."""
        counted: Counter[str] = Counter()
        for sent in self.calls:
            if sent.name in names:
                counted[sent.name] += sent.effects
        return counted

    def begin(self, name: str) -> Sent | None:
        """Count a call before its first try."""
        if not self.watched or getattr(self._silent, "now", False):
            return None
        with self._counting:
            number = 1 + sum(sent.name == name for sent in self.calls)
            sent = Sent(name)
            if self.fault and (self.fault.call, self.fault.number) == (name, number):
                sent.kind, self.struck = self.fault.kind, True
            elif self.away and name.startswith(self.away):
                sent.kind, self.struck = Kind.RESET, True
            self.calls.append(sent)
        return sent

    def carry(self, sent: Sent, send: Callable[[], Any], request: Any) -> Any:
        """Try a call: send it, or let happen to it what was chosen."""
        if self.dead:
            raise Crash(sent.name)
        sent.tries += 1
        if sent.kind is Kind.KILLED_BEFORE:
            self.die(sent)
        if sent.kind is Kind.RESET:
            raise self.lost(request)
        if sent.kind in _ANSWERED and not (sent.kind is Kind.THROTTLED_ONCE and sent.tries > 1):
            return self.refusal(sent, request)
        with self.quiet():
            self.before(sent.name)
        answer = send()
        sent.effects += 1
        if sent.kind is Kind.KILLED_AFTER:
            self.die(sent)
        if sent.kind is Kind.LOST or (sent.kind is Kind.LOST_ONCE and sent.tries == 1):
            raise self.lost(request)
        return answer

    def die(self, sent: Sent) -> None:
        """Kill the function."""
        self.dead = True
        raise Crash(sent.name)

    @abstractmethod
    def lost(self, request: Any) -> Exception:
        """Return what the SDK's transport raises where a connection breaks."""

    @abstractmethod
    def refusal(self, sent: Sent, request: Any) -> Any:
        """Return the answer with which a service refuses a call, or says that it failed."""


_ANSWERED = frozenset({Kind.REFUSED, Kind.BROKEN, Kind.THROTTLED, Kind.THROTTLED_ONCE})
