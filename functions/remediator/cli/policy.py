"""Show and edit the customer's policy."""

from pathlib import Path
from typing import Annotated

import typer

from remediator.cli.options import command
from remediator.cli.places import Place
from remediator.cli.speech import Speech

app = typer.Typer(
    help="Say what the vendor may do here, without deploying anew: which fixes, where, on what, how often.",
    no_args_is_help=True,
)


@app.command("show")
@command
def show(*, place: Place, speech: Speech) -> None:
    """Say what the policy allows, in sentences and as it is stored, and who edited it last.

    Ends with 1 if the stored policy can't be read; then it allows nothing.

    Example:  [cyan]remediator policy show --region eu-west-1[/cyan]
    """
    from remediator.cli.policy_editing import shown

    shown(place.operator(), speech)


@app.command("edit")
@command
def edit(
    *,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FILE", help="Take the whole policy from a file, or - for standard input."),
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="MEMBER=JSON", help="Change one member, such as plan_only=true. May be repeated."
        ),
    ] = None,
    place: Place,
    speech: Speech,
) -> None:
    """Edit the policy: in your EDITOR, from a file, or member by member. It counts for whatever wasn't begun.

    Saves nothing if a member isn't as it must be, or if somebody else saved meanwhile. No policy ever stops the
    operator's rollback.

    Example:  [cyan]remediator policy edit --set plan_only=true --region eu-west-1[/cyan]

    Example:  [cyan]remediator policy edit --set 'exclude=["arn:aws:s3:::payroll-*"]' --set findings_per_day=50[/cyan]
    """
    from remediator.cli.policy_editing import edited

    edited(place.operator(), speech, file=file, changes=changes or [])
