"""Show the score to a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import RenderableType

    from remediator.cli.demo.board import Board


def board_view(board: Board) -> list[RenderableType]:
    """Return the table of all lines, and the sum of them."""
    table = Table(header_style="dim", box=None, pad_edge=False, title_justify="left")
    for column in ("", "chapter", "what", "answered"):
        table.add_column(column, overflow="fold", no_wrap=column == "chapter")
    for line in board.lines:
        mark = Text("✓", style="green") if line.holds else Text("✗", style="bold red")
        answered = line.got if line.holds else f"{line.got}\ninstead of {line.wanted}"
        table.add_row(mark, Text(line.chapter, style="dim"), line.what, answered)
    return [Text("\nEverything at a glance\n", style="bold"), table, _sum(board)]


def _sum(board: Board) -> Text:
    wrong = sum(not line.holds for line in board.lines)
    times = ", ".join(f"{chapter} {seconds:.1f} s" for chapter, seconds in board.seconds.items())
    times += f"; {board.total:.0f} s in all"
    if wrong:
        return Text(f"\n{wrong} of {len(board.lines)} lines aren't as they should be ({times})", style="bold red")
    return Text(f"\nAll {len(board.lines)} lines are as they should be ({times})", style="bold green")
