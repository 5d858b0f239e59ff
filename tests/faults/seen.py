"""Keep what came of each case, for the page: where `FAULTS_SEEN` names a file, each test adds its line."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.faults.kinds import Kind

if TYPE_CHECKING:
    from tests.faults.kinds import Case

SEEN: Final = Path(__file__).parent / "seen.json"
"""What came of every case at the last full run."""


def note(case: Case, ended: str) -> None:
    """Add a line, if somebody wants to know."""
    if "FAULTS_SEEN" in os.environ:
        row = [case.cloud, case.scene, f"{case.fault.call} {case.fault.number}", case.fault.kind.name, ended]
        with Path(os.environ["FAULTS_SEEN"]).open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(row) + "\n")


def read() -> dict[str, Any]:
    """Return the last full run: its date, and by cloud, scene and call what came of each kind of fault, in order."""
    return dict(json.loads(SEEN.read_text(encoding="utf-8")))


def fold(lines: Path) -> None:
    """Make the last full run of a file of lines."""
    seen: dict[str, Any] = {}
    for line in lines.read_text(encoding="utf-8").splitlines():
        cloud, scene, call, kind, ended = json.loads(line)
        row = seen.setdefault(cloud, {}).setdefault(scene, {}).setdefault(call, [None] * len(Kind))
        row[list(Kind).index(Kind[kind])] = ended
    document = {"date": time.strftime("%Y-%m-%d", time.gmtime()), "seen": seen}
    SEEN.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    fold(Path(sys.argv[1]))
