"""Give the answer to a request as a command's result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from remediator.cli.exits import Exit
from remediator.cli.failures import Failed
from remediator.cli.views import all_good, answer_view
from remediator.vendor.answers import read_answer
from remediator.vendor.errors import RefusedByPolicy

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.cli.speech import Speech
    from remediator.vendor import Answer


def give(speech: Speech, ask: Callable[[], Answer]) -> None:
    """Ask and show the answer; end with 1 if something is left to do, with 3 if policy refuses every finding."""
    refused = False
    try:
        answer = ask()
    except RefusedByPolicy as refusal:
        answer, refused = read_answer(refusal.document), True
    except ValueError as error:
        raise Failed(str(error), exit=Exit.USAGE, next="Every answer shows its id.") from None
    speech.answer(answer.document, *answer_view(answer))
    if refused:
        raise typer.Exit(Exit.REFUSED)
    if not all_good(answer.results):
        raise typer.Exit(Exit.NOT_FIXED)
