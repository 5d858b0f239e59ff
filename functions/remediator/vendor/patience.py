"""Decide how long to wait before the same request is sent again, and when to stop."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from remediator.vendor.errors import (
    GateUnavailable,
    InProgress,
    InternalError,
    Refused,
    TooManyRequests,
    TurnedAway,
    Unreachable,
)

if TYPE_CHECKING:
    from remediator.vendor.clock import CorrectedClock
    from remediator.vendor.errors import NotServed

_LOG = logging.getLogger(__name__)
_LONGEST = 16.0
_PASSING = frozenset({429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Patience:
    """Bound the waiting: `seconds` from the first try to the last, `stalls` for answers that began nothing more.

    An attempt that died holds its remediation for up to 190 seconds; whoever waits as long as this gets it after that.
    """

    seconds: float = 240.0
    stalls: int = 3


class Waiting:
    """Wait for one request. Sending it again is harmless: its Idempotency-Key makes it the same remediation."""

    def __init__(self, patience: Patience, clock: CorrectedClock) -> None:
        self._ends = clock.own() + patience.seconds
        self._next = 1.0
        self._clock = clock

    def wait(self, error: NotServed) -> None:
        """Wait as long as the answer asks, or twice as long as before; raise `error` if that isn't worth it."""
        seconds = self._wanted(error)
        if not _passes(error) or self._clock.own() + seconds > self._ends:
            raise error
        _LOG.debug("waiting %g s: %s", seconds, error)
        self._clock.sleep(seconds)

    def _wanted(self, error: NotServed) -> float:
        if isinstance(error, Refused) and error.retry_after is not None:
            return float(error.retry_after)
        wanted, self._next = self._next, min(self._next * 2, _LONGEST)
        return wanted


def _passes(error: NotServed) -> bool:
    """Tell whether what is the case may be over soon."""
    if isinstance(error, TurnedAway):
        return error.status in _PASSING
    return isinstance(error, Unreachable | InProgress | TooManyRequests | GateUnavailable | InternalError)
