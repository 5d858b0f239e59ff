"""Share the clock's shift with other processes, through a file of eight bytes."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from remediator.local.clock import Clock


class SharedOffset:
    """Keep in a file how many seconds the cloud's clock is ahead of real time, as one little-endian double."""

    def __init__(self, clock: Clock, path: Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self._write(clock.offset)
        clock.on_shift(self._write)

    def _write(self, offset: float) -> None:
        os.pwrite(self._file, struct.pack("<d", offset), 0)

    def close(self) -> None:
        """Let the file go."""
        os.close(self._file)
