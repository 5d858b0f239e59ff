"""Divide time into windows of five minutes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from remediator.core.errors import Expired

PERIOD: Final = 300
"""The length of a window in seconds."""

GRACE: Final = 60
"""How long after its end a window is still honoured, in seconds: for requests already on the way."""

AHEAD: Final = 3
"""How many windows after the current one are staged, so that two lost runs cost nothing."""

LAST: Final = 10**12 - 1
"""The last window's number: twelve digits, as many as a signature's `keyid` may have."""


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A window `w`: it lives in `[300·w, 300·w + 300)`, in seconds of Unix time."""

    number: int

    def __post_init__(self) -> None:
        if not 0 <= self.number <= LAST:
            raise ValueError("windows are counted from 1970, and have at most twelve digits")

    @property
    def not_before(self) -> int:
        """Return the first second of the window."""
        return self.number * PERIOD

    @property
    def not_after(self) -> int:
        """Return the first second after the window."""
        return self.not_before + PERIOD

    @property
    def closes(self) -> int:
        """Return the first second at which not even the grace is left."""
        return self.not_after + GRACE

    def honoured_at(self, now: float) -> bool:
        """Tell whether the window, or its grace, lives at `now`."""
        return self.not_before <= now < self.closes

    def require_honoured(self, now: float) -> None:
        """Raise `Expired` unless the window, or its grace, lives at `now`."""
        if not self.honoured_at(now):
            raise Expired("the window isn't live")

    def __add__(self, windows: int) -> Window:
        return Window(self.number + windows)

    def __str__(self) -> str:
        return str(self.number)


def window_at(now: float) -> Window:
    """Return the window that lives at `now`."""
    return Window(int(now // PERIOD))


def staged_at(now: float) -> tuple[Window, ...]:
    """Return the windows that must stand at `now`: the current one and those ahead."""
    current = window_at(now)
    return tuple(current + ahead for ahead in range(AHEAD + 1))


def open_at(now: float) -> tuple[Window, ...]:
    """Return the windows the gate may know at `now`: the staged ones, and the last one during its grace."""
    last = window_at(now) + -1 if now >= PERIOD else None
    graced = (last,) if last is not None and last.honoured_at(now) else ()
    return (*graced, *staged_at(now))
