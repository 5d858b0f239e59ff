"""Install Azure's own runtime library for a Python of the deployed functions' version, if this machine has one.

A set-up step, from a lock file and with its hashes: `python -m remediator.local.azure.apps.install`. Without it, or
without such a Python, function apps run under the host's by plain calls.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

from remediator.local.azure.apps.interpreters import beside
from remediator.local.runtime.interpreters import candidates

ROOT: Final = Path(__file__).resolve().parents[5]
LOCK: Final = ROOT / "requirements" / "functions.lock"
MINOR: Final = "3.13"


def main() -> None:
    """Install, and say what for."""
    found = candidates(MINOR)
    if not found:
        sys.stdout.write(f"no Python {MINOR} here: function apps will run under the host's\n")
        return
    uv = str(Path(sys.executable).with_name("uv"))
    python = beside()
    folder = str(python.parents[1])
    for command in (
        [uv, "venv", "--quiet", "--clear", "--python", str(found[0]), folder],
        [uv, "pip", "sync", "--quiet", "--compile-bytecode", "--python", str(python), "--require-hashes", str(LOCK)],
    ):
        subprocess.run(command, check=True)  # noqa: S603 - uv, as the environment has it
    sys.stdout.write(f"function apps will run under {python}\n")


if __name__ == "__main__":
    main()
