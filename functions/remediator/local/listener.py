"""Listen for HTTP on a port of loopback, a thread per connection, at once ready and at once gone."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Listener(ThreadingHTTPServer):
    """Accept connections in a thread of its own until closed: `serve_forever` would look for the end twice a second."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, handler: type[BaseHTTPRequestHandler], port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), handler)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        """Return the port that it listens on."""
        return int(self.server_address[1])

    def close(self) -> None:
        """Stop listening; connections under way end by themselves."""
        with contextlib.suppress(OSError):  # not connected: what wakes `accept` is the attempt
            self.socket.shutdown(socket.SHUT_RDWR)
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a peer that went away: a killed sandbox does."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type] # typed as any address

    def _accept(self) -> None:
        while True:
            try:
                request, address = self.get_request()
            except OSError:
                return
            self.process_request(request, address)


class Handler(BaseHTTPRequestHandler):
    """Answer over a kept-open connection, header and body in one packet.

    Sent apart, Nagle's algorithm and delayed acknowledgement add 40 ms to every exchange.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, *_: object) -> None:
        """Say nothing: who listens decides what is worth a line."""

    def answer(self, status: int, body: bytes, headers: list[tuple[str, str]]) -> None:
        """Send a whole response."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()
