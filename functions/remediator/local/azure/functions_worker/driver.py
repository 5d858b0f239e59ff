"""Say what both ways of running an app have in common."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

Message = dict[str, Any]


class NotLoaded(Exception):  # noqa: N818 - errors are named for what is the case
    """Say why an app's functions couldn't be found."""


@dataclass(frozen=True, slots=True)
class HttpTrigger:
    """Hold the request that an HTTP function is called with."""

    method: str
    url: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    params: Mapping[str, str]
    body: bytes

    @classmethod
    def from_message(cls, message: Message) -> HttpTrigger:
        """Read it from the host's message."""
        parts = {name: message[name] for name in ("method", "url", "headers", "query", "params")}
        return cls(**parts, body=base64.b64decode(message["body"]))


class Driver(Protocol):
    """Run the functions of one app."""

    name: str

    def current(self) -> str | None:
        """Return the invocation that this thread is at work for."""

    def load(self, folder: str) -> list[Message]:
        """Import the app; return each function's name and bindings. Raises `NotLoaded`."""

    def call(self, function: str, invocation: str, trigger: HttpTrigger | str) -> Message:
        """Call a function with a request, or with a timer's JSON; return what came of it."""


def response(status: str, headers: Mapping[str, str], body: bytes) -> Message:
    """Return an HTTP response as a message."""
    return {"status": int(status), "headers": dict(headers), "body": base64.b64encode(body).decode()}


def succeeded(http: Message | None) -> Message:
    """Return the outcome of a function that returned."""
    return {"status": "success", "http": http}


def failed(message: str, stack: str) -> Message:
    """Return the outcome of a function that raised."""
    return {"status": "failure", "http": None, "message": message, "stack": stack}
