"""Lead the embedded cloud's names to loopback, and let no other name resolve: there is no network here.

Production code stays as it is. It looks up the real names; the answer's port is the listener's, so neither port 443 nor
a hosts file is needed.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_HERE: Final = "127.0.0.1"


class Guard:
    """Stand in for `socket.getaddrinfo` in this process. `hosts` with a leading dot stand for all names under them."""

    def __init__(self, hosts: Sequence[str], port: int) -> None:
        self._names = frozenset(name for name in hosts if not name.startswith("."))
        self._suffixes = tuple(name for name in hosts if name.startswith("."))
        self._port = port
        self._lock = threading.Lock()
        self._replaced: Callable[..., Any] | None = None

    def __enter__(self) -> Self:
        with self._lock:
            if self._replaced is None:
                self._replaced, socket.getaddrinfo = socket.getaddrinfo, self._look_up
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            if self._replaced is not None:
                socket.getaddrinfo, self._replaced = self._replaced, None

    def _look_up(self, host: Any, port: Any, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - as socket's own
        look_up = self._replaced
        if look_up is None:
            raise RuntimeError("the guard was left")
        name = host.decode() if isinstance(host, bytes) else host
        if name is None or _is_loopback(name):
            return look_up(host, port, *arguments, **options)
        if name.lower() in self._names or name.lower().endswith(self._suffixes):
            return look_up(_HERE, self._port, *arguments, **options)
        raise socket.gaierror(socket.EAI_NONAME, f"{name} isn't in the embedded Azure, and there is no network")


def _is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.partition("%")[0]).is_loopback
    except ValueError:
        return False
