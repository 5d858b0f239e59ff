"""Show what was changed, by whom, and the way back."""

# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that --help is instant

from typing import Annotated

import typer

from remediator.cli.options import command
from remediator.cli.places import Place
from remediator.cli.speech import Speech


@command
def show(
    receipt: Annotated[
        str, typer.Argument(help="A receipt's id, ID/INDEX; or a remediation's ID for all of its findings.")
    ],
    *,
    place: Place,
    speech: Speech,
) -> None:
    """Show a receipt: the setting before and after, who asked, when, and the way back.

    Reads the evidence itself, so it works while the gate is closed or frozen.

    Example:  [cyan]remediator show 0b7f6c1e-9a51-4f58-a7ce-2f4f5d1f4a11/0[/cyan]
    """
    from remediator.cli.evidence import parse_receipt, read_evidence
    from remediator.cli.evidence_view import evidence_view

    remediation, index = parse_receipt(receipt)
    evidence = read_evidence(place.operator(), remediation, index)
    speech.answer(evidence.document(), *evidence_view(evidence))
