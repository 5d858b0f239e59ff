"""Show a live code to a person, and as a document."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from rich.console import Group
from rich.live import Live
from rich.text import Text

from remediator.core.windows import PERIOD

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console, RenderableType

    from remediator.catalogue.spec import JSON
    from remediator.operator.codes import CodeBook, LiveCode

_WIDTH: Final = 30
_HURRY: Final = 30
"""Seconds before its end from which a code is shown as one that won't do any more."""


def code_document(live: LiveCode) -> dict[str, JSON]:
    """Return a live code as a JSON object; the code is its only secret."""
    return {
        "code": digits(live),
        "window": live.window.number,
        "not_after": live.window.not_after,
        "seconds_left": live.seconds_left,
        "admitted": live.admitted,
    }


def code_view(live: LiveCode) -> list[RenderableType]:
    """Return what a person sees: the code, how long it lives, and what it is good for."""
    style = "bold red" if live.seconds_left <= _HURRY else "bold green"
    full = round(_WIDTH * live.seconds_left / PERIOD)
    left = f" {live.seconds_left // 60}:{live.seconds_left % 60:02} left, until {_clock(live.window.not_after)} UTC"
    bar = (("━" * full, style), ("━" * (_WIDTH - full), "dim"))
    return [Text.assemble((digits(live), style), "  ", *bar, left), _admission(live)]


def watch(console: Console, book: CodeBook, live: LiveCode, *, goes_on: Callable[[], bool] = lambda: True) -> None:
    """Show the live code anew each second, the next window's after it, until somebody presses Ctrl-C."""
    with Live(Group(*code_view(live)), console=console, auto_refresh=False, transient=True) as shown:
        try:
            while goes_on():
                book.pause()
                shown.update(Group(*code_view(book.live())), refresh=True)
        except KeyboardInterrupt:
            return


def digits(live: LiveCode) -> str:
    """Return the six digits."""
    return live.code.reveal().decode("ascii")


def _admission(live: LiveCode) -> Text:
    if live.admitted:
        return Text(f"admitted until {_clock(live.window.not_after)} UTC: one plan and one apply, no rollback")
    return Text("not admitted: nobody can use it; `remediator code --admit` lets it be used", style="dim")


def _clock(moment: int) -> str:
    return time.strftime("%H:%M:%S", time.gmtime(moment))
