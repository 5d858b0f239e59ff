"""Show what was changed, by whom, and the way back."""

import re
from typing import Annotated, Final

import typer

from remediator.cli.evidence_view import evidence_document, evidence_view
from remediator.cli.exits import Exit
from remediator.cli.failures import Failed
from remediator.cli.options import FormerReceipts, command
from remediator.cli.places import Place
from remediator.cli.speech import Speech
from remediator.core.messages import KEY
from remediator.operator.evidence import read_evidence
from remediator.operator.way_back import ways_back

_RECEIPT: Final = re.compile(rf"(?P<id>{KEY.pattern})(?:/(?P<index>[0-9]{{1,3}}))?", re.ASCII)


@command
def show(
    receipt: Annotated[
        str, typer.Argument(help="A receipt's id, ID/INDEX; or a remediation's ID for all of its findings.")
    ],
    *,
    commands: Annotated[
        bool, typer.Option("--commands", help="Also print the cloud's own calls that undo it; none is sent.")
    ] = False,
    receipts_table: FormerReceipts = None,
    place: Place,
    speech: Speech,
) -> None:
    """Show a receipt: the setting before and after, who asked, when, and the way back.

    Reads the evidence itself, so it works while the gate is closed or frozen. With --commands it prints the way back
    that needs no gate, for whoever may change the resource: calls of [cyan]aws[/cyan] or [cyan]az rest[/cyan]. To see
    that nobody changed the setting since, it is read with the credentials you are signed in with.

    Example:  [cyan]remediator show 0b7f6c1e-9a51-4f58-a7ce-2f4f5d1f4a11/0 --commands[/cyan]
    """
    remediation, index = parse_receipt(receipt)
    office = place.operator()
    evidence = read_evidence(office, remediation, index, receipts_table)
    ways = ways_back(evidence, place.there.captor(), office.home) if commands else {}
    speech.answer(evidence_document(evidence, ways), *evidence_view(evidence, ways))


def parse_receipt(text: str) -> tuple[str, int | None]:
    """Read a receipt's id, or a remediation's, or raise `Failed`."""
    match = _RECEIPT.fullmatch(text)
    if not match:
        raise Failed(
            f"{text!r} isn't the id of a receipt or a remediation",
            exit=Exit.USAGE,
            next="A receipt's id is a remediation's, a slash and a number, as every answer shows it.",
        )
    return match["id"], int(match["index"]) if match["index"] else None
