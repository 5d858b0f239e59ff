"""Show the live window's code, and admit it: what an operator does who passes codes on by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from remediator.operator.errors import NotFound
from remediator.vendor.clock import CorrectedClock, SystemClock
from remediator.vendor.keyring import Keyring

if TYPE_CHECKING:
    from remediator.core.codes import Code
    from remediator.core.gate import Opening
    from remediator.core.windows import Window
    from remediator.operator.office import Office
    from remediator.vendor.clock import Clock


class Desk(Protocol):
    """Leave openings with the remediator."""

    def admit(self, window: Window, opening: Opening) -> None:
        """Leave a live window's opening, once; raise `Frozen`, `NotLive` or `Spent`."""

    def admitted(self, window: Window) -> bool:
        """Tell whether the window's admission is open."""


class AutomaticDelivery(NotFound):
    """The deployment passes no codes on by hand."""


@dataclass(frozen=True, slots=True)
class LiveCode:
    """Hold a window's code, and whether it is admitted. `seconds_left` are those until the window ends, rounded up."""

    code: Code
    window: Window
    seconds_left: int
    admitted: bool


class CodeBook:
    """Know the live code by the store's time. Nothing but the six digits ever leaves it."""

    def __init__(self, keyring: Keyring, desk: Desk, clock: CorrectedClock) -> None:
        self._keyring = keyring
        self._desk = desk
        self._clock = clock

    def live(self, *, admit: bool = False) -> LiveCode:
        """Return the live code, admitted first if asked for; raise `NoLiveSeed`, and what the desk raises."""
        keys, _ = self._keyring.live()
        if admit:
            self._desk.admit(keys.window, keys.opening)
        left = keys.window.not_after - self._clock.now()
        return LiveCode(keys.code, keys.window, max(0, -int(-left // 1)), self._desk.admitted(keys.window))

    def pause(self) -> None:
        """Wait for a second."""
        self._clock.sleep(1.0)


def code_book(office: Office, clock: Clock | None = None) -> CodeBook:
    """Return the code book of a deployment, or raise `AutomaticDelivery`."""
    if office.outputs.get("Delivery") != "manual":
        raise AutomaticDelivery(
            "the deployment delivers codes automatically: the vendor reads them, and there is nothing to pass on",
            next="Deploy it with delivery=manual to pass codes on by hand: see docs/operations.md.",
        )
    corrected = CorrectedClock(clock or SystemClock())
    keyring = Keyring(office.outputs["Deployment"], office.access(), corrected)
    return CodeBook(keyring, office.desk(corrected.now), corrected)
