"""Show evidence to a person."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from rich.text import Text

from remediator.cli.difference import differences
from remediator.cli.views import change_lines, indented, moment, name_of, outcome_text
from remediator.service.answers import result

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import RenderableType

    from remediator.catalogue.spec import JSON
    from remediator.operator.evidence import Evidence
    from remediator.operator.way_back import WayBack
    from remediator.service.records import Finding

_SETTINGS: Final = {
    "as_left": ("# still as it was left; these write back what was there before", "dim"),
    "unread": ("# can't be read with your credentials: see first that it is still as it was left", "yellow"),
    "already_back": ("# is already what it was before: there is nothing to write back", "green"),
    "drifted": ("# was changed by somebody since: a way back would undo that too", "red"),
}
_MORE: Final = "# more calls follow, each on what the one before left: in the end it must be as `before` says"


def evidence_document(evidence: Evidence, ways: Mapping[int, WayBack]) -> dict[str, JSON]:
    """Return the evidence as a JSON object."""
    record = evidence.record
    return {
        "id": record.id,
        "mode": record.mode.value,
        "state": record.state.value,
        "caller": {"id": record.caller, "role": evidence.caller},
        "created_at": record.created_at,
        "findings": [_finding_document(evidence, finding, ways) for finding in evidence.findings],
    }


def evidence_view(evidence: Evidence, ways: Mapping[int, WayBack]) -> list[RenderableType]:
    """Return what a person sees: who and when first, then each finding as a difference with its way back."""
    record = evidence.record
    shown: list[RenderableType] = [
        Text.assemble((record.mode.value, "bold"), " ", (record.id, "cyan"), f" {record.state.value}"),
        Text(f"asked by the {evidence.caller} ({record.caller}) at {moment(record.created_at)}", style="dim"),
    ]
    for finding in evidence.findings:
        shown += _finding(evidence, finding)
        if finding.index in ways:
            shown += _commands(ways[finding.index])
    return shown


def _finding_document(evidence: Evidence, finding: Finding, ways: Mapping[int, WayBack]) -> dict[str, JSON]:
    command, why_not = evidence.way_back(finding)
    change = finding.change
    lines = [line.document() for line in differences(change.before, change.after)] if change else []
    way_back: dict[str, JSON] = {"command": command} if command else {"none": why_not}
    if finding.index in ways:
        way = ways[finding.index]
        way_back |= {"setting": way.now.value, "commands": list(way.commands), "whole": way.whole}
    return result(finding, evidence.record.mode) | {"changes": lines, "way_back": way_back}


def _finding(evidence: Evidence, finding: Finding) -> list[RenderableType]:
    outcome = outcome_text(finding.outcome) if finding.outcome else Text("begun; its end isn't known", style="yellow")
    head = Text.assemble(
        f"\n{finding.index}  ", (finding.fix, "bold"), "  ", name_of(dict(finding.target)), "  ", outcome
    )
    lines = change_lines(finding.change.before, finding.change.after) if finding.change else []
    facts = [("at", moment(finding.at)), ("calls", ", ".join(finding.calls) or "none")]
    facts += [(name, said) for name, said in (("finding", finding.finding), ("reference", finding.reference)) if said]
    facts += [(name, json.dumps(value)) for name, value in finding.parameters.items()]
    facts += [("reason", f"{finding.reason.code}: {finding.reason.message}")] if finding.reason else []
    facts += [("undoes", finding.subject)] if finding.subject else []
    command, why_not = evidence.way_back(finding)
    facts.append(("way back", command or f"none: {why_not}"))
    below = [Text.assemble((f"{name:>9}  ", "dim"), text) for name, text in facts]
    return [head, *map(indented, lines), *map(indented, below)]


def _commands(way: WayBack) -> list[RenderableType]:
    """Return the calls as they can be pasted into a shell: nothing stands before them, and nothing is folded."""
    text, style = _SETTINGS[way.now.value]
    more = [] if way.whole else [Text(_MORE, style="yellow")]
    return [Text(text, style=style), *(Text(one, no_wrap=True, overflow="ignore") for one in way.commands), *more]
