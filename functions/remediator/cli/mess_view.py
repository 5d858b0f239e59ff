"""Show a mess to a person, or as findings to a program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from remediator.cli.views import name_of

if TYPE_CHECKING:
    from rich.console import RenderableType

    from remediator.catalogue.spec import JSON
    from remediator.local.mess import Mess


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
    table = Table(box=None, pad_edge=False, show_header=False)
    for offence in mess.offences:
        name = offence.finding.fix or offence.finding.finding or ""
        table.add_row(
            Text("✗", style="red"), offence.what, Text(name, style="cyan"), name_of(dict(offence.finding.target))
        )
    for innocent in mess.innocents:
        table.add_row(Text("✓", style="green"), innocent.what, "", name_of(dict(innocent.target)))
    return [table]
