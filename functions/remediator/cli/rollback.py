"""Undo a remediation."""

from typing import Annotated, Final

import typer

from remediator.cli.exits import Exit
from remediator.cli.failures import Failed
from remediator.cli.options import calling_command
from remediator.cli.places import Place
from remediator.cli.show import parse_receipt
from remediator.cli.speech import Speech

_FROZEN: Final = "Unfreeze it first; or take the way that needs no gate: `remediator show {} --commands` prints it."


@calling_command
def rollback(
    remediation: Annotated[str, typer.Argument(help="The remediation's id, or one of its receipts', ID/INDEX.")],
    *,
    finding: Annotated[
        list[int] | None, typer.Option(min=0, max=499, help="Index of a finding; may be repeated. Default: all.")
    ] = None,
    key: Annotated[str | None, typer.Option(help="Go on under the Idempotency-Key of an earlier try.")] = None,
    place: Place,
    speech: Speech,
) -> None:
    """Write back what was there before a remediation, only where the setting is still what was left.

    You are the operator, and sign like any caller. What somebody else changed since is `drifted` and isn't touched.

    Example:  [cyan]remediator rollback 0b7f6c1e-9a51-4f58-a7ce-2f4f5d1f4a11 --finding 0 --finding 3[/cyan]
    """
    from remediator.cli.answering import give
    from remediator.vendor.errors import Frozen

    identifier, index = parse_receipt(remediation)
    chosen = [*(finding or ()), *(() if index is None else (index,))]
    try:
        give(speech, lambda: place.operator().client().roll_back(identifier, chosen or None, key=key))
    except Frozen as frozen:
        raise Failed(frozen.title, exit=Exit.NOT_NOW, next=_FROZEN.format(remediation), key=frozen.key) from None
