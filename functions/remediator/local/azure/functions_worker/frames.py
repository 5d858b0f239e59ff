"""Carry messages between the host and a worker: JSON objects, each after its length."""

from __future__ import annotations

import json
import struct
import threading
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import socket

_LENGTH: Final = struct.Struct(">I")


class Channel:
    """Hold one end of the connection; any thread may send, one receives."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._stream = connection.makefile("rb")
        self._sending = threading.Lock()

    def send(self, message: dict[str, Any]) -> None:
        """Send a message; raises `OSError` if nobody is there any more."""
        data = json.dumps(message).encode()
        with self._sending:
            self._connection.sendall(_LENGTH.pack(len(data)) + data)

    def receive(self) -> dict[str, Any] | None:
        """Return the next message, or None when there will be none."""
        try:
            head = self._stream.read(_LENGTH.size)
            body = self._stream.read(_LENGTH.unpack(head)[0]) if len(head) == _LENGTH.size else b""
        except OSError:
            return None
        if not body:
            return None
        message: dict[str, Any] = json.loads(body)
        return message

    def close(self) -> None:
        """Let go of this end."""
        self._stream.close()
        self._connection.close()
