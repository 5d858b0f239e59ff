"""Examine a deployment: what the rotator prepared, what the gate would open for, what rings."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from remediator.core.windows import AHEAD, Window, window_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.catalogue.spec import JSON
    from remediator.operator.office import CloudName
    from remediator.service.control import Control


@dataclass(frozen=True, slots=True)
class Alarm:
    """Hold one alarm's state: OK, ALARM, INSUFFICIENT_DATA or DISABLED."""

    name: str
    state: str
    says: str


@dataclass(frozen=True, slots=True)
class Words:
    """Hold how a cloud calls what a person is shown: the place, the vendor's principal, the way to rotate at once."""

    place: str
    reader: str
    rotate: str


@dataclass(frozen=True, slots=True)
class Condition:
    """Hold how a deployment is at `now`, in Unix time.

    `answers` is what the endpoint itself says: open, frozen or unavailable. `control` says so too, and who ordered it.
    `staged` are the windows that the rotator prepared: on AWS the state table shows them, on Azure the seed vault,
    since the operator may not see the table.
    `opens` are those for which STS opens, or that have a pad where the gate is sealed; None on Azure, where a sealed
    key is the gate and the operator sees none.
    `foreign` are principals in the trust policy that don't belong there.
    """

    now: float
    cloud: CloudName
    outputs: Mapping[str, str]
    words: Words
    answers: str
    control: Control
    staged: tuple[int, ...]
    opens: tuple[int, ...] | None
    foreign: tuple[str, ...]
    alarms: tuple[Alarm, ...]

    @property
    def sealed(self) -> bool:
        """Tell whether the gate is one external id under pads, which STS compares in every window alike."""
        return self.outputs.get("Gate") == "sealed"

    @property
    def gate(self) -> str:
        """Return `open`, `frozen`, `closed`, or `foreign` where the trust policy trusts who it shouldn't."""
        if self.foreign:
            return "foreign"
        if self.control.state == "frozen":
            return "frozen"
        return "open" if self.answers == "open" and window_at(self.now).number in self.ready else "closed"

    @property
    def closes_at(self) -> int | None:
        """Return when the gate closes if the rotator never runs again; the last window's grace counts."""
        return Window(max(self.ready)).closes if self.ready else None

    @property
    def last_rotation(self) -> tuple[int, int] | None:
        """Return the five minutes in which the rotator last staged a window: it always stages three ahead."""
        if not self.staged:
            return None
        window = Window(max(self.staged) - AHEAD)
        return window.not_before, window.not_after

    @property
    def ready(self) -> set[int]:
        """Return the windows that are staged and that the gate opens for."""
        return set(self.staged) if self.opens is None else set(self.staged) & set(self.opens)

    def document(self) -> dict[str, JSON]:
        """Return the condition as a JSON object."""
        return {
            "cloud": self.cloud,
            "deployment": dict(self.outputs),
            "now": int(self.now),
            "gate": self.gate,
            "endpoint": self.answers,
            "control": self.control.state,
            "order": asdict(self.control.order) if self.control.order else None,
            "window": window_at(self.now).number,
            "staged": list(self.staged),
            "opens": None if self.opens is None else list(self.opens),
            "foreign_principals": list(self.foreign),
            "closes_at": self.closes_at,
            "last_rotation": self.last_rotation,
            "alarms": [asdict(alarm) for alarm in self.alarms],
        }
