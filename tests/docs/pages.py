"""Find the pages that people read, and the blocks in them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def block(page: str, name: str) -> str:
    """Return the text of the fenced block of that name, such as `fix` in the one that begins with `python fix`."""
    text = (ROOT / page).read_text(encoding="utf-8")
    (found,) = re.findall(rf"^```\w+ {name}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return str(found)


def anchors(page: Path) -> set[str]:
    """Return the names under which the headings of a page can be linked to."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}
