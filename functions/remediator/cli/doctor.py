"""Examine a deployment from end to end."""

import time
from typing import Annotated

import typer

from remediator.cli.check_view import check_view, checks_document
from remediator.cli.exits import Exit
from remediator.cli.options import calling_command
from remediator.cli.places import Place
from remediator.cli.speech import Speech

_PLANNED = "What to plan"
_NOT_NOW = frozenset({"state", "gate"})


@calling_command
def doctor(  # noqa: PLR0913 - one per option
    *,
    fix: Annotated[
        str | None,
        typer.Option(help="A fix's id; the account's password policy if you don't say.", rich_help_panel=_PLANNED),
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="ARN, or Azure's id, of a resource of yours.", rich_help_panel=_PLANNED)
    ] = None,
    target_region: Annotated[
        str | None, typer.Option(help="Where the ARN names no region: S3 buckets.", rich_help_panel=_PLANNED)
    ] = None,
    parameter: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="May be repeated.", rich_help_panel=_PLANNED)
    ] = None,
    place: Place,
    speech: Speech,
) -> None:
    """Examine everything that the deployment rests on, and say of each thing what to do next. It changes nothing.

    The gate, the rotation, who is told of alarms, whether the clocks agree, the write role; and a plan, from the code
    to the answer. Ends with 5 while the gate isn't open, else with 1 if something isn't right.

    Example:  [cyan]remediator doctor --fix aws.kms.enable-rotation
    --target arn:aws:kms:eu-west-1:111122223333:key/…[/cyan]
    """
    from remediator.cli.asked import Words, from_words
    from remediator.operator.doctor import diagnose

    words = Words(fix, None, [target] if target else [], target_region, parameter or (), acknowledge=True)
    given = fix or target or target_region or parameter
    (asked,) = from_words(words) if given else (None,)
    checks = []
    for check in diagnose(place.operator(), asked, time.time()):
        checks.append(check)
        for line in () if speech.json else check_view(check):
            speech.note(line)  # as soon as it is made: the plan takes a while
    speech.answer({"checks": checks_document(checks)})
    wrong = {one.about for one in checks if one.fine is False}
    if wrong:
        raise typer.Exit(Exit.NOT_NOW if wrong & _NOT_NOW else Exit.NOT_FIXED)
