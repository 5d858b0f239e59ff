"""Fire timer functions: in real time by the cloud's clock, and on demand; late, past due, missed, doubled.

https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer: a missed moment is made up for once, marked
as past due, if the schedule is monitored; while one run is under way no other starts.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from remediator.local.azure.apps.app import timer_document

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.local.azure.apps.app import Invocation
    from remediator.local.azure.apps.ncrontab import Schedule
    from remediator.local.clock import Clock

_LOOK_SECONDS: Final = 0.2
_LATE: Final = 1.0
"""Seconds after its moment from which a firing counts as past due."""


@dataclass(slots=True)
class Timer:
    """Hold one timer function. `last` is when it fired before; None if it never did."""

    app: str
    function: str
    schedule: Schedule
    monitored: bool
    following: float
    last: float | None = None
    running: threading.Lock = field(default_factory=threading.Lock)

    def document(self, moment: float, *, past_due: bool) -> str:
        """Return what the function is told when it fires for a moment."""
        last = "0001-01-01T00:00:00+00:00" if self.last is None else _moment(self.last)
        updated = last if self.last is None else _moment(self.last)
        return timer_document(
            past_due=past_due, last=last, following=_moment(self.schedule.after(moment)), updated=updated
        )


class Ticker:
    """Fire timers when their moment comes."""

    def __init__(self, clock: Clock, invoke: Callable[[Timer, str, str], Invocation], *, real_time: bool) -> None:
        """`invoke` is given the timer, what the function is told, and the reason for the log."""
        self._clock = clock
        self._invoke = invoke
        self._timers: dict[tuple[str, str], Timer] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        if real_time:
            threading.Thread(target=self._run, daemon=True).start()

    def set(self, app: str, timers: list[Timer]) -> None:
        """Replace the timers of an app; one whose schedule is the same keeps its place."""
        with self._lock:
            before = {key: self._timers.pop(key) for key in list(self._timers) if key[0] == app}
            for timer in timers:
                known = before.get((app, timer.function))
                if known is not None and known.schedule == timer.schedule:
                    timer.following, timer.last = known.following, known.last
                self._timers[app, timer.function] = timer

    def of(self, app: str) -> list[Timer]:
        """Return an app's timers."""
        with self._lock:
            return [timer for key, timer in self._timers.items() if key[0] == app]

    def fire(
        self, timer: Timer, *, moment: float | None = None, past_due: bool = False, copies: int = 1
    ) -> list[Invocation]:
        """Fire a timer now, whatever its schedule says, and wait for what comes of it.

        `moment` is the one that it was due at, if that isn't now. A single run waits for one that is under way; two
        `copies` run at the same time, whatever else does.
        """
        due = time.time() if moment is None else moment
        if copies > 1:
            return self._run_copies(timer, due, past_due=past_due, copies=copies)
        with timer.running:
            return self._run_copies(timer, due, past_due=past_due, copies=1)

    def start(self, timer: Timer) -> None:
        """Fire a timer and don't wait for what comes of it; whoever fires it next waits for this run."""
        first = timer.running.acquire(blocking=False)

        def run() -> None:
            if not first:
                timer.running.acquire()
            try:
                self._run_copies(timer, time.time(), past_due=False, copies=1)
            finally:
                timer.running.release()

        threading.Thread(target=run, daemon=True).start()

    def _run_copies(self, timer: Timer, due: float, *, past_due: bool, copies: int) -> list[Invocation]:
        document = timer.document(due, past_due=past_due)
        results: list[Invocation] = []
        threads = [
            threading.Thread(target=lambda: results.append(self._invoke(timer, document, _reason(due))))
            for _ in range(copies)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        timer.last = due
        return results

    def close(self) -> None:
        """Fire no more."""
        self._closed.set()

    def _run(self) -> None:
        while not self._closed.wait(_LOOK_SECONDS):
            now = time.time()
            with self._lock:
                due = [timer for timer in self._timers.values() if timer.following <= now]
            for timer in due:
                threading.Thread(target=self._tick, args=(timer, now), daemon=True).start()

    def _tick(self, timer: Timer, now: float) -> None:
        """Fire a timer that is due, unless it is at work; a moment long gone counts only if it is monitored."""
        if not timer.running.acquire(blocking=False):
            return
        try:
            moment = timer.following
            if moment > now:
                return
            timer.following = timer.schedule.after(now)
            late = now - moment > _LATE
            if not late or timer.monitored:
                self._run_copies(timer, moment, past_due=late, copies=1)
        finally:
            timer.running.release()


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _reason(moment: float) -> str:
    return f"Timer fired at {_moment(moment)}"
