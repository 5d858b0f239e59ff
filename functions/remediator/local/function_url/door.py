"""Open a port of loopback for each function URL, and answer there as Lambda does.

The real one speaks TLS only; on loopback there is nothing to protect, so it is plain HTTP.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from remediator.local.calls import Call
from remediator.local.function_url.event import BadResult, HttpReply, HttpRequest, event_of, joined, reply_of
from remediator.local.iam import Principal, Refused, authenticate, authorize
from remediator.local.listener import Handler, Listener
from remediator.local.runtime.functions import Throttled, Unassumable

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.local.calls import CallLog
    from remediator.local.faults import Faults
    from remediator.local.runtime.functions import Function
    from remediator.local.runtime.host import LambdaHost

BODY_LIMIT: Final = 6 * 1024 * 1024
_JSON: Final = ("Content-Type", "application/json")
_BOTH: Final = ("lambda:InvokeFunctionUrl", "lambda:InvokeFunction")
"""What it takes to be let in."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Hold what the doors share."""

    host: LambdaHost
    find: Callable[[str], Function | None]
    auth_type: Callable[[str], str | None]
    calls: CallLog
    faults: Faults


class FunctionUrl(Listener):
    """Be the URL of one function, until closed."""

    def __init__(self, arn: str, surroundings: Surroundings, port: int = 0) -> None:
        self.arn = arn
        self.api_id = secrets.token_hex(16)
        self._around = surroundings
        super().__init__(_Handler, port)

    @property
    def url(self) -> str:
        """Return the URL, with the slash at its end that Lambda gives it."""
        return f"http://localhost:{self.port}/"

    def serve(self, request: HttpRequest) -> HttpReply:
        """Let a request in, or not, and have it answered by the function."""
        if self._around.faults.latency_seconds:
            time.sleep(self._around.faults.latency_seconds)
        function = self._around.find(self.arn)
        auth_type = self._around.auth_type(self.arn)
        if function is None or auth_type is None:
            return _message(404, None)
        try:
            principal = self._let_in(function, auth_type, request)
        except Refused:
            return _message(403, "Forbidden")
        event = event_of(request, self.api_id, principal if auth_type == "AWS_IAM" else None)
        try:
            invocation = self._around.host.invoke(function, json.dumps(event).encode(), request.identity)
        except Throttled:
            return _message(429, "Rate Exceeded.")
        except Unassumable:
            return _message(502, "Internal Server Error")
        try:
            if invocation.outcome.error_type is None:
                return reply_of(invocation.outcome.payload)
        except BadResult:
            pass  # as after an error of the function: the caller learns nothing of either
        return HttpReply(502, (_JSON,), b"Internal Server Error")

    def _let_in(self, function: Function, auth_type: str, request: HttpRequest) -> Principal:
        """Return who calls; raises `Refused`. AWS wants two permissions for a URL, and checks both."""
        principal = Principal.anonymous()
        operation = "lambda:InvokeFunctionUrl"
        try:
            if auth_type == "AWS_IAM":
                url = f"{request.path}?{request.query}" if request.query else request.path
                headers = joined(request.headers)
                principal = authenticate(request.method, url, headers, request.body, service="lambda")
            place = {"aws:SourceIp": request.source_ip, "aws:RequestedRegion": function.region}
            by_url = {**place, "lambda:FunctionUrlAuthType": auth_type}
            authorize(principal, operation, function.arn, by_url)
            operation = "lambda:InvokeFunction"
            authorize(principal, operation, function.arn, {**place, "lambda:InvokedViaFunctionUrl": "true"})
        except Refused as refused:
            self._note(function, principal, operation, refused.reason, allowed=False)
            raise
        self._note(function, principal, operation, "allowed", allowed=True)
        return principal

    def _note(self, function: Function, principal: Principal, action: str, reason: str, *, allowed: bool) -> None:
        call = Call(
            at=time.time(),
            principal_arn=principal.name,
            access_key=principal.access_key,
            service="lambda",
            operation="InvokeFunctionUrl",
            action=action,
            resource=function.arn,
            allowed=allowed,
            reason=reason,
            checked=tuple((each, function.arn) for each in _BOTH) if allowed else ((action, function.arn),),
        )
        self._around.calls.record(call)


class Doors:
    """Keep the URLs of all functions."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._around = surroundings
        self._open: dict[str, FunctionUrl] = {}
        self._lock = threading.Lock()

    def open(self, arn: str) -> FunctionUrl:
        """Open a function's URL."""
        with self._lock:
            if arn not in self._open:
                self._open[arn] = FunctionUrl(arn, self._around)
            return self._open[arn]

    def close(self, arn: str) -> None:
        """Close a function's URL, if it has one."""
        with self._lock:
            door = self._open.pop(arn, None)
        if door is not None:
            door.close()

    def close_all(self) -> None:
        """Close every URL."""
        for arn in tuple(self._open):
            self.close(arn)


class _TooLarge(Exception):  # noqa: N818 - errors are named for what is the case
    pass


class _Handler(Handler):
    server: FunctionUrl
    timeout = 60  # a caller who promises more bytes than it sends doesn't hold a thread for ever

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("do_"):  # every method goes to the function
            return self._serve
        raise AttributeError(name)

    def _serve(self) -> None:
        try:
            body = self._body()
        except _TooLarge:
            self.close_connection = True
            self._send(_message(413, "Request Entity Too Large"), str(uuid.uuid4()))
            return
        except ValueError:
            self.close_connection = True
            self._send(_message(400, "Bad Request"), str(uuid.uuid4()))
            return
        path, _, query = self.path.partition("?")
        request = HttpRequest(
            identity=str(uuid.uuid4()),
            method=self.command,
            path=path,
            query=query,
            headers=[(name, value) for name, value in self.headers.items()],
            body=body,
            source_ip=self.client_address[0],
            received=time.time(),
        )
        self._send(self.server.serve(request), request.identity)

    def _send(self, reply: HttpReply, identity: str) -> None:
        ours = ("x-amzn-requestid", "date", "content-length", "connection", "transfer-encoding")
        headers = [(name, value) for name, value in reply.headers if name.lower() not in ours]
        self.answer(reply.status, reply.body, [*headers, ("x-amzn-RequestId", identity)])

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._chunks()
        length = self.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdecimal()):
            raise ValueError(length)
        if int(length) > BODY_LIMIT:
            raise _TooLarge
        return self.rfile.read(int(length))

    def _chunks(self) -> bytes:
        body = bytearray()
        while size := int(self.rfile.readline(32).partition(b";")[0], 16):
            if len(body) + size > BODY_LIMIT:
                raise _TooLarge
            body += self.rfile.read(size)
            self.rfile.readline(8)
        while self.rfile.readline(65536) not in (b"\r\n", b"\n", b""):
            pass
        return bytes(body)


def _message(status: int, text: str | None) -> HttpReply:
    return HttpReply(status, (_JSON,), json.dumps({"Message": text}, separators=(",", ":")).encode())
