"""Look through all remediations."""

import time
from typing import Annotated

import typer

from remediator.catalogue.engine import Outcome
from remediator.cli.exits import Exit
from remediator.cli.failures import Failed
from remediator.cli.history_view import csv_of, history_document, history_view
from remediator.cli.moments import moment_of
from remediator.cli.options import FormerReceipts, command
from remediator.cli.places import Place
from remediator.cli.speech import Speech
from remediator.operator.history import BEGUN, Wanted
from remediator.operator.history import history as look_through
from remediator.service.records import Mode

_WHICH = "Which entries"
Moment = Annotated[
    str | None,
    typer.Option(metavar="WHEN", help="A date, a time, or how long ago: 2026-05-01, 36h, 7d.", rich_help_panel=_WHICH),
]


@command
def history(  # noqa: PLR0913 - one per option
    *,
    since: Moment = None,
    until: Moment = None,
    fix: Annotated[list[str] | None, typer.Option(help="Id of a fix; may be repeated.", rich_help_panel=_WHICH)] = None,
    outcome: Annotated[
        list[str] | None,
        typer.Option(help="Such as fixed, drifted, failed; may be repeated.", rich_help_panel=_WHICH),
    ] = None,
    mode: Annotated[list[Mode] | None, typer.Option(help="May be repeated.", rich_help_panel=_WHICH)] = None,
    target: Annotated[
        str | None, typer.Option(metavar="PATTERN", help="Such as '*payroll*'.", rich_help_panel=_WHICH)
    ] = None,
    caller: Annotated[
        str | None, typer.Option(help="vendor, operator, or the caller's unique id.", rich_help_panel=_WHICH)
    ] = None,
    reference: Annotated[str | None, typer.Option(help="The vendor's own id.", rich_help_panel=_WHICH)] = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values and nothing else.")] = False,
    receipts_table: FormerReceipts = None,
    place: Place,
    speech: Speech,
) -> None:
    """List what was ever asked of the deployment, as far as it is kept: one line per finding, newest first.

    Reads the evidence itself, so it works while the gate is closed or frozen.

    Example:  [cyan]remediator history --since 30d --mode apply --outcome fixed --target '*payroll*' --csv[/cyan]
    """
    if csv and speech.json:
        raise Failed("--csv and --json are two forms of one thing", exit=Exit.USAGE, next="Leave one of them out.")
    now = time.time()
    wanted = Wanted(
        since=moment_of(since, now) if since else 0,
        until=moment_of(until, now) if until else None,
        fixes=frozenset(fix or ()),
        outcomes=_outcomes(outcome or ()),
        modes=frozenset(one.value for one in mode or ()),
        target=target,
        caller=caller,
        reference=reference,
    )
    office = place.operator()
    with speech.progress() as say:
        entries = look_through(
            office, office.archive(receipts_table), wanted, lambda count: say(f"{count} entries looked at …")
        )
    if csv:
        speech.raw(csv_of(entries))
        return
    speech.answer(history_document(entries), *history_view(entries))


def _outcomes(given: "list[str] | tuple[()]") -> frozenset[str]:

    known = {*(one.value for one in Outcome), BEGUN}
    if unknown := sorted(set(given) - known):
        raise Failed(
            f"there is no outcome {unknown[0]}", exit=Exit.USAGE, next=f"There are {', '.join(sorted(known))}."
        )
    return frozenset(given)
