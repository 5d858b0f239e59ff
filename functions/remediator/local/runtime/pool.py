"""Keep the sandboxes of one function: warm ones are reused, one invocation each at a time."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from remediator.local.runtime.functions import LogEvent, Throttled

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.local.runtime.functions import Credentials, Function
    from remediator.local.runtime.sandbox import Sandbox

# A sandbox isn't given an event that its credentials might not outlive: Lambda replaces it before.
CREDENTIALS_MARGIN: Final = 60.0


@dataclass(slots=True)
class Environment:
    """Hold a sandbox with what belongs to it: its role's session and its log stream."""

    revision: tuple[object, ...]
    credentials: Credentials
    stream: str
    sandbox: Sandbox = field(init=False)
    init_seconds: float = 0.0
    used: bool = False
    _pending: list[LogEvent] = field(default_factory=list)

    def write(self, message: str) -> None:
        """Add a line to the log."""
        self._pending.append(LogEvent(int(time.time() * 1000), message))

    def take(self) -> list[LogEvent]:
        """Return the lines added since the last time."""
        count = len(self._pending)
        taken, self._pending[:count] = self._pending[:count], []
        return taken

    def serves(self, function: Function) -> bool:
        """Say if it can take an event of this function as it is configured now."""
        lasting = self.credentials.expires > time.time() + function.timeout + CREDENTIALS_MARGIN
        return self.sandbox.alive and self.revision == function.revision and lasting


class Pool:
    """Lend environments of one function, within its reserved concurrency and the account's."""

    def __init__(self, start: Callable[[Function], Environment], concurrency: int) -> None:
        self._start = start
        self._concurrency = concurrency
        self._lock = threading.Lock()
        self._idle: list[Environment] = []
        self._busy = 0
        self._all: dict[str, Environment] = {}

    def borrow(self, function: Function) -> Environment:
        """Return a warm environment or a new one; raises `Throttled`."""
        with self._lock:
            limit = self._concurrency if function.reserved is None else function.reserved
            if self._busy >= limit:
                raise Throttled(function.name)
            self._busy += 1
            warm = self._warm(function)
        if warm is not None:
            return warm
        try:
            environment = self._start(function)
        except BaseException:
            with self._lock:
                self._busy -= 1
            raise
        with self._lock:
            self._all[environment.credentials.access_key] = environment
        return environment

    def give_back(self, environment: Environment) -> None:
        """Keep the environment warm if it lives."""
        with self._lock:
            self._busy -= 1
            if environment.sandbox.alive:
                self._idle.append(environment)
            else:
                environment.sandbox.kill()
                self._all.pop(environment.credentials.access_key, None)

    def kill(self, access_key: str) -> bool:
        """Kill the sandbox that holds these credentials; return False if there is none here."""
        with self._lock:
            environment = self._all.get(access_key)
        if environment is None:
            return False
        environment.sandbox.kill()
        return True

    def recycle(self) -> None:
        """End every idle environment, so that the next invocation starts cold."""
        with self._lock:
            self._end(self._idle)

    def close(self) -> None:
        """End every environment, busy ones too."""
        with self._lock:
            self._end(list(self._all.values()))
            self._idle.clear()

    def _warm(self, function: Function) -> Environment | None:
        stale = [environment for environment in self._idle if not environment.serves(function)]
        self._end(stale)
        return self._idle.pop() if self._idle else None

    def _end(self, environments: list[Environment]) -> None:
        for environment in tuple(environments):
            environment.sandbox.kill()
            self._all.pop(environment.credentials.access_key, None)
            if environment in self._idle:
                self._idle.remove(environment)
