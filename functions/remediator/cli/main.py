"""Put the commands together."""

from __future__ import annotations

import sys
import traceback

import typer

from remediator.cli import (
    azure,
    code,
    doctor,
    fixes,
    freeze,
    history,
    local,
    policy,
    receipts,
    roll_gate,
    rollback,
    status,
    vendor,
)
from remediator.cli.demo import command
from remediator.cli.exits import MEANING, Exit

_EXITS = "\n\n".join(f"[bold]{end.value:>2}[/bold]  {MEANING[end]}" for end in Exit)

app = typer.Typer(
    name="remediator",
    help=(
        "Repair cloud settings through a gate that only a live code opens.\n\n"
        "Try it without an account:  [cyan]remediator demo[/cyan]\n\n"
        "Look at your deployment:  [cyan]remediator status --profile security --region eu-west-1[/cyan]"
    ),
    epilog=f"[bold]Exit codes[/bold]\n\n{_EXITS}",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("status")(status.status)
app.command("doctor")(doctor.doctor)
app.add_typer(fixes.app, name="fixes")
app.command("show")(receipts.show)
app.command("history")(history.history)
app.command("rollback")(rollback.rollback)
app.command("code")(code.code)
app.command("freeze")(freeze.freeze)
app.command("unfreeze")(freeze.unfreeze)
app.command("roll-gate")(roll_gate.roll_gate)
app.add_typer(policy.app, name="policy")
app.add_typer(vendor.app, name="vendor")
app.add_typer(local.app, name="local")
app.add_typer(azure.app, name="azure")
app.command("demo")(command.demo)


def main() -> None:
    """Run the command line; what nobody expected is shown whole and ends with an exit of its own."""
    try:
        app()
    except Exception:  # noqa: BLE001 - the entry point
        traceback.print_exc()
        sys.exit(Exit.DEFECT)
