"""Say what the table needs of a cloud: a deployment whose functions run here, and what an administrator sees of it."""

from __future__ import annotations

import base64
import contextlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

from remediator.core.windows import PERIOD
from tests.service.world import Crash

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from remediator.core.seeds import Seed
    from remediator.core.windows import Window
    from tests.faults.wire import Wire

MIDDLE = 120
"""Seconds into its window at which a scene begins, as the schedule does."""


class End(Enum):
    """Say how a run of the rotator ended."""

    DONE = "done"
    FAILED = "failed, and said so"
    KILLED = "killed"


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold what the endpoint answered; what it let be seen besides is in the stage's log."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def outcomes(self) -> list[str]:
        """Return what became of each finding."""
        return [result["outcome"] for result in self.body.get("results", ())]

    @property
    def problem(self) -> str:
        """Return the problem's name, or nothing."""
        return str(self.body.get("type", "")).rpartition(":")[2]


@dataclass(frozen=True, slots=True)
class Receipt:
    """Hold a receipt as it lies in its store."""

    before: Any
    after: Any
    outcome: str | None


class Stage(ABC):
    """A deployment in one cloud, with a wire between its functions and the cloud.

    `seen` holds every seed that was ever shown, and `said` what failed runs said and what the functions logged.
    """

    cloud: str
    failed: type[Exception]
    """What a run of the rotator raises to say that it failed."""
    writes: ClassVar[Mapping[str, int]]
    """The calls that change a setting, and which of `break_settings` each one changes."""
    on_targets: ClassVar[frozenset[str]]
    """The calls that a fix makes on its target, these included: where they fail, that is the finding's outcome."""
    takes_lease: ClassVar[str]
    """The rotator's first call that writes."""
    stores_first: ClassVar[tuple[str, int]]
    """The call that stores the first receipt of an apply, and its number."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.seen: dict[Window, Seed] = {}
        self.said: list[str] = []

    def run(self) -> End:
        """Let the rotator run once."""
        try:
            self.rotate()
        except Crash:
            self.restart()
            return End.KILLED
        except self.failed as failed:
            self.said.append(f"{failed} {failed.__cause__} {[] if failed.__suppress_context__ else failed.__context__}")
            return End.FAILED
        return End.DONE

    def look(self) -> Mapping[Window, Seed]:
        """Return the seeds that are shown now; none may ever be another one than before."""
        shown = self.shown()
        for window, seed in shown.items():
            assert self.seen.setdefault(window, seed) == seed, f"the seed of {window} was changed after it was shown"
        return shown

    def require_silence(self) -> None:
        """Require that no seed was told in a log or an error."""
        said = "\n".join([*self.said, self.logged()])
        told = [form for seed in self.seen.values() for form in forms(seed.reveal()) if form in said]
        assert told == []
        self.said.clear()

    def settle(self) -> None:
        """Begin in the middle of a later window, with everything in place and nobody at work."""
        self.pass_time(2 * PERIOD + MIDDLE - self.now() % PERIOD)
        self.rotate()
        self.look()

    @abstractmethod
    def now(self) -> float:
        """Return the time."""

    @abstractmethod
    def pass_time(self, seconds: float) -> None:
        """Let time pass for everybody."""

    @abstractmethod
    def rotate(self) -> None:
        """Call the rotator's entry point."""

    @abstractmethod
    def restart(self) -> None:
        """Let the platform start both functions anew: they remember nothing."""

    @abstractmethod
    def shown(self) -> Mapping[Window, Seed]:
        """Return the seeds that the reader can see."""

    @abstractmethod
    def set_state(self, state: str | None) -> None:
        """Write the control item as the operator does; None leaves nothing staged at all, as a deployment begins."""

    @abstractmethod
    def require_whole(self) -> None:
        """Require that all that must stand does and agrees: seed, verifier, gate; and that nobody holds the lease."""

    @abstractmethod
    def require_nothing_loose(self) -> None:
        """Require that the gate opens for no window but those that are staged, each for its own opening alone."""

    @abstractmethod
    def require_closed(self) -> None:
        """Require that the gate opens for nobody, and that nothing was staged."""

    @abstractmethod
    def close_gate(self) -> None:
        """Take the gate away, as a deployment over a running one may."""

    @abstractmethod
    def opens(self) -> bool:
        """Tell whether the gate opens for anybody."""

    @abstractmethod
    def logged(self) -> str:
        """Return what the functions logged since the last time."""

    @abstractmethod
    def break_settings(self) -> list[dict[str, Any]]:
        """Return findings on new resources that have something to repair; one takes several calls to write."""

    @abstractmethod
    def setting(self, finding: Mapping[str, Any]) -> Any:
        """Return a finding's setting as an administrator reads it."""

    @abstractmethod
    def send(self, path: str, body: Any, key: str, *, who: str = "vendor", skew: float = 0) -> Answer:
        """Sign a request with the live keys, and call the remediator's entry point; may raise `Crash`."""

    @abstractmethod
    def unsettle(self, key: str) -> None:
        """Write on a remediation's receipts that nobody knows how they ended."""

    @abstractmethod
    def receipts(self, key: str) -> dict[int, Receipt]:
        """Return the receipts of a remediation by their index."""

    @abstractmethod
    def record(self, key: str) -> Mapping[str, Any] | None:
        """Return a remediation's execution record."""

    @abstractmethod
    def metrics(self) -> dict[str, float]:
        """Return what was counted since the last time."""


@contextlib.contextmanager
def frozen(stage: Stage) -> Iterator[None]:
    """Freeze a deployment's state, and give it back."""
    stage.set_state("frozen")
    try:
        yield
    finally:
        stage.set_state("open")


def forms(secret: bytes) -> list[str]:
    """Return a secret as it might be told."""
    texts = [secret.hex(), secret.hex().upper(), repr(secret)[2:-1], base64.b32encode(secret).decode().rstrip("=")]
    return [
        *texts,
        base64.b64encode(secret).decode().rstrip("="),
        base64.urlsafe_b64encode(secret).decode().rstrip("="),
    ]
