"""Tell the time as the other side tells it."""

from __future__ import annotations

import logging
import time
from email.utils import parsedate_to_datetime
from typing import Protocol

_LOG = logging.getLogger(__name__)
_NOTICEABLE = 2.0
"""A `Date` has whole seconds and took a while to arrive: less than this says nothing about the clock."""


class Clock(Protocol):
    """Tell Unix time in seconds, and wait."""

    def now(self) -> float:
        """Return Unix time in seconds."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """Tell this machine's time."""

    def now(self) -> float:
        """Return Unix time in seconds."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class CorrectedClock:
    """Tell the server's time: this machine's, plus what the replies' `Date` fields showed it to be off by."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset = 0.0

    def now(self) -> float:
        """Return Unix time in seconds, corrected."""
        return self._clock.now() + self._offset

    def own(self) -> float:
        """Return Unix time in seconds as this machine tells it, which no reply moves: for how long something takes."""
        return self._clock.now()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self._clock.sleep(seconds)

    def correct(self, date: str | None) -> bool:
        """Take the `Date` field of a reply that has just come, and tell whether the clock was off.

        One that isn't a date corrects nothing.
        """
        shown = seconds_of(date)
        if shown is None or abs(shown - self.now()) < _NOTICEABLE:
            return False
        self._offset = shown - self._clock.now()
        _LOG.debug("this machine's clock is off by %+.0f s", -self._offset)
        return True


def seconds_of(date: str | None) -> float | None:
    """Return the middle of the second that an HTTP date names (RFC 9110, section 5.6.7), in Unix time."""
    try:
        return parsedate_to_datetime(date or "").timestamp() + 0.5
    except ValueError:
        return None
