"""Say what a probe is for, and what it saw."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from live.workshop import Workshop

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Shop = TypeVar("Shop", bound=Workshop)


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
class Making:
    """Say what is made for how many minutes; `calls` are what is paid for, by the names of the price table."""

    creates: tuple[str, ...]
    minutes: float
    calls: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Probe(Generic[Shop]):
    """Hold one question to the cloud. `relies` is what the project takes to be so."""

    name: str
    relies: str
    makes: Making
    run: Callable[[Shop], Verdict]
    by_request: bool = False


def judged(seen: str, figures: Mapping[str, Any], *, holds: bool) -> Verdict:
    """Return the verdict on something that the project relies on."""
    return Verdict(Outcome.HOLDS if holds else Outcome.FAILS, seen, figures)
