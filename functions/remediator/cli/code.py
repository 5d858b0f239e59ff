"""Show the live code, as an authenticator does, and admit it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from remediator.cli.code_view import code_document, code_view, watch
from remediator.cli.exits import Exit
from remediator.cli.failures import Failed
from remediator.cli.options import calling_command
from remediator.cli.places import Place
from remediator.cli.speech import Speech
from remediator.service.errors import Frozen, NotLive, Spent


@calling_command
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

    with _passing_on():
        book = code_book(place.operator())
        live = book.live(admit=admit)
        if once or speech.json or not speech.console.is_terminal:
            speech.answer(code_document(live), *code_view(live))
            return
        watch(speech.console, book, live)


@contextmanager
def _passing_on() -> Iterator[None]:
    """End with an advice where a window can't be admitted."""
    try:
        yield
    except Frozen as frozen:
        raise Failed(str(frozen), exit=Exit.NOT_NOW, next="`remediator status` says why it isn't open.") from None
    except NotLive as ended:
        raise Failed(str(ended), exit=Exit.NOT_NOW, next="Run it again; `remediator status` if that recurs.") from None
    except Spent as spent:
        raise Failed(str(spent), exit=Exit.NOT_NOW, next="Ask who sent them; then admit the next window.") from None
