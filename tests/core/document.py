"""Read docs/protocol.md as a test reads it: tables, and blocks with a name."""

from __future__ import annotations

import re
from pathlib import Path

TEXT = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^```\w+ ([a-z]+)\n(.*?)\n```$", re.MULTILINE | re.DOTALL)


def block(name: str) -> str:
    """Return what stands in the fenced block of that name, without a line feed at its end."""
    (found,) = [text for label, text in _BLOCK.findall(TEXT) if label == name]
    return str(found)


def blocks() -> list[str]:
    """Return the names of all fenced blocks."""
    assert TEXT.count("```") == 2 * len(_BLOCK.findall(TEXT))
    return [label for label, _ in _BLOCK.findall(TEXT)]


def table(*header: str) -> list[list[str]]:
    """Return the cells of the one table that begins with these columns, without their backquotes."""
    first = "| " + " | ".join(header) + " |"
    (start,) = [place.end() for place in re.finditer(rf"^{re.escape(first)}\n", TEXT, re.MULTILINE)]
    rows = TEXT[start:].split("\n\n")[0].splitlines()[1:]
    return [[_plain(cell) for cell in re.split(r" \| ", row.strip("| "))] for row in rows]


def _plain(cell: str) -> str:
    return cell.strip().removeprefix("`").removesuffix("`")
