"""Find the Python that runs function apps: one with Azure's own runtime library, else the host's by plain calls."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CHOICE: Final = "REMEDIATOR_FUNCTIONS_PYTHON"
"""The environment variable that names a Python with the library, if it isn't where it is looked for."""

LIBRARY: Final = "azure_functions_runtime"
_NEEDED: Final = (
    *("azure.functions", "azure.identity", "azure.keyvault.secrets", "azure.data.tables", "azure.mgmt.core"),
    *("cryptography", "jwt", "fastjsonschema", "time_machine"),
)
_PROBE: Final = """
import importlib.util, json, sys
def there(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False
print(json.dumps({"version": "%d.%d" % sys.version_info[:2], "there": [n for n in sys.argv[1].split(",") if there(n)]}))
"""


class NoPython(Exception):  # noqa: N818 - errors are named for what is the case
    """Refuse a Python that was named and can't run function apps."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """Name a Python, how apps run under it (`library` or `plain`), and why it is this one."""

    executable: Path
    minor: str
    driver: str
    remark: str


@functools.lru_cache
def interpreter() -> Interpreter:
    """Return the Python for function apps; raises `NoPython` if the one that was named won't do."""
    named = os.environ.get(CHOICE)
    for executable in [Path(named)] if named else _candidates():
        version, there = _look(executable)
        if {LIBRARY, *_NEEDED} <= there:
            remark = f"Azure's own runtime library on Python {version} ({executable})"
            return Interpreter(executable, version, "library", remark)
        if named:
            lacking = ", ".join(sorted({LIBRARY, *_NEEDED} - there))
            raise NoPython(f"{CHOICE} names {executable}, which lacks {lacking}")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    remark = f"plain calls on Python {version}: Azure's own runtime library isn't there"
    return Interpreter(Path(sys.executable), version, "plain", remark)


def plain() -> Interpreter:
    """Return the host's own Python, by plain calls."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return Interpreter(Path(sys.executable), version, "plain", f"plain calls on Python {version}")


def beside() -> Path:
    """Return the Python of the environment that is made for the library, beside the host's own."""
    return Path(sys.prefix).with_name(".venv313") / "bin" / "python"


def _candidates() -> list[Path]:
    """List the places where the library may be."""
    return [path for path in (beside(), Path(sys.executable)) if path.exists()]


def _look(executable: Path) -> tuple[str, frozenset[str]]:
    """Return a Python's version, and which of the needed packages it has."""
    command = [str(executable), "-I", "-c", _PROBE, ",".join((LIBRARY, *_NEEDED))]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a Python found here
    if answer.returncode != 0:
        return "?", frozenset()
    facts = json.loads(answer.stdout)
    return facts["version"], frozenset(facts["there"])
