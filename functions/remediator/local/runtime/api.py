"""Serve the Lambda Runtime API to one sandbox.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, Protocol

from remediator.local.listener import Handler, Listener
from remediator.local.runtime.events import Outcome

if TYPE_CHECKING:
    from remediator.local.runtime.events import Request

TOO_LARGE: Final = "Function.ResponseSizeTooLarge"
RESPONSE_LIMIT: Final = 6 * 1024 * 1024 + 100
_RESULT: Final = re.compile(r"/2018-06-01/runtime/invocation/([^/]+)/(response|error)")
_NEXT: Final = "/2018-06-01/runtime/invocation/next"
_INIT_ERROR: Final = "/2018-06-01/runtime/init/error"


class Runtime(Protocol):
    """Know what the API tells, and asks, the sandbox that it serves."""

    def ready(self) -> Request | None:
        """Block until there is an event; None when there will be none."""

    def finished(self, identity: str, outcome: Outcome) -> None:
        """Take an invocation's outcome."""

    def init_failed(self, outcome: Outcome) -> None:
        """Take the reason why the function's module couldn't be imported."""


class RuntimeApi(Listener):
    """Serve one sandbox for as long as it lives."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        super().__init__(_Handler)

    @property
    def address(self) -> str:
        """Return host and port as `AWS_LAMBDA_RUNTIME_API` holds them."""
        return f"127.0.0.1:{self.port}"


class _Handler(Handler):
    server: RuntimeApi

    def do_GET(self) -> None:  # noqa: N802 - http.server's own name
        if self.path != _NEXT:
            self._reply(404)
            return
        request = self.server.runtime.ready()
        if request is None:
            self.close_connection = True
            return
        headers = [
            ("Content-Type", "application/json"),
            ("Lambda-Runtime-Aws-Request-Id", request.identity),
            ("Lambda-Runtime-Deadline-Ms", str(int(request.deadline * 1000))),
            ("Lambda-Runtime-Invoked-Function-Arn", request.arn),
            ("Lambda-Runtime-Trace-Id", request.trace),
        ]
        self.answer(200, request.body, headers)

    def do_POST(self) -> None:  # noqa: N802 - http.server's own name
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        runtime = self.server.runtime
        if self.path == _INIT_ERROR:
            runtime.init_failed(Outcome(body, _error_type(body), "error"))
            self._reply(202)
            return
        match = _RESULT.fullmatch(self.path)
        if match is None:
            self._reply(404)
            return
        too_large = match[2] == "response" and len(body) > RESPONSE_LIMIT
        runtime.finished(match[1], _outcome(match[2], body))
        self._reply(413 if too_large else 202)

    def _reply(self, status: int) -> None:
        self.answer(status, b"{}", [("Content-Type", "application/json")])


def _outcome(kind: str, body: bytes) -> Outcome:
    if kind == "error":
        return Outcome(body, _error_type(body), "error")
    if len(body) > RESPONSE_LIMIT:
        message = f"Response payload size ({len(body)} bytes) exceeded maximum allowed payload size (6291556 bytes)."
        return Outcome.failure(TOO_LARGE, message)
    return Outcome(body)


def _error_type(body: bytes) -> str:
    try:
        return str(json.loads(body)["errorType"])
    except (ValueError, KeyError, TypeError):
        return "Unhandled"
