"""Lay out what a sandbox sees on disk: the function's zip and the runtime's own packages, both read-only."""

from __future__ import annotations

import base64
import io
import os
import shutil
import tempfile
import threading
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from remediator.local.runtime.functions import Function
    from remediator.local.runtime.interpreters import Interpreter


class CodeStore:
    """Unpack each version of a function once, for all its sandboxes."""

    def __init__(self) -> None:
        self._root = Path(tempfile.mkdtemp(prefix="lambda-code-"))
        self._lock = threading.Lock()

    def task_root(self, function: Function) -> Path:
        """Return the folder with the function's files, by the digest of its zip."""
        folder = self._root / base64.b16encode(function.code_digest.encode()).decode()[:48]
        with self._lock:
            if not folder.exists():
                unpacked = folder.with_suffix(".new")
                with zipfile.ZipFile(io.BytesIO(function.code)) as archive:
                    archive.extractall(unpacked)
                _forbid_writing(unpacked)
                unpacked.rename(folder)
        return folder

    def runtime_directory(self, interpreter: Interpreter) -> Path:
        """Return the folder with the runtime client for an interpreter, and nothing else of what its host has."""
        folder = self._root / f"runtime-{interpreter.tag}"
        with self._lock:
            if not folder.exists():
                folder.mkdir()
                for package in interpreter.packages:
                    (folder / package.name).symlink_to(package)
        return folder

    def bytecode_cache(self, function: Function, interpreter: Interpreter) -> Path | None:
        """Return where to keep compiled files, if the zip's own can't serve because the interpreter is another one.

        Lambda has no such place. Without it every cold start here would compile everything anew, which the deployed
        function, whose zip holds files compiled for its own runtime, doesn't do.
        """
        if function.runtime == f"python{interpreter.minor}":
            return None
        return self._root / f"bytecode-{interpreter.tag}"

    def close(self) -> None:
        """Remove everything."""
        for folder, _, _ in os.walk(self._root):
            Path(folder).chmod(0o755)
        shutil.rmtree(self._root, ignore_errors=True)


def _forbid_writing(folder: Path) -> None:
    for parent, _, names in os.walk(folder, topdown=False):
        for name in names:
            Path(parent, name).chmod(0o444)
        Path(parent).chmod(0o555)
