"""Show to a person, or to a program, how one thing is and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from remediator.catalogue.spec import JSON

_MARKS: Final = {True: ("✓ ", "green"), False: ("✗ ", "bold red"), None: ("· ", "dim")}


class Judged(Protocol):
    """Say how one thing is, and what to do next; `fine` is None for what couldn't be judged."""

    @property
    def about(self) -> str:
        """Return what it is about."""

    @property
    def fine(self) -> bool | None:
        """Tell whether it is as it must be."""

    @property
    def said(self) -> str:
        """Return how it is."""

    @property
    def next(self) -> str:
        """Return what to do next, if anything."""


def checks_document(checks: Iterable[Judged]) -> list[JSON]:
    """Return checks as JSON objects."""
    return [{"about": one.about, "fine": one.fine, "said": one.said, "next": one.next} for one in checks]


def check_view(check: Judged) -> list[Text]:
    """Return a check in one line, and what to do in another."""
    mark, style = _MARKS[check.fine]
    lines = [Text(mark, style=style).append(f"{check.about}: {check.said}", style="default")]
    return [*lines, Text(f"  {check.next}", style="yellow")] if check.next else lines
