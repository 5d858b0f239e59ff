"""Move this process to the cloud's time, whenever it was shifted."""

from __future__ import annotations

import os
import struct
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import time_machine


class FollowedClock:
    """Follow the shift that the host keeps in a file: one little-endian double, seconds ahead of real time."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_RDONLY)
        self._offset = 0.0
        self._lock = threading.Lock()
        self._traveller: time_machine.Traveller | None = None

    def follow(self) -> None:
        """Take the shift over if it has changed since the last look."""
        with self._lock:
            (offset,) = struct.unpack("<d", os.pread(self._file, 8, 0))
            if offset == self._offset:
                return
            if self._traveller is None:
                self._traveller = _start_travelling()
            self._traveller.shift(offset - self._offset)
            self._offset = offset


def _start_travelling() -> time_machine.Traveller:
    import time  # noqa: PLC0415 - a worker of an unshifted cloud imports nothing that Azure's doesn't

    import time_machine  # noqa: PLC0415 - as above

    traveller = time_machine.travel(time.time(), tick=True).start()
    time.time()  # fixes the start: a travelling clock stands still until it is first read
    return traveller
