"""Start an account inside this process, and make a mess in it."""

# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that --help is instant

from pathlib import Path
from typing import Annotated, Any

import typer

from remediator.cli.options import command
from remediator.cli.places import Place
from remediator.cli.speech import Speech

app = typer.Typer(no_args_is_help=True, help="An AWS account inside this process, to try things in.")


@app.command()
@command
def up(
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of loopback; 0 takes a free one.")] = 0,
    json: Annotated[
        Path | None,
        typer.Option("--json", metavar="FILE", help="Write there, readable by you alone, what a client needs."),
    ] = None,
    latency: Annotated[int, typer.Option(min=0, metavar="MS", help="Delay every call by this much.")] = 0,
    speech: Speech,
) -> None:
    """Start the account, deploy into it with the CDK CLI, rotate; stay up until stopped with Ctrl-C.

    Example:  [cyan]remediator local up --json account.json[/cyan], then in another terminal
    [cyan]remediator status --account account.json[/cyan]
    """
    from remediator.cli.exits import Exit
    from remediator.cli.failures import Failed
    from remediator.local.account import RotationFailed
    from remediator.local.deploy import DeployFailed
    from remediator.local.up import up as stay_up
    from remediator.local.witness import Unfaithful

    try:
        stay_up(port=port, json_file=json, latency_ms=latency, say=speech.note)
    except (DeployFailed, Unfaithful, RotationFailed) as error:
        raise Failed(str(error), exit=Exit.NOT_FIXED, next="Run `make setup`, then try again.") from None


@app.command()
@command
def seed(*, place: Place, speech: Speech) -> None:
    """Fill an account that `local up` started with a believable mess, and with innocents that must not change.

    Does nothing to what is there already. Prints findings that `remediator vendor apply` takes.

    Example:  [cyan]remediator local seed --account account.json --json > findings.json[/cyan], then
    [cyan]remediator vendor apply findings.json --account account.json[/cyan]
    """
    from remediator.cli.aws_place import AwsPlace
    from remediator.cli.exits import Exit
    from remediator.cli.failures import Failed
    from remediator.cli.mess_view import mess_document, mess_view
    from remediator.local.mess import make_mess

    there = place.there
    if there.described is None:
        raise Failed(
            "a mess is made in an embedded account only",
            exit=Exit.USAGE,
            next="Name it with --account FILE, the file that `remediator local up --json FILE` writes.",
        )
    if not isinstance(there, AwsPlace):
        raise Failed("a mess is made on AWS only, so far", exit=Exit.USAGE, next="Name an account of AWS.")
    session: Any = there.session("admin")
    mess = make_mess(lambda service: session.client(service, endpoint_url=there.endpoint_url), session.region_name)
    speech.answer(mess_document(mess), *mess_view(mess))
