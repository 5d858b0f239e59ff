"""Stop everything at once, and let it go on."""

from typing import Annotated

import typer

from remediator.cli.freeze_order import ordered, require_wanted
from remediator.cli.freeze_view import FREEZING, UNFREEZING
from remediator.cli.options import command
from remediator.cli.places import Place
from remediator.cli.speech import Speech

Reason = Annotated[str, typer.Option(help="Why; `remediator status` shows it with your name and the time.")]


@command
def freeze(*, reason: Reason = "", place: Place, speech: Speech) -> None:
    """Stop at once: refuse new requests, stop what is running, close the gate. Never asks.

    AWS: sessions that are out are denied everything once IAM has spread it.

    Azure: a token that was issued already lives on for 60 to 90 minutes.

    Run it again to repair what was left undone. Nothing opens by itself.

    Ends with 1 if a step wasn't done, and says which of the others hold.

    Example:  [cyan]remediator freeze --reason "the vendor says its key leaked" --region eu-west-1[/cyan]
    """
    ordered(FREEZING, place.operator(), reason, speech, lambda freezer, order: freezer.freeze(order))


@command
def unfreeze(
    *,
    reason: Reason = "",
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    place: Place,
    speech: Speech,
) -> None:
    """Let it go on: the windows that are staged live again. Shows who froze it and why, and asks.

    Sessions from before stay stopped for good. Whoever freezes it meanwhile wins.

    Where it is open already, it repairs what an earlier run left undone.

    Ends with 1 if a step wasn't done.

    Example:  [cyan]remediator unfreeze --reason "key replaced" --yes --region eu-west-1[/cyan]
    """
    office = place.operator()
    if not yes:
        require_wanted(office, speech)
    ordered(UNFREEZING, office, reason, speech, lambda freezer, order: freezer.unfreeze(order))
