"""Keep score: what was tried, who answered, what should have been answered."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import RenderableType

    from remediator.catalogue.spec import JSON


@dataclass(frozen=True, slots=True)
class Verdict:
    """Say who answered and how: `status` is HTTP's, `code` the problem's name or the cloud's error code."""

    by: str
    status: int
    code: str

    def __str__(self) -> str:
        return f"{self.by}: {self.status} {self.code}"


@dataclass(frozen=True, slots=True)
class Line:
    """Hold one line of the story; it holds if what came is what was wanted."""

    chapter: str
    what: str
    wanted: str
    got: str

    @property
    def holds(self) -> bool:
        """Tell whether it is as it should be."""
        return self.wanted == self.got


class Board:
    """Collect lines and tell each as it comes; take the time of each chapter."""

    def __init__(self, say: Callable[[RenderableType], None]) -> None:
        self.say = say
        self.lines: list[Line] = []
        self.seconds: dict[str, float] = {}
        self._chapter = ""
        self._begun = time.perf_counter()

    @contextmanager
    def chapter(self, name: str, says: str) -> Iterator[None]:
        """Tell a chapter; its time is real time, whatever the story does to the clock."""
        self._chapter = name
        self.say(f"\n[bold]{says}[/bold]")
        begun = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - begun, 1)

    def line(self, what: str, *, wanted: object, got: object) -> None:
        """Add a line to the chapter."""
        line = Line(self._chapter, what, str(wanted), str(got))
        self.lines.append(line)
        self.say(line_view(line))

    @property
    def total(self) -> float:
        """Return how long the story takes so far, in seconds, start and end of the account included."""
        return round(time.perf_counter() - self._begun, 1)

    @property
    def holds(self) -> bool:
        """Tell whether the story was told whole, and every line of it holds."""
        return bool(self.lines) and all(line.holds for line in self.lines)

    def document(self) -> dict[str, JSON]:
        """Return the board as a JSON object."""
        lines = [asdict(line) | {"holds": line.holds} for line in self.lines]
        return {"holds": self.holds, "seconds": {**self.seconds, "total": self.total}, "lines": lines}


def line_view(line: Line) -> Text:
    """Return one line as it is told."""
    if line.holds:
        return Text.assemble(("  ✓ ", "green"), line.what, "  ", (line.got, "dim"))
    return Text.assemble(("  ✗ ", "bold red"), line.what, (f"  {line.got}", "red"), f"  instead of {line.wanted}")
