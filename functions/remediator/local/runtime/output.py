"""Read what a sandbox writes, so that everything an invocation wrote is in when it ends.

Two pipes: lines from standard output and error; frames from the runtime client's own logging, which keep a message of
several lines together (the contract is described in `awslambdaric.bootstrap.FramedTelemetryLogSink`).
"""

from __future__ import annotations

import os
import selectors
import struct
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_FRAME_HEADER: Final = struct.Struct(">IIq")
_CHUNK: Final = 65536


@dataclass(slots=True)
class _Lines:
    rest: bytes = b""

    def feed(self, data: bytes) -> Iterator[str]:
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            yield line.decode(errors="replace")

    def end(self) -> Iterator[str]:
        if self.rest:
            yield self.rest.decode(errors="replace")
        self.rest = b""


@dataclass(slots=True)
class _Frames:
    rest: bytes = b""

    def feed(self, data: bytes) -> Iterator[str]:
        self.rest += data
        while len(self.rest) >= _FRAME_HEADER.size:
            _kind, length, _microseconds = _FRAME_HEADER.unpack_from(self.rest)
            end = _FRAME_HEADER.size + length
            if len(self.rest) < end:
                return
            message, self.rest = self.rest[_FRAME_HEADER.size : end], self.rest[end:]
            yield message.decode(errors="replace").rstrip("\n")

    def end(self) -> Iterator[str]:
        yield from ()


class Output:
    """Pass on each message of a sandbox as it comes, and all that there is on demand."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._reading = threading.Lock()
        self._readers: dict[int, _Lines | _Frames] = {}
        lines, self.lines_end = os.pipe()
        frames, self.frames_end = os.pipe()
        self._readers = {lines: _Lines(), frames: _Frames()}
        for descriptor in self._readers:
            os.set_blocking(descriptor, False)

    def start(self) -> None:
        """Begin to read; the ends that the sandbox writes to are its own from here on."""
        os.close(self.lines_end)
        os.close(self.frames_end)
        threading.Thread(target=self._pump, daemon=True).start()

    def drain(self) -> None:
        """Pass on everything that was written up to now."""
        with self._reading:
            for descriptor in tuple(self._readers):
                self._read(descriptor)

    def _pump(self) -> None:
        with selectors.DefaultSelector() as selector:
            for descriptor in self._readers:
                selector.register(descriptor, selectors.EVENT_READ)
            while selector.get_map():
                for key, _ in selector.select():
                    with self._reading:
                        if not self._read(key.fd):
                            selector.unregister(key.fd)
                            os.close(key.fd)

    def _read(self, descriptor: int) -> bool:
        """Read until there is nothing more now; return False at the end of the pipe."""
        reader = self._readers.get(descriptor)
        while reader is not None:
            try:
                data = os.read(descriptor, _CHUNK)
            except BlockingIOError:
                return True
            for message in reader.feed(data) if data else reader.end():
                self._write(message)
            if not data:
                del self._readers[descriptor]
                return False
        return False
