"""Show a mess to a person, or as findings to a program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from remediator.cli.views import name_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import RenderableType

    from remediator.catalogue.spec import JSON
    from remediator.local.mess import Mess
    from remediator.vendor import Finding


def mess_document(mess: Mess) -> dict[str, JSON]:
    """Return the mess as a JSON object; `findings` is what `remediator vendor apply` takes."""
    return {
        "findings": [offence.finding.document() for offence in mess.offences],
        "offences": [offence.what for offence in mess.offences],
        "innocents": [
            {"what": innocent.what, "fix": innocent.fix, "target": dict(innocent.target)} for innocent in mess.innocents
        ],
    }


def mess_view(mess: Mess) -> list[RenderableType]:
    """Return what a person sees: what is wrong, then what is right and must stay."""
    wrong = [_line(("✗", "red"), one.what, one.finding.target, _named(one.finding)) for one in mess.offences]
    right = [_line(("✓", "green"), one.what, one.target, "must not change") for one in mess.innocents]
    return [*wrong, *right]


def _line(mark: tuple[str, str], what: str, target: Mapping[str, str], said: str) -> Text:
    return Text.assemble("  ", mark, f" {what}  ", (said, "cyan"), (f"  {name_of(dict(target))}", "dim"))


def _named(finding: Finding) -> str:
    return finding.fix or finding.finding or ""
