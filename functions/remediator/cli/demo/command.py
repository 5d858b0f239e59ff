"""Offer the story as a command."""

from typing import Annotated

import typer

from remediator.cli.demo.clouds import Cloud
from remediator.cli.exits import Exit
from remediator.cli.failures import Failed
from remediator.cli.options import calling_command
from remediator.cli.speech import Speech


@calling_command
def demo(
    *,
    latency: Annotated[
        int, typer.Option(min=0, metavar="MS", help="Delay every call to the account by this much.")
    ] = 0,
    cloud: Annotated[Cloud, typer.Option(help="Tell the story on this cloud.")] = Cloud.ALL,
    speech: Speech,
) -> None:
    """Show the main job on clouds inside this process: no account, no Docker, about a minute.

    Deploys with the real CDK CLI, on Azure with the project's installer; rotates, lets the vendor plan and apply every
    fix on a believable mess, rolls one back, then attacks it all and says who refused. Ends with 1 if a single line
    isn't as it should be.

    Example:  [cyan]remediator demo --json > demo.json[/cyan]
    """
    speech.note("Starting a cloud in this process …")
    from remediator.cli.demo.board_view import board_view
    from remediator.cli.demo.story import tell
    from remediator.local.account import RotationFailed
    from remediator.local.azure.deployment import PackagingFailed
    from remediator.local.azure.deployment import RotationFailed as AzureRotationFailed
    from remediator.local.deploy import DeployFailed
    from remediator.local.witness import Unfaithful

    try:
        board = tell(speech, latency_ms=latency, cloud=cloud)
    except (DeployFailed, Unfaithful, RotationFailed, PackagingFailed, AzureRotationFailed) as error:
        raise Failed(str(error), exit=Exit.NOT_FIXED, next="Run `make setup`, then try again.") from None
    speech.answer(board.document(), *board_view(board))
    if not board.holds:
        raise typer.Exit(Exit.NOT_FIXED)
