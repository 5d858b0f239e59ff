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
    roll_gate,
    rollback,
    show,
    status,
    vendor,
)
from remediator.cli.demo import command
from remediator.cli.exits import MEANING, Exit

_EXITS = "\n\n".join(f"[bold]{end.value:>2}[/bold]  {MEANING[end]}" for end in Exit)

_LOOK = "Look"
_ACT = "Act for the customer"
_REST = "Try, install, and stand on the vendor's side"

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
app.command("status", rich_help_panel=_LOOK)(status.status)
app.command("doctor", rich_help_panel=_LOOK)(doctor.doctor)
app.add_typer(fixes.app, name="fixes", rich_help_panel=_LOOK)
app.command("show", rich_help_panel=_LOOK)(show.show)
app.command("history", rich_help_panel=_LOOK)(history.history)
app.command("rollback", rich_help_panel=_ACT)(rollback.rollback)
app.command("code", rich_help_panel=_ACT)(code.code)
app.command("freeze", rich_help_panel=_ACT)(freeze.freeze)
app.command("unfreeze", rich_help_panel=_ACT)(freeze.unfreeze)
app.command("roll-gate", rich_help_panel=_ACT)(roll_gate.roll_gate)
app.add_typer(policy.app, name="policy", rich_help_panel=_ACT)
app.add_typer(vendor.app, name="vendor", rich_help_panel=_REST)
app.add_typer(local.app, name="local", rich_help_panel=_REST)
app.add_typer(azure.app, name="azure", rich_help_panel=_REST)
app.command("demo", rich_help_panel=_REST)(command.demo)


def main() -> None:
    """Run the command line; what nobody expected is shown whole and ends with an exit of its own."""
    try:
        app()
    except Exception:  # noqa: BLE001 - the entry point
        traceback.print_exc()
        sys.exit(Exit.DEFECT)
