"""Admit a code that a person passed on: in its own window, by the operator's leave, for one plan and one apply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from remediator.core.errors import WrongCode
from remediator.core.windows import window_at
from remediator.service.admission import Admitted
from remediator.service.problems import Problem, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from remediator.core.messages import BareMessage
    from remediator.core.windows import Window
    from remediator.service.admission import Admission
    from remediator.service.ports import Admissions
    from remediator.service.records import Mode

MOST_TRIES: Final = 3
"""Attempts that aren't found right before an admission is closed: three codes in a million."""


@dataclass(frozen=True, slots=True)
class ByHand:
    """Hold the second lock as it is where codes are passed on by hand.

    An attempt is counted before its code is compared, and taken back when the code was right, so that however many
    come at once no more than three wrong ones are ever compared. `bound` tells whether what the cloud authenticated
    covers the Idempotency-Key, as far as the cloud shows it.
    """

    admission: Admission
    admissions: Admissions
    bound: Callable[[Mapping[str, str]], bool]

    def require_bound(self, headers: Mapping[str, str]) -> None:
        """Raise `Refused` if it shows that somebody on the way could have exchanged the key."""
        if not self.bound(headers):
            raise Refused(Problem.INVALID_REQUEST, "Sign Idempotency-Key too: it must be among the signed headers.")

    def admit(self, message: BareMessage, mode: Mode, digest: str) -> Admitted:
        """Return what the operator left for this window, or raise `Refused`; every refused code gets the same answer.

        The window is the clock's, without its grace. `digest` is the request's; with its key, it is the same request.
        """
        window = window_at(self.admission.clock())
        standing, verifier = self.admission.verifier(window)
        opening = self.admissions.count(window)
        if opening is None:
            raise self._refuse(window, "no admission is open")
        try:
            verifier.require(self.admission.deployment, message.code, opening)
        except WrongCode:
            raise self._refuse(window, "the code isn't the window's") from None
        self._use(window, mode, f"{message.request.key}/{digest}")
        return Admitted(message.request.key, window, opening, standing)

    def _use(self, window: Window, mode: Mode, request: str) -> None:
        if window_at(self.admission.clock()) != window:
            raise self._refuse(window, "the window ended meanwhile")
        if not self.admissions.use(window, mode, request):
            raise self._refuse(window, f"the admission's {mode.value} is used up")

    def _refuse(self, window: Window, reason: str) -> Refused:
        """Say why in the log alone; close an admission that is spent, also one that a crash left open."""
        self.admission.monitor.note("refused a code by hand", reason=reason)
        if self.admissions.close_spent(window):
            self.admission.monitor.note("closed an admission: too many wrong codes")
            self.admission.monitor.count("WrongCode")
        return Refused(Problem.UNAUTHORIZED)
