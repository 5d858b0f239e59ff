"""Compile sources for the Python that the functions will run on, if there is one of that version here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

DEPLOYED_ROOT: Final = "/var/task"
"""Where Lambda unpacks an asset; bytecode names its source by this path, wherever it was compiled."""

_ASK: Final = "import sys; print(sys.implementation.cache_tag, *sys.version_info[:3])"


@dataclass(frozen=True, slots=True)
class Compiler:
    """Hold an interpreter of the wanted minor version."""

    python: Path
    version: str

    def compile(self, folder: Path) -> None:
        """Write bytecode beside every source in `folder`.

        It is never checked against the source, which can't change once deployed. Hashing is seeded, since the order of
        constant sets follows it.
        """
        subprocess.run(  # noqa: S603 - an interpreter we found ourselves
            [
                *(str(self.python), "-S", "-s", "-m", "compileall", "-q", "-f", "-j", "1"),
                *("--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", DEPLOYED_ROOT, str(folder)),
            ],
            check=True,
            env={"PYTHONHASHSEED": "0", "PATH": os.defpath},
        )


def find_compiler(minor: str) -> Compiler | None:
    """Find an interpreter of a minor version such as `3.13`: this one, on the path, of pyenv, of uv; or None."""
    tag = f"cpython-{minor.replace('.', '')}"
    for python in _candidates(minor):
        said = _version(python)
        if said and said[0] == tag:
            return Compiler(python, ".".join(said[1:]))
    return None


def _candidates(minor: str) -> Iterator[Path]:
    yield Path(sys.executable)
    name = f"python{minor}"
    on_path = shutil.which(name)
    if on_path is not None:
        yield Path(on_path)
    home = Path.home()
    pyenv = Path(os.environ.get("PYENV_ROOT", home / ".pyenv")) / "versions"
    uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR", home / ".local" / "share" / "uv" / "python"))
    yield from sorted(pyenv.glob(f"{minor}*/bin/{name}"))
    yield from sorted(uv.glob(f"cpython-{minor}*/bin/{name}"))


def _version(python: Path) -> list[str]:
    """Return what an interpreter says of itself; nothing if it doesn't run, as pyenv's stand-ins may not."""
    try:
        said = subprocess.run(  # noqa: S603 - a path we listed ourselves
            [str(python), "-I", "-S", "-c", _ASK], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return said.stdout.split()
