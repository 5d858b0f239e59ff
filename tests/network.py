"""Keep the tests on this machine."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

_connect: Any = socket.socket.connect
_connect_ex: Any = socket.socket.connect_ex


class NetworkIsOff(RuntimeError):  # noqa: N818 - errors are named for what is the case
    """A test tried to reach something that isn't this machine."""


def switch_off() -> None:
    """Refuse every connection of this process that leaves the machine."""
    sockets: Any = socket.socket
    sockets.connect = _connect_here
    sockets.connect_ex = _connect_ex_here


def _require_here(address: Any) -> None:
    host = address[0] if isinstance(address, tuple) else ""
    if host not in ("", "localhost") and not ipaddress.ip_address(host).is_loopback:
        raise NetworkIsOff(f"the tests reach nothing but this machine, not {host}")


def _connect_here(self: socket.socket, address: Any) -> None:
    _require_here(address)
    _connect(self, address)


def _connect_ex_here(self: socket.socket, address: Any) -> int:
    _require_here(address)
    result: int = _connect_ex(self, address)
    return result
