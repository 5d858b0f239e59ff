"""Say how a deployment is."""

import time

import typer

from remediator.cli.condition_view import condition_view
from remediator.cli.exits import Exit
from remediator.cli.options import calling_command
from remediator.cli.places import Place
from remediator.cli.speech import Speech


@calling_command
def status(*, place: Place, speech: Speech) -> None:
    """Say whether the gate is open and for how long, when it was last rotated, and which alarms ring.

    Ends with 5 while the gate isn't open.

    Example:  [cyan]remediator status --profile security --region eu-west-1[/cyan]
    """
    condition = place.operator().examine(time.time())
    speech.answer(condition.document(), *condition_view(condition))
    if condition.gate != "open":
        raise typer.Exit(Exit.NOT_NOW)
