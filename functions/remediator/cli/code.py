"""Show the live code, as an authenticator does, and admit it."""

from typing import Annotated

import typer

from remediator.cli.code_view import code_document, code_view, watch
from remediator.cli.options import command
from remediator.cli.passing_on import passing_on
from remediator.cli.places import Place
from remediator.cli.speech import Speech


@command
def code(
    *,
    admit: Annotated[
        bool, typer.Option("--admit", help="Let whoever shows this window's code plan once and apply once.")
    ] = False,
    once: Annotated[bool, typer.Option("--once", help="Show it once; so it does where nobody watches.")] = False,
    place: Place,
    speech: Speech,
) -> None:
    """Show the live code with a countdown, where codes are passed on by hand. End it with Ctrl-C.

    Nobody can use it before you say --admit, and then in its window alone: the vendor sends the six digits, plans once
    and applies once. Three wrong codes close the window.

    Example:  [cyan]remediator code --admit --profile security --region eu-west-1[/cyan]
    """
    from remediator.operator.codes import code_book

    with passing_on():
        book = code_book(place.operator())
        live = book.live(admit=admit)
        if once or speech.json or not speech.console.is_terminal:
            speech.answer(code_document(live), *code_view(live))
            return
        watch(speech.console, book, live)
