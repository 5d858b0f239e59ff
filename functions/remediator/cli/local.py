"""Start a cloud inside this process, and make a mess in it."""

from pathlib import Path
from typing import Annotated

import typer

from remediator.cli.azure import Delivery
from remediator.cli.exits import Exit
from remediator.cli.failures import Failed
from remediator.cli.mess_view import mess_document, mess_view
from remediator.cli.options import command
from remediator.cli.places import Cloud, Place
from remediator.cli.speech import Speech

app = typer.Typer(no_args_is_help=True, help="A cloud inside this process, AWS or Azure, to try things in.")


@app.command()
@command
def up(  # noqa: PLR0913 - one per option
    *,
    cloud: Annotated[Cloud, typer.Option(help="Which cloud.")] = Cloud.AWS,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of loopback, on Azure the proxy's; 0 takes a free one.")
    ] = 0,
    json: Annotated[
        Path | None,
        typer.Option("--json", metavar="FILE", help="Write there, readable by you alone, what a client needs."),
    ] = None,
    latency: Annotated[int, typer.Option(min=0, metavar="MS", help="Delay every call by this much.")] = 0,
    delivery: Annotated[Delivery, typer.Option(help="How the deployment delivers codes.")] = Delivery.automatic,
    speech: Speech,
) -> None:
    """Start the cloud, deploy into it with the CDK CLI or the installer, rotate; stay up until stopped with Ctrl-C.

    Examples:  [cyan]remediator local up --json account.json[/cyan], then in another terminal
    [cyan]remediator status --account account.json[/cyan]

    [cyan]remediator local up --cloud azure --json azure.json[/cyan]
    """
    if cloud is Cloud.AZURE:
        _up_azure(port, json, latency, delivery, speech)
        return
    from remediator.local.account import RotationFailed
    from remediator.local.deploy import DeployFailed
    from remediator.local.up import up as stay_up
    from remediator.local.witness import Unfaithful

    try:
        stay_up(port=port, json_file=json, latency_ms=latency, say=speech.note, delivery=delivery.value)
    except (DeployFailed, Unfaithful, RotationFailed) as error:
        raise Failed(str(error), exit=Exit.NOT_FIXED, next="Run `make setup`, then try again.") from None


@app.command()
@command
def seed(*, place: Place, speech: Speech) -> None:
    """Fill a cloud that `local up` started with a believable mess, and with innocents that must not change.

    Does nothing to what is there already. Prints findings that `remediator vendor apply` takes.

    Example:  [cyan]remediator local seed --account account.json --json > findings.json[/cyan], then
    [cyan]remediator vendor apply findings.json --account account.json[/cyan]
    """
    there = place.there
    if there.described is None:
        raise Failed(
            "a mess is made in an embedded cloud only",
            exit=Exit.USAGE,
            next="Name it with --account FILE, the file that `remediator local up --json FILE` writes.",
        )
    mess = there.mess()
    speech.answer(mess_document(mess), *mess_view(mess))


def _up_azure(port: int, json: Path | None, latency: int, delivery: Delivery, speech: Speech) -> None:
    from remediator.azure_install.deployments import DeploymentFailed
    from remediator.local.azure.deployment import PackagingFailed, RotationFailed
    from remediator.local.azure.up import up as stay_up

    try:
        stay_up(port=port, json_file=json, latency_ms=latency, say=speech.note, delivery=delivery.value)
    except (PackagingFailed, DeploymentFailed, RotationFailed) as error:
        raise Failed(str(error), exit=Exit.NOT_FIXED, next="Run `make setup`, then try again.") from None
