"""Start a worker: prepare the process as the host says, load the app, call its functions as they are asked for.

Arguments: the folder that this package was found in, and the file descriptor of the channel to the host.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from .clock import FollowedClock
from .driver import Driver, HttpTrigger, NotLoaded
from .frames import Channel
from .guard import Guard
from .library import RuntimeLibrary
from .logs import install
from .plain import PlainCalls

if TYPE_CHECKING:
    from collections.abc import Callable

_THREADS = 32
_DRIVERS: dict[str, Callable[[], Driver]] = {"library": RuntimeLibrary, "plain": PlainCalls}


class Worker:
    """Hold the channel to the host, the clock and the app."""

    def __init__(self, channel: Channel, clock: FollowedClock, driver: Driver) -> None:
        self._channel = channel
        self._clock = clock
        self._driver = driver

    def serve(self, folder: str) -> None:
        """Load the app and call its functions until the host goes away."""
        self._clock.follow()
        try:
            functions = self._driver.load(folder)
        except NotLoaded as error:
            self._channel.send({"kind": "failed", "message": str(error), "driver": self._driver.name})
            return
        self._channel.send({"kind": "ready", "functions": functions, "driver": self._driver.name})
        with ThreadPoolExecutor(_THREADS) as pool:
            while (message := self._channel.receive()) is not None:
                self._clock.follow()
                pool.submit(self._call, message)

    def _call(self, message: dict[str, Any]) -> None:
        trigger = HttpTrigger.from_message(message["http"]) if "http" in message else message["timer"]
        outcome = self._driver.call(message["function"], message["invocation"], trigger)
        sys.stdout.flush()
        with contextlib.suppress(OSError):
            self._channel.send({"kind": "done", "invocation": message["invocation"], **outcome})


def main() -> None:
    """Arrange the process, and serve."""
    _, own_folder, descriptor = sys.argv
    sys.path.remove(own_folder)
    sys.argv[1:] = []
    channel = Channel(socket.socket(fileno=int(descriptor)))
    start = channel.receive()
    if start is None:
        return
    sys.path[:0] = [start["folder"], *start["paths"]]
    os.chdir(start["folder"])
    driver = _DRIVERS[start["driver"]]()
    install(channel, driver.current)
    with Guard(start["hosts"], start["port"]):
        Worker(channel, FollowedClock(start["clock"]), driver).serve(start["folder"])


if __name__ == "__main__":
    main()
