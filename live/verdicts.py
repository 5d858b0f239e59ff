"""Say what a probe is for, and what it saw."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from live.workshop import Workshop


class Outcome(Enum):
    """Say what a probe found out about what the project relies on."""

    HOLDS = "holds"
    FAILS = "fails"
    MEASURED = "measured"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Hold what was seen; `figures` are seconds, counts and percents for whoever compares runs."""

    outcome: Outcome
    seen: str
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Probe:
    """Hold one question to the cloud.

    `relies` is what the project takes to be so; `creates` and `calls` are what it makes, the latter by the names of
    the price table; `minutes` is how long it takes.
    """

    name: str
    relies: str
    creates: tuple[str, ...]
    minutes: float
    run: Callable[[Workshop], Verdict]
    calls: Mapping[str, float] = field(default_factory=dict)
    by_request: bool = False


def judged(seen: str, figures: Mapping[str, Any], *, holds: bool) -> Verdict:
    """Return the verdict on something that the project relies on."""
    return Verdict(Outcome.HOLDS if holds else Outcome.FAILS, seen, figures)
