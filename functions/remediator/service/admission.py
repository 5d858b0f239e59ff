"""Admit a signed request: the window is live and ours, and code, opening and signature are its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from remediator.core.errors import BadSignature, Expired, WrongCode
from remediator.service.problems import Problem, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.core.gate import Opening, Verifier
    from remediator.core.messages import SignedMessage
    from remediator.core.windows import Window
    from remediator.service.ports import Monitor, Verifiers
    from remediator.service.standing import Standing


@dataclass(frozen=True, slots=True)
class Admitted:
    """Hold what an admitted request brings to the gate, the key that names it, and how the deployment stood."""

    key: str
    window: Window
    opening: Opening
    standing: Standing


@dataclass(frozen=True, slots=True)
class Admission:
    """Hold the second lock: now, and for exactly this."""

    deployment: str
    verifiers: Verifiers
    monitor: Monitor
    clock: Callable[[], float]

    def admit(self, message: SignedMessage) -> Admitted:
        """Return what the message brings, or raise `Refused`; every refused secret gets the same answer."""
        try:
            message.require_timely(self.clock())
        except Expired as expired:
            self.monitor.note("refused a window or a signature's time", reason=str(expired))
            raise Refused(Problem.UNAUTHORIZED) from None
        standing, verifier = self.verifier(message.window)
        try:
            verifier.require(self.deployment, message.code, message.opening)
            message.require_signed(verifier.proof_key)
        except (WrongCode, BadSignature) as refused:
            self.monitor.note("refused a code or a signature", reason=str(refused))
            self.monitor.count("WrongCode")
            raise Refused(Problem.UNAUTHORIZED) from None
        return Admitted(message.request.key, message.window, message.opening, standing)

    def require_open(self) -> Standing:
        """Return how the deployment stands now, or raise `Refused` unless it is open."""
        standing = self.verifiers.standing()
        self._require_open(standing.state)
        return standing

    def verifier(self, window: Window) -> tuple[Standing, Verifier]:
        """Return how the deployment stands and a live window's verifier, or raise `Refused`: frozen, or not staged."""
        standing = self.verifiers.standing(window)
        self._require_open(standing.state)
        if standing.verifier is None:
            raise self._unavailable("the live window isn't staged")
        return standing, standing.verifier

    def _require_open(self, state: str | None) -> None:
        if state is None:
            raise self._unavailable("the rotator hasn't run yet")
        if state != "open":
            raise Refused(Problem.FROZEN, "The customer's operator has frozen the deployment; ask them.")

    def _unavailable(self, reason: str) -> Refused:
        self.monitor.note("the gate is unavailable", reason=reason)
        self.monitor.count("GateUnavailable")
        return Refused(Problem.GATE_UNAVAILABLE, "Try again in a minute.", retry_after=60)
