"""List how a command can end."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Say to the shell how it ended; the values are documented in `remediator --help` and never change meaning."""

    OK = 0
    NOT_FIXED = 1
    USAGE = 2
    REFUSED = 3
    NOT_FOUND = 4
    NOT_NOW = 5
    DEFECT = 70


MEANING = {
    Exit.OK: "everything is as asked",
    Exit.NOT_FIXED: "answered, but something wasn't fixed (or a line of the demo is wrong)",
    Exit.USAGE: "the command line, or a file it names, isn't usable",
    Exit.REFUSED: "refused by the remediator, its endpoint or the cloud; or nobody is signed in",
    Exit.NOT_FOUND: "nothing there: unreachable, no such deployment, remediation, receipt or fix",
    Exit.NOT_NOW: "not now: the gate is closed or frozen, a limit is used up, or it is still running",
    Exit.DEFECT: "a defect of this program; please report it",
}
