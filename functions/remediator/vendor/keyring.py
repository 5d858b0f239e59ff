"""Hold the keys of the window that is live, in memory and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from remediator.core.gate import keys_of
from remediator.core.windows import window_at
from remediator.vendor.errors import NoLiveSeed

if TYPE_CHECKING:
    from remediator.core.gate import WindowKeys
    from remediator.core.seeds import SeedRecord
    from remediator.core.windows import Window
    from remediator.vendor.clock import CorrectedClock
    from remediator.vendor.transport import Call, Unsigned

_READS: Final = 3
"""One with a clock that is off, one with the clock that the store corrected, one more for the window's end."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Hold a seed record and the `Date` at which its store gave it."""

    record: SeedRecord
    date: str | None


class Access(Protocol):
    """Reach a deployment as one of its principals."""

    def authorize(self, call: Unsigned, now: float) -> Call:
        """Return the call with the principal's proof, live at `now`, or raise `NoAccess`."""

    def read(self, window: Window, now: float) -> Reading:
        """Return the record in the window's slot, maybe another window's; raise `NoAccess`, or `NoLiveSeed`."""


class Keyring:
    """Derive what signs requests from the seed record of the window that is live by the corrected clock.

    The store's clock has the last word, so an endpoint that lies about the time can't make a caller show what belongs
    to a window that hasn't begun.
    """

    def __init__(self, deployment: str, access: Access, clock: CorrectedClock) -> None:
        self._deployment = deployment
        self._access = access
        self._clock = clock
        self._keys: WindowKeys | None = None

    def live(self) -> tuple[WindowKeys, float]:
        """Return the keys of the window that is live, and the moment at which it is; raise `NoLiveSeed` if none is."""
        keys = self._keys
        for _ in range(_READS):
            now = self._clock.now()
            if keys and keys.window == window_at(now):
                return keys, now
            self._keys = keys = self._read(window_at(now))
        raise NoLiveSeed("the seed ring shows no seed for this window: the rotator has stopped, or is frozen")

    def forget(self) -> None:
        """Read again next time."""
        self._keys = None

    def _read(self, window: Window) -> WindowKeys:
        reading = self._access.read(window, self._clock.now())
        self._clock.correct(reading.date)
        if reading.record.deployment != self._deployment:
            raise NoLiveSeed("the seed ring belongs to another deployment: ask the customer for the new outputs")
        return keys_of(reading.record)
