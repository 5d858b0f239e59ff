"""Read from the command line when something was."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from remediator.cli.exits import Exit
from remediator.cli.failures import Failed

_AGO: Final = re.compile(r"([0-9]{1,6})([mhd])", re.ASCII)
_SECONDS: Final = {"m": 60, "h": 3600, "d": 86_400}


def moment_of(text: str, now: float) -> int:
    """Return Unix time: so long before now, or ISO 8601, by this machine's zone where it names none."""
    ago = _AGO.fullmatch(text)
    if ago:
        return int(now) - int(ago[1]) * _SECONDS[ago[2]]
    try:
        return int(datetime.fromisoformat(text).timestamp())
    except (ValueError, OverflowError, OSError):
        raise Failed(
            f"{text!r} is no date, no time and no span of time",
            exit=Exit.USAGE,
            next="Write 2026-05-01, 2026-05-01T14:30, 2026-05-01T12:30:00Z, 90m, 36h or 7d.",
        ) from None
