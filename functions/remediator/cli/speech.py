"""Speak to a person, or to a program."""

from __future__ import annotations

import json
import logging
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import RenderableType

    from remediator.catalogue.spec import JSON
    from remediator.cli.failures import Failed


_UNFOLDED = 200
"""How wide a table is, in columns, where nobody's terminal says."""


class Speech:
    """Print for a person, or, with `json`, one JSON document on standard output and nothing else there."""

    def __init__(self, *, json: bool, verbose: bool = False) -> None:
        self.json = json
        if verbose:
            _show_steps()

    def answer(self, document: JSON, *shown: RenderableType) -> None:
        """Give a command's result: the document to a program, what is shown to a person."""
        if self.json:
            sys.stdout.write(json.dumps(document, indent=2) + "\n")
            return
        for part in shown:
            self.console.print(part)

    def note(self, text: RenderableType) -> None:
        """Tell a person how it goes, on standard error where standard output belongs to a program."""
        (_console(stderr=True) if self.json else self.console).print(text)

    def agreed(self, question: str) -> bool:
        """Ask a person; where nobody can answer, the answer is no."""
        try:
            return not self.json and typer.confirm(question)
        except typer.Abort:
            return False

    def raw(self, text: str) -> None:
        """Give a command's result in a form of its own, as it is."""
        sys.stdout.write(text)

    @contextmanager
    def progress(self) -> Iterator[Callable[[str], None]]:
        """Tell how long work goes on, in one line of the terminal; nothing where standard error is none."""
        console = _console(stderr=True)
        if not console.is_terminal:
            yield _nothing
            return
        with console.status("") as status:
            yield status.update

    def failure(self, failed: Failed) -> None:
        """Say what is the case and what to do next."""
        if self.json:
            error = {"message": str(failed), "next": failed.next, "exit": int(failed.exit), "key": failed.key}
            sys.stdout.write(json.dumps({"error": error}, indent=2) + "\n")
            return

        console = _console(stderr=True)
        console.print(Text("✗ ", style="bold red").append(str(failed), style="default"))
        console.print(Text(f"  {failed.next}", style="dim"))
        if failed.key:
            console.print(Text(f"  --key {failed.key}", style="dim"))

    @property
    def console(self) -> Console:
        """Return the console for a person; colours follow NO_COLOR, FORCE_COLOR and TERM."""
        return _console(stderr=False)


def _console(*, stderr: bool) -> Console:
    """Return a console; what isn't read in a terminal isn't folded to the width of one."""
    stream = sys.stderr if stderr else sys.stdout
    terminal = stream.isatty()
    width = None if terminal or "COLUMNS" in os.environ else _UNFOLDED
    return Console(stderr=stderr, highlight=False, width=width, soft_wrap=True)


def _show_steps() -> None:
    """Show the vendor's side's steps on standard error. None of them holds a secret; the SDK's own are never shown."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("· %(message)s"))
    steps = logging.getLogger("remediator.vendor")
    steps.addHandler(handler)
    steps.setLevel(logging.DEBUG)


def _nothing(_: str) -> None:
    """Say nothing."""
