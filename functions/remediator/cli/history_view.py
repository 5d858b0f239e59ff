"""Show the history to a person, or to a program."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from rich.text import Text

from remediator.catalogue.engine import Outcome
from remediator.cli.views import moment, outcome_text
from remediator.operator.history import BEGUN, Entry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from remediator.catalogue.spec import JSON

COLUMNS: Final = Entry.__slots__
_OUTCOME: Final = len("already rolled back")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def history_document(entries: Sequence[Entry]) -> dict[str, JSON]:
    """Return the history as a JSON object."""
    return {"entries": [entry.document() for entry in entries]}


def csv_of(entries: Sequence[Entry]) -> str:
    """Return the history as RFC 4180 has it, times in UTC.

    A caller chooses some of the texts. What a spreadsheet would take for a formula is marked as text, as OWASP advises.
    """
    lines = io.StringIO(newline="")
    writer = csv.writer(lines)
    writer.writerow(COLUMNS)
    for entry in entries:
        writer.writerow([_cell(name, value) for name, value in entry.document().items()])
    return lines.getvalue()


def history_view(entries: Sequence[Entry]) -> list[RenderableType]:
    """Return what a person sees: a line per entry, and how many there are."""
    zone = datetime.now().astimezone().tzname()
    counted = "1 entry" if len(entries) == 1 else f"{len(entries)} entries"
    return [*map(_line, entries), Text(f"{counted}; times are {zone}", style="dim")]


def _cell(name: str, value: JSON) -> str:
    if name == "at":
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _line(entry: Entry) -> Text:
    outcome = Text(BEGUN, style="yellow") if entry.outcome == BEGUN else outcome_text(Outcome(entry.outcome))
    outcome.pad_right(max(0, _OUTCOME - len(outcome)))
    parts: list[Text | str | tuple[str, str]] = [
        (f"{moment(entry.at)[:19]}  ", "dim"),
        (f"{entry.mode:<8}  ", ""),
        outcome,
        "  ",
        (entry.fix, "bold"),
        f"  {entry.target}  ",
        (f"{entry.role}  ", "dim"),
        (entry.receipt, "cyan"),
    ]
    parts += [(f"  {entry.reference}", "dim")] if entry.reference else []
    parts += [(f"  {entry.reason}", "yellow")] if entry.reason else []
    return Text.assemble(*parts)
