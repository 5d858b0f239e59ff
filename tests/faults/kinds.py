"""Name what can go wrong with one call, and what of it a case is made."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

STRIDE = 5
"""How many calls there are for each case of every day."""


class Kind(Enum):
    """Say what goes wrong with a call; where it isn't said otherwise, it does each time that the SDK tries."""

    REFUSED = "is refused: the caller lacks the right"
    BROKEN = "fails inside the service, with status 500"
    THROTTLED_ONCE = "is throttled once"
    THROTTLED = "is throttled for good"
    RESET = "never arrives: the connection is reset"
    LOST_ONCE = "takes effect, and its reply is lost once"
    LOST = "takes effect, and its replies are lost for good"
    KILLED_BEFORE = "kills the function before it is sent"
    KILLED_AFTER = "kills the function after it took effect"

    @property
    def kills(self) -> bool:
        """Tell whether nobody is left to hear how the call ended."""
        return self in (Kind.KILLED_BEFORE, Kind.KILLED_AFTER)

    @property
    def passes(self) -> bool:
        """Tell whether the SDK's own retries are meant to make up for it."""
        return self in (Kind.THROTTLED_ONCE, Kind.LOST_ONCE)

    @property
    def repeats(self) -> bool:
        """Tell whether the call may take effect more than once before anybody hears of it."""
        return self in (Kind.LOST_ONCE, Kind.LOST)


@dataclass(frozen=True, slots=True)
class Fault:
    """Strike the `number`-th call of a name, counted from one."""

    call: str
    number: int
    kind: Kind

    def __str__(self) -> str:
        return f"{self.call} {self.number} {self.kind.name.lower()}"


@dataclass(frozen=True, slots=True)
class Case:
    """Hold one cell of the table: in which scene of which cloud which call goes wrong in which way."""

    cloud: str
    scene: str
    fault: Fault

    @property
    def id(self) -> str:
        """Return what a test report names it by."""
        return f"{self.scene}: {self.fault}"


def cases(cloud: str, scene: str, calls: Sequence[str]) -> Iterator[Case]:
    """Return a case for every call of a scene and everything that can go wrong with it."""
    for call, number in numbered(calls):
        for kind in Kind:
            yield Case(cloud, scene, Fault(call, number, kind))


def sampled(scenes: Mapping[str, Sequence[str]]) -> frozenset[tuple[str, Fault]]:
    """Return every few calls a case, so chosen that all kinds take turns: what there is time for every day."""
    kinds = list(Kind)
    calls = [(scene, call, number) for scene, calls in scenes.items() for call, number in numbered(calls)]
    return frozenset(
        (scene, Fault(call, number, kinds[place % len(kinds)]))
        for place, (scene, call, number) in enumerate(calls[::STRIDE])
    )


def numbered(calls: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Return each call with its number among those of its name."""
    for place, call in enumerate(calls):
        yield call, calls[: place + 1].count(call)
