"""Install Lambda's runtime client for a Python of the deployed functions' version, if this machine has one.

A set-up step, from the lock file and with its hashes: `python -m remediator.local.runtime.install`. Without it, or
without such a Python, functions run under the host's.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path
from typing import Final

from remediator.local.runtime.interpreters import candidates, install_runtime

ROOT: Final = Path(__file__).resolve().parents[4]
LOCK: Final = ROOT / "requirements" / "dev.lock"
MINOR: Final = "3.13"
_DISTRIBUTIONS: Final = ("awslambdaric", "simplejson", "snapshot-restore-py", "time-machine")


def pins(lock: str) -> str:
    """Return the lock file's entries of what a sandbox needs, hashes included."""
    entries = re.split(r"\n(?=[a-zA-Z0-9])", lock)
    chosen = [entry for entry in entries if re.split(r"[=\[ ]", entry, maxsplit=1)[0] in _DISTRIBUTIONS]
    missing = len(_DISTRIBUTIONS) - len(chosen)
    if missing:
        raise LookupError(f"the lock file lacks {missing} of {', '.join(_DISTRIBUTIONS)}")
    return "\n".join(chosen) + "\n"


def main() -> None:
    """Install, and say what for."""
    if not candidates(MINOR):
        sys.stdout.write(f"no Python {MINOR} here: functions will run under the host's\n")
        return
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as requirements:
        requirements.write(pins(LOCK.read_text()))
        requirements.flush()
        executable = install_runtime(MINOR, ["--no-deps", "--require-hashes", "-r", requirements.name])
    sys.stdout.write(f"functions will run under {executable}\n")


if __name__ == "__main__":
    main()
