"""Say what passes between the listener and the services."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from remediator.local.azure.calls import Call


@dataclass(frozen=True, slots=True)
class Request:
    """Hold one HTTP request. `host` and the headers' names are in lower case, `path` is decoded, `target` isn't.

    `origin` names the function worker that sent it, by the door it came through; None if somebody else did.
    """

    host: str
    method: str
    path: str
    target: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    origin: str | None = None

    @property
    def bearer(self) -> str | None:
        """Return the bearer token, if there is one."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" and token else None


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold one HTTP response."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()

    def having(self, *headers: tuple[str, str]) -> Answer:
        """Return the same answer with more headers."""
        return replace(self, headers=(*self.headers, *headers))


def json_answer(status: int, document: Any, *headers: tuple[str, str]) -> Answer:  # noqa: ANN401 - any JSON value
    """Return an answer with a JSON body."""
    kind = ("Content-Type", "application/json; charset=utf-8")
    return Answer(status, json.dumps(document, separators=(",", ":")).encode(), (kind, *headers))


NO_CONTENT = Answer(HTTPStatus.NO_CONTENT)


class Refused(Exception):  # noqa: N818 - errors are named for what is the case
    """End a request with an answer before anything happened. `call` is who asked for what, as far as it is known."""

    def __init__(self, answer: Answer, reason: str, call: Call | None = None) -> None:
        super().__init__(reason)
        self.answer = answer
        self.call = call


@dataclass(frozen=True, slots=True)
class Plan:
    """Hold an allowed call and how to carry it out, so that faults can strike between the two."""

    call: Call
    carry_out: Callable[[], Answer]


class Service(Protocol):
    """Answer for one kind of host."""

    def plan(self, request: Request) -> Plan:
        """Authenticate, authorize and understand a request, or raise `Refused`; nothing has happened yet."""

    def error(self, status: int, code: str, message: str) -> Answer:
        """Return an error in the service's own form."""

    def throttled(self, seconds: int) -> Answer:
        """Return what the service says to who comes too often."""
