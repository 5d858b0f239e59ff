"""Find the Python that runs a function: its runtime's own minor version where there is one, else the host's."""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# What Lambda keeps outside the function's zip, and what the sandboxes' clock needs.
_REQUIRED: Final = ("awslambdaric", "runtime_client", "time_machine", "_time_machine")
_PACKAGES: Final = (*_REQUIRED, "simplejson", "snapshot_restore_py")
_PROBE: Final = """
import importlib.util, json, sys
sys.path[:0] = sys.argv[2:]
print(json.dumps({name: getattr(importlib.util.find_spec(name), "origin", None) for name in sys.argv[1].split(",")}))
"""


class NoRuntime(Exception):  # noqa: N818 - errors are named for what is the case
    """Refuse to run functions where Lambda's runtime client doesn't exist."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """Name a Python and where the runtime's packages lie for it."""

    executable: Path
    minor: str
    packages: tuple[Path, ...]
    remark: str

    @property
    def tag(self) -> str:
        """Return the interpreter's minor version without a dot, as in the names of directories."""
        return self.minor.replace(".", "")


def interpreter_for(runtime: str) -> Interpreter:
    """Return the Python for a Lambda runtime such as `python3.13`; `remark` says which it is and why.

    An interpreter of the exact minor version counts only if the runtime client is installed for it, by
    `install_runtime`. Raises `NoRuntime` if neither it nor the host's own Python has the client.
    """
    match = re.fullmatch(r"python(3\.\d+)", runtime)
    if match is None:
        raise NoRuntime(f"the embedded account runs Python functions; {runtime} isn't one")
    return _interpreter(match[1])


@functools.lru_cache
def _interpreter(wanted: str) -> Interpreter:
    host = f"{sys.version_info.major}.{sys.version_info.minor}"
    if wanted == host:
        return _host(host, f"Python {host}, the runtime's own version")
    for executable in candidates(wanted):
        packages = _packages_of(executable, runtime_packages(wanted))
        if packages is not None:
            return Interpreter(executable, wanted, packages, f"Python {wanted} ({executable.name}), the runtime's own")
    return _host(host, f"Python {host}, the host's: none of {wanted} has the runtime client")


def _host(minor: str, remark: str) -> Interpreter:
    packages = _packages_of(Path(sys.executable), None)
    if packages is None:
        raise NoRuntime(
            "awslambdaric, Lambda's own runtime client, isn't installed: its wheels exist for Linux only"
            if sys.platform != "linux"
            else "awslambdaric, Lambda's own runtime client, isn't installed: install the 'local' extra"
        )
    return Interpreter(Path(sys.executable), minor, packages, remark)


def candidates(minor: str) -> list[Path]:
    """List interpreters of a minor version, nearest first: PATH, pyenv, uv."""
    found = [Path(name)] if (name := shutil.which(f"python{minor}")) else []
    home = Path.home()
    pyenv = Path(os.environ.get("PYENV_ROOT", home / ".pyenv")) / "versions"
    uv = home / ".local" / "share" / "uv" / "python"
    found += sorted(pyenv.glob(f"{minor}.*/bin/python{minor}"), reverse=True)
    found += sorted(uv.glob(f"cpython-{minor}.*/bin/python{minor}"), reverse=True)
    return [real for path in found if (real := _executable(path, minor))]


def _executable(path: Path, minor: str) -> Path | None:
    """Return the Python behind a path if it starts and is that version: a pyenv shim may stand for a missing one."""
    question = "import sys; print('%d.%d' % sys.version_info[:2], sys.executable)"
    answer = subprocess.run(  # noqa: S603 - the interpreters that this machine's own user installed
        [path, "-c", question], capture_output=True, text=True, check=False
    )
    version, _, executable = answer.stdout.strip().partition(" ")
    return Path(executable) if answer.returncode == 0 and version == minor else None


def runtime_packages(minor: str) -> Path:
    """Return where the runtime's packages for another minor version are kept, beside the host's environment."""
    return Path(sys.prefix) / "share" / "remediator" / f"lambda-runtime-{minor}"


def install_runtime(minor: str, requirements: list[str]) -> Path | None:
    """Install the runtime client for an interpreter of `minor`; return its path, or None if there is no such Python.

    `requirements` are pip's arguments (pins, a lock file, `--require-hashes`). Needs the package index: a set-up step.
    """
    target = runtime_packages(minor)
    for executable in candidates(minor):
        install = ["-m", "pip", "install", "--quiet", "--upgrade", "--target", str(target), *requirements]
        subprocess.run([executable, *install], check=True)  # noqa: S603 - pip of an interpreter found here
        return executable
    return None


def _packages_of(executable: Path, directory: Path | None) -> tuple[Path, ...] | None:
    """Return the files and folders of the runtime's packages as that interpreter finds them, None if one is missing."""
    if directory is not None and not directory.is_dir():
        return None
    extra = [str(directory)] if directory else []
    command = [str(executable), "-c", _PROBE, ",".join(_PACKAGES), *extra]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - as above
    origins: dict[str, str | None] = json.loads(answer.stdout)
    if any(origins[name] is None for name in _REQUIRED):
        return None
    files = [Path(origin) for origin in origins.values() if origin]
    return tuple(path.parent if path.name == "__init__.py" else path for path in files)
