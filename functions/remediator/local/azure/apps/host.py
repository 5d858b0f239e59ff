"""Run the function apps of one embedded cloud: workers, triggers, logs."""

from __future__ import annotations

import itertools
import secrets
import threading
import time
import uuid
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from remediator.local.azure.apps import settings
from remediator.local.azure.apps.app import Invocation, LogLine
from remediator.local.azure.apps.environment import variables
from remediator.local.azure.apps.ncrontab import schedule
from remediator.local.azure.apps.routes import ordered, route
from remediator.local.azure.apps.timers import Ticker, Timer
from remediator.local.azure.apps.worker import Launch, Worker
from remediator.local.azure.entra.managed_identity import Site

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from remediator.local.azure.apps.app import Function, FunctionApp, Outcome
    from remediator.local.azure.apps.interpreters import Interpreter
    from remediator.local.azure.apps.routes import Route
    from remediator.local.azure.entra.managed_identity import IdentityEndpoint
    from remediator.local.clock import Clock

MOST_LINES: Final = 20_000
_HOST: Final = "Host.Results"


class NoSuchApp(Exception):  # noqa: N818 - errors are named for what is the case
    """Say that no app, or no function of it, has this name."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Hold what the host takes from the cloud. `door` opens one for a worker's name and returns its port."""

    clock: Clock
    clock_file: Path
    authority: Path
    hosts: tuple[str, ...]
    door: Callable[[str], int]
    identity: IdentityEndpoint
    interpreter: Callable[[], Interpreter]


class Deployed:
    """Hold one app as it runs: its workers, its log, what is known of its functions."""

    def __init__(self, app: FunctionApp) -> None:
        self.app = app
        self.settings = settings.read(app.folder)
        self.key = secrets.token_urlsafe(32)
        self.lock = threading.RLock()
        self.workers: list[Worker] = []
        self.functions: tuple[Function, ...] = ()
        self.routes: list[Route] = []
        self.driver = ""
        self.log: deque[LogLine] = deque(maxlen=MOST_LINES)

    def learn(self, worker: Worker) -> None:
        """Take over what a worker has found out about the app's functions; raises `BadApp`."""
        self.functions, self.driver = worker.functions, worker.driver
        found = [one for one in self.functions if one.kind == "httptrigger"]
        self.routes = ordered(
            [
                route(
                    one.name,
                    one.trigger.get("route"),
                    self.settings.route_prefix,
                    one.trigger.get("methods") or (),
                    str(one.trigger.get("authLevel") or "function"),
                )
                for one in found
            ]
        )

    def timers(self) -> list[Timer]:
        """Return the app's timers, due at their next moment; raises `BadApp`."""
        now = time.time()
        found = []
        for one in self.functions:
            if one.kind == "timertrigger":
                times = schedule(str(one.trigger["schedule"]), self.app.settings)
                monitored = bool(one.trigger.get("useMonitor", True))
                found.append(Timer(self.app.name, one.name, times, monitored, times.after(now)))
        return found


class AppHost:
    """Hold the apps, and invoke their functions."""

    def __init__(self, surroundings: Surroundings, *, real_time: bool) -> None:
        self._around = surroundings
        self._apps: dict[str, Deployed] = {}
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._ticker = Ticker(surroundings.clock, self._tick, real_time=real_time)
        self.on_invocation: list[Callable[[Invocation], None]] = []

    def deploy(self, app: FunctionApp) -> Deployed:
        """Put an app in the place of what had its name; returns when its functions are known. Raises `BadApp`."""
        deployed = Deployed(app)
        with self._lock:
            before, self._apps[app.name.lower()] = self._apps.get(app.name.lower()), deployed
        if before is not None:
            self._end(before)
        worker, _ = self._worker(deployed)
        worker.used = False
        self._ticker.set(app.name, deployed.timers())
        return deployed

    def remove(self, name: str) -> None:
        """Take an app away."""
        with self._lock:
            deployed = self._apps.pop(name.lower(), None)
        if deployed is not None:
            self._ticker.set(deployed.app.name, [])
            self._end(deployed)

    def app(self, name: str) -> Deployed:
        """Return an app as it runs; raises `NoSuchApp`."""
        with self._lock:
            if name.lower() not in self._apps:
                raise NoSuchApp(name)
            return self._apps[name.lower()]

    def invoke(self, name: str, function: str, payload: Mapping[str, Any], reason: str) -> Invocation:
        """Call a function with what a worker takes; raises `NoSuchApp`, `BadApp` or `NoPython`."""
        deployed = self.app(name)
        if function not in {one.name for one in deployed.functions}:
            raise NoSuchApp(f"{name} has no function {function}")
        identity = str(uuid.uuid4())
        worker, cold = self._worker(deployed)
        self._note(deployed, identity, f"Executing 'Functions.{function}' (Reason='{reason}', Id={identity})")
        before = time.monotonic()
        outcome = worker.invoke(function, identity, payload, deployed.settings.timeout)
        milliseconds = (time.monotonic() - before) * 1000
        self._conclude(deployed, function, identity, outcome, milliseconds)
        invocation = Invocation(identity, deployed.app.name, function, worker.name, outcome, cold, milliseconds)
        for listener in tuple(self.on_invocation):
            listener(invocation)
        return invocation

    def fire(
        self,
        name: str,
        function: str | None = None,
        *,
        moment: float | None = None,
        past_due: bool = False,
        copies: int = 1,
    ) -> list[Invocation]:
        """Fire a timer function now, the app's only one by default, and wait; see `Ticker.fire`."""
        return self._ticker.fire(self._timer(name, function), moment=moment, past_due=past_due, copies=copies)

    def start(self, name: str, function: str) -> None:
        """Fire a timer function and don't wait for what comes of it; raises `NoSuchApp`."""
        self._ticker.start(self._timer(name, function))

    def kill(self, worker: str) -> bool:
        """Kill a worker by its name, as a crash would; return False if there is none."""
        with self._lock:
            apps = list(self._apps.values())
        for deployed in apps:
            for one in deployed.workers:
                if one.name == worker:
                    one.kill()
                    return True
        return False

    def recycle(self, name: str | None = None) -> None:
        """End the idle workers of an app, or of all, so that the next invocation starts cold."""
        with self._lock:
            apps = [one for one in self._apps.values() if name is None or one.app.name == name]
        for deployed in apps:
            for worker in [one for one in deployed.workers if not one.busy]:
                worker.close()

    def close(self) -> None:
        """End everything."""
        self._ticker.close()
        with self._lock:
            apps, self._apps = list(self._apps.values()), {}
        for deployed in apps:
            self._end(deployed)

    def _tick(self, timer: Timer, document: str, reason: str) -> Invocation:
        return self.invoke(timer.app, timer.function, {"timer": document}, reason)

    def _timer(self, name: str, function: str | None) -> Timer:
        timers = {timer.function: timer for timer in self._ticker.of(self.app(name).app.name)}
        if function is None and len(timers) == 1:
            return next(iter(timers.values()))
        if function not in timers:
            raise NoSuchApp(f"{name} has no timer function {function or 'that is its only one'}")
        return timers[function]

    def _worker(self, deployed: Deployed) -> tuple[Worker, bool]:
        """Return the least busy worker, a new one if all are busy and there may be more; and if it is new to work."""
        with deployed.lock:
            deployed.workers = [one for one in deployed.workers if one.alive]
            chosen = min(deployed.workers, key=lambda one: one.busy, default=None)
            if chosen is None or (chosen.busy and len(deployed.workers) < deployed.app.instances):
                chosen = self._start(deployed)
            cold, chosen.used = not chosen.used, True
            return chosen, cold

    def _start(self, deployed: Deployed) -> Worker:
        app, around = deployed.app, self._around
        interpreter = around.interpreter()
        name = f"{app.name}/{next(self._numbers)}"
        launch = Launch(
            name=name,
            interpreter=interpreter,
            folder=app.folder,
            paths=_packages(app, interpreter),
            environment=variables(app, around.authority, around.identity.admit(Site(name, app.identities))),
            hosts=around.hosts,
            port=around.door(name),
            clock=around.clock_file,
        )
        worker = Worker(launch, deployed.log.append)
        worker.wait_ready()
        deployed.learn(worker)
        deployed.workers.append(worker)
        self._note(deployed, None, f"Worker {name} started: {interpreter.remark}")
        return worker

    def _note(self, deployed: Deployed, identity: str | None, text: str, level: str = "INFO") -> None:
        deployed.log.append(LogLine(time.time(), level, _HOST, text, identity))

    def _conclude(
        self, deployed: Deployed, function: str, identity: str, outcome: Outcome, milliseconds: float
    ) -> None:
        """Write what the host writes at an invocation's end: exceptions and their stacks go into the log here."""
        well = outcome.status == "success"
        if not well:
            text = f"Result: Failure\nException: {outcome.message}\nStack: {outcome.stack}"
            self._note(deployed, identity, text, "ERROR")
        ended = f"Executed 'Functions.{function}' ({'Succeeded' if well else 'Failed'}, Id={identity}, "
        self._note(deployed, identity, f"{ended}Duration={milliseconds:.0f}ms)", "INFO" if well else "ERROR")

    def _end(self, deployed: Deployed) -> None:
        for worker in deployed.workers:
            worker.close()


def _packages(app: FunctionApp, interpreter: Interpreter) -> tuple[Path, ...]:
    """Return where to import from besides the folder: its own packages only if they are for this Python."""
    own = app.folder / ".python_packages" / "lib" / "site-packages"
    return (*((own,) if own.is_dir() and interpreter.minor == app.python else ()), *app.paths)
