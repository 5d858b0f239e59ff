"""Keep an embedded Azure up until it is told to stop."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

from remediator.local.azure.cloud import EmbeddedAzure
from remediator.local.azure.deployment import Order
from remediator.local.azure.mess import paths

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import FrameType


def up(
    port: int | None, json_file: Path | None, latency_ms: int, say: Callable[[str], None], delivery: str = "automatic"
) -> None:
    """Start a cloud, install into it, rotate, and stay up until SIGINT or SIGTERM; timers fire in real time.

    `port` is the proxy's. `json_file` gets, readable by its owner alone, what an outside client needs; it is removed at
    the end.
    """
    # It comes with the embedded AWS, which takes longer to import than this cloud to start.
    from remediator.local.up import write_privately  # noqa: PLC0415 - as said

    stop = threading.Event()
    with EmbeddedAzure(port=port or 0, latency_ms=latency_ms, real_time_timers=True, say=say) as cloud:
        before = {number: signal.signal(number, _stopping(stop)) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            _prepare(cloud, delivery, stop, say)
            if json_file is not None and not stop.is_set():
                write_privately(json_file, cloud.describe())
                say(f"{json_file} says how to reach it")
            if not stop.is_set():
                say(f"up behind the proxy {cloud.tunnel.url}; Ctrl-C stops it")
            stop.wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            if json_file is not None:
                json_file.unlink(missing_ok=True)


def _prepare(cloud: EmbeddedAzure, delivery: str, stop: threading.Event, say: Callable[[str], None]) -> None:
    cloud.deploy(Order(settings={"delivery": delivery}))
    for path in paths(cloud.targets):
        cloud.arm.add(path)
    if not stop.is_set():
        cloud.rotate()
        say("the gate is open: the first windows are staged")


def _stopping(stop: threading.Event) -> Callable[[int, FrameType | None], None]:
    def handler(_: int, __: FrameType | None) -> None:
        stop.set()

    return handler
