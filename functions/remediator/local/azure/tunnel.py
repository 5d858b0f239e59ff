"""Let other processes and languages in, as an HTTP proxy that connects to this cloud's hosts and no others."""

from __future__ import annotations

import contextlib
import select
import socket
from typing import TYPE_CHECKING, Final

from remediator.local.listener import Handler, Listener

if TYPE_CHECKING:
    from collections.abc import Callable

_CHUNK: Final = 65536
_HTTPS: Final = "443"


class Tunnel(Listener):
    """Answer `CONNECT host:443` for the hosts that exist, and carry the bytes to the door."""

    def __init__(self, exists: Callable[[str], bool], door: int, port: int = 0) -> None:
        self.exists = exists
        self.door = door
        super().__init__(_Handler, port)

    @property
    def url(self) -> str:
        """Return the proxy's address, as `HTTPS_PROXY` holds it."""
        return f"http://127.0.0.1:{self.port}"


class _Handler(Handler):
    server: Tunnel

    def do_CONNECT(self) -> None:  # noqa: N802 - http.server's own name
        host, _, port = self.path.rpartition(":")
        self.close_connection = True
        if port != _HTTPS or not self.server.exists(host.lower()):
            self.answer(403, b"No such host in the embedded Azure, and no way out of it.\n", [])
            return
        with socket.create_connection(("127.0.0.1", self.server.door)) as door:
            door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.send_response_only(200, "Connection established")
            self.end_headers()
            self.wfile.flush()
            with contextlib.suppress(OSError):  # one side went away: so does the other
                _carry(self.connection, door)


def _carry(client: socket.socket, door: socket.socket) -> None:
    """Copy bytes both ways until one side ends."""
    other = {client: door, door: client}
    while True:
        readable, _, _ = select.select(list(other), [], [])
        for side in readable:
            data = side.recv(_CHUNK)
            if not data:
                return
            other[side].sendall(data)
