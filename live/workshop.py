"""Make what a probe needs under one prefix, keep count of it, and take it away again: what both clouds share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PREFIX: Final = "remediator-live-"
TAGS: Final = {"made-by": "remediator-live", "delete": "any time"}


class Slow(Exception):  # noqa: N818 - errors are named for what is the case
    """Say that what was waited for didn't come about in time."""


@dataclass(frozen=True, slots=True)
class Leftover:
    """Hold something that a run made and hasn't removed, and what removes it."""

    kind: str
    name: str
    remove: Callable[[], object]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(kw_only=True)
class Workshop(ABC):
    """Hold a run's clock and name. `run`, eight hexadecimal digits, tells apart what two runs make."""

    refusals: ClassVar[tuple[type[Exception], ...]]
    """What the cloud's clients raise where it refuses; a probe that meets one it didn't ask for has failed."""

    run: str
    now: Callable[[], float]
    pause: Callable[[float], None]
    say: Callable[[str], None] = lambda _: None

    def name(self, what: str) -> str:
        """Return the full name of something that is made."""
        return f"{PREFIX}{self.run}-{what}"

    def until(self, holds: Callable[[], bool], *, most: float, every: float = 2.0) -> float:
        """Ask again and again until something holds; return the seconds that took, or raise `Slow`."""
        began = self.now()
        while not holds():
            if self.now() - began > most:
                raise Slow(f"not within {most:.0f} s")
            self.pause(every)
        return self.now() - began

    @abstractmethod
    def leftovers(self) -> Iterable[Leftover]:
        """Yield everything that any run made and hasn't removed, in the order of removal."""

    def clean(self) -> list[str]:
        """Remove everything that any run left; return what it was."""
        removed = []
        for one in list(self.leftovers()):
            self.say(f"removing {one}")
            one.remove()
            removed.append(str(one))
        return removed
