"""Keep the one clock of the embedded account: real time plus a shift that only tests and demonstrations make.

Production code has no time switch. The whole host process (the services, STS, IAM's evaluation, the function URL, the
schedules) is moved below Python, at the C functions that tell the time; the functions' sandboxes are told the shift and
move themselves the same way before each invocation.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import time_machine

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock:
    """Shift the time that this process sees; it ticks on at its ordinary speed."""

    def __init__(self) -> None:
        self._moved = threading.Condition()
        self._closed = False
        self._travel: time_machine.travel | None = None
        self._traveller: time_machine.Traveller | None = None
        self._offset = 0.0
        self._listeners: list[Callable[[float], None]] = []

    @property
    def offset(self) -> float:
        """Return how many seconds this clock is ahead of real time."""
        return self._offset

    def now(self) -> float:
        """Return the seconds since the epoch by this clock."""
        return time.time()

    def shift(self, seconds: float) -> None:
        """Move the clock; negative seconds move it back. Waiters whose moment has come wake up."""
        with self._moved:
            if self._traveller is None:
                self._travel = time_machine.travel(time.time(), tick=True)
                self._traveller = self._travel.start()
                self._traveller.time_ns()  # fixes the start: a travelling clock stands still until it is first read
            self._traveller.shift(float(seconds))
            self._offset += seconds
            self._moved.notify_all()
        for listener in tuple(self._listeners):
            listener(self._offset)

    def on_shift(self, listener: Callable[[float], None]) -> None:
        """Call `listener` with the new offset after every shift."""
        self._listeners.append(listener)

    def wait_until(self, moment: float) -> bool:
        """Sleep until the clock shows `moment`; return False if the clock was closed before."""
        with self._moved:
            while not self._closed:
                left = moment - time.time()
                if left <= 0:
                    return True
                self._moved.wait(min(left, threading.TIMEOUT_MAX))
        return False

    def close(self) -> None:
        """Return to real time and let every waiter go."""
        with self._moved:
            self._closed = True
            self._moved.notify_all()
            if self._travel is not None:
                self._travel.stop()
            self._travel = self._traveller = None
            self._offset = 0.0
