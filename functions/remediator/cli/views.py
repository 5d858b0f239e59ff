"""Show remediations to a person."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Final

from rich.text import Text

from remediator.catalogue.engine import Outcome
from remediator.cli.difference import Kind, differences

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from remediator.catalogue.spec import JSON
    from remediator.vendor import Answer, Result

GOOD: Final = frozenset(
    {
        Outcome.PLANNED,
        Outcome.ALREADY_COMPLIANT,
        Outcome.FIXED,
        Outcome.ROLLED_BACK,
        Outcome.ALREADY_ROLLED_BACK,
    }
)
"""The outcomes after which nothing is left to do."""

_STYLES: Final = {Kind.ADDED: "green", Kind.REMOVED: "red", Kind.CHANGED: "yellow"}
_LONGEST: Final = 160
_OUTCOME: Final = len("rolled back")


def outcome_text(outcome: Outcome) -> Text:
    """Return an outcome in its colour."""
    waiting = outcome in (Outcome.PENDING, Outcome.NOT_STARTED, Outcome.UNVERIFIED)
    style = "green" if outcome in GOOD else "yellow" if waiting else "red"
    return Text(outcome.value.replace("_", " "), style=style)


def answer_view(answer: Answer) -> list[RenderableType]:
    """Show a remediation: a line per finding, and under it what changes."""
    shown: list[RenderableType] = [
        Text.assemble((answer.mode.value, "bold"), " ", (answer.id, "cyan"), f" {answer.state.value}")
    ]
    for result in answer.results:
        shown += [_head(result), *(indented(line) for line in _below(result))]
    return shown


def indented(line: Text) -> Text:
    """Return a line as it stands under a finding's."""
    return Text("     ").append_text(line)


def change_lines(before: JSON, after: JSON) -> list[Text]:
    """Show what changes from one state to the other, a line each."""
    shown = []
    for line in differences(before, after):
        path = f"{line.path} " if line.path not in ("", "[]") else ""
        shown.append(Text(f"{line.kind.value} {path}{_values(line.before, line.after)}", style=_STYLES[line.kind]))
    return shown


def moment(at: int) -> str:
    """Return a moment of Unix time as a person's own clock shows it."""
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def name_of(target: object) -> str:
    """Return a target in one word."""
    found = (target.get("arn") or target.get("id")) if isinstance(target, dict) else None
    if not isinstance(target, dict) or found is None:
        return json.dumps(target)
    beside = [str(value) for name, value in target.items() if name not in ("arn", "id")]
    return f"{found} ({', '.join(beside)})" if beside else str(found)


def all_good(results: Sequence[Result]) -> bool:
    """Tell whether nothing is left to do for any of them."""
    return all(result.outcome in GOOD for result in results)


def _head(result: Result) -> Text:
    outcome = outcome_text(result.outcome)
    outcome.pad_right(2 + max(0, _OUTCOME - len(outcome)))
    index = (f"{result.index:>3}  ", "dim")
    if result.fix is None:
        return Text.assemble(index, outcome, ("not reached before the deadline", "dim"))
    return Text.assemble(index, outcome, (result.fix, "bold"), "  ", (name_of(result.target), "dim"))


def _below(result: Result) -> list[Text]:
    stayed = result.outcome is Outcome.ALREADY_ROLLED_BACK
    lines = change_lines(result.before, result.after) if result.changes and not stayed else []
    if result.link:
        lines.append(Text(f"too large to show here: remediator show {result.receipt}", style="dim"))
    if result.reason:
        lines.append(Text(f"{result.reason.code}: {result.reason.message}", style="yellow"))
    return lines


def _values(before: JSON, after: JSON) -> str:
    if before is None:
        return _short(after)
    return _short(before) if after is None else f"{_short(before)} → {_short(after)}"


def _short(value: JSON) -> str:
    text = _plain(value) if isinstance(value, dict) and value else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _plain(value: dict[str, JSON]) -> str:
    """Return a flat object as `name=value` words; what isn't there isn't said. Others are JSON."""
    if any(isinstance(one, dict | list) for one in value.values()):
        return json.dumps(value, ensure_ascii=False)
    said = {name: one if isinstance(one, str) else json.dumps(one) for name, one in value.items() if one is not None}
    return " ".join(f"{name}={one}" for name, one in said.items())
