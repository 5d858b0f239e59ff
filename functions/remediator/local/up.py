"""Keep an embedded account up until it is told to stop."""

from __future__ import annotations

import json
import os
import signal
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remediator.local.account import EmbeddedAccount

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType


def up(
    port: int | None, json_file: Path | None, latency_ms: int, say: Callable[[str], None], delivery: str = "automatic"
) -> None:
    """Start an account, deploy into it, rotate, and stay up until SIGINT or SIGTERM; schedules fire in real time.

    `json_file` gets, readable by its owner alone, what an outside client needs; it is removed at the end.
    """
    stop = threading.Event()
    with EmbeddedAccount(port=port or 0, latency_ms=latency_ms, real_time_schedules=True, say=say) as account:
        before = {number: signal.signal(number, _stopping(stop)) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            _prepare(account, delivery, stop, say)
            if json_file is not None and not stop.is_set():
                write_privately(json_file, account.describe())
                say(f"{json_file} says how to reach it")
            if not stop.is_set():
                say(f"up at {account.endpoint}; Ctrl-C stops it")
            stop.wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            if json_file is not None:
                json_file.unlink(missing_ok=True)


def write_privately(path: Path, document: Mapping[str, Any]) -> None:
    """Write JSON whole or not at all, readable by its owner alone from the first byte on."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # made with mode 0600
    with os.fdopen(descriptor, "w") as file:
        json.dump(document, file, indent=2)
        file.write("\n")
    Path(name).replace(path)


def _prepare(account: EmbeddedAccount, delivery: str, stop: threading.Event, say: Callable[[str], None]) -> None:
    account.deploy(delivery=delivery)
    if not stop.is_set():
        account.rotate()
        say("the gate is open: the first windows are staged")


def _stopping(stop: threading.Event) -> Callable[[int, FrameType | None], None]:
    def handler(_: int, __: FrameType | None) -> None:
        stop.set()

    return handler
