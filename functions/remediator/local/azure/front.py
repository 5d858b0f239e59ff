"""Listen with TLS for every host of the embedded Azure, let faults strike, and keep the log.

Each function worker comes through a door of its own, a port of loopback: so it is known which worker made a call, and
which one to kill. Everybody else shares the first door.
"""

from __future__ import annotations

import contextlib
import sys
import time
from dataclasses import replace
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from remediator.local.azure.exchange import Answer, Refused, Request
from remediator.local.azure.faults import Effect
from remediator.local.listener import Handler, Listener

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from remediator.local.azure.calls import CallLog
    from remediator.local.azure.exchange import Plan, Service
    from remediator.local.azure.faults import Fault, Faults

LARGEST_BODY: Final = 100 * 1024 * 1024
LINGERS: Final = 0.3
"""Seconds for which nothing may come of a body that was refused, before its connection is closed."""

_PIECES: Final = 64
_LENGTH_REQUIRED: Final = Answer(411)
_TOO_LARGE: Final = Answer(413)
_MISDIRECTED: Final = Answer(421)


class NobodyThere(Exception):  # noqa: N818 - errors are named for what is the case
    """Close the connection: no such vault, account or site exists, so that in the real cloud no name would resolve."""


class ReplyLost(Exception):  # noqa: N818 - errors are named for what is the case
    """Close the connection without an answer."""


class Reception:
    """Hand each request to the service of its host."""

    def __init__(self, find: Callable[[str], Service | None], calls: CallLog, faults: Faults) -> None:
        self._find = find
        self._calls = calls
        self._faults = faults
        self.on_exchange: list[Callable[[Request, Answer], None]] = []

    def receive(self, request: Request) -> Answer:
        """Return the answer to a request; raises `NobodyThere` or `ReplyLost`."""
        time.sleep(self._faults.latency_seconds)
        service = self._find(request.host)
        if service is None:
            return _MISDIRECTED
        answer = self._answer(service, request)
        for listener in tuple(self.on_exchange):
            listener(request, answer)
        return answer

    def _answer(self, service: Service, request: Request) -> Answer:
        try:
            plan = service.plan(request)
        except Refused as refused:
            if refused.call is not None:
                reason = str(refused)
                call = replace(refused.call, allowed=False, reason=reason, status=int(refused.answer.status))
                self._calls.record(call)
            return refused.answer
        place = self._calls.record(plan.call)
        answer = self._carry_out(service, plan)
        self._calls.answered(place, answer.status)
        return answer

    def _carry_out(self, service: Service, plan: Plan) -> Answer:
        fault = self._faults.strike(plan.call)
        if fault is None:
            return plan.carry_out()
        if fault.effect is Effect.THROTTLE:
            return service.throttled(fault.seconds)
        if fault.effect is Effect.ERROR:
            return service.error(fault.status, fault.code, "The embedded Azure was told to fail here.")
        if fault.effect is not Effect.CRASH_BEFORE:
            plan.carry_out()
        self._end(fault, plan)
        raise ReplyLost

    def _end(self, fault: Fault, plan: Plan) -> None:
        if fault.effect is not Effect.LOSE_REPLY and self._faults.kill is not None and plan.call.origin is not None:
            self._faults.kill(plan.call.origin)


class Door(Listener):
    """Listen on one port of loopback, with TLS."""

    request_queue_size = 128

    def __init__(
        self, reception: Reception, context: ssl.SSLContext, *, origin: str | None = None, port: int = 0
    ) -> None:
        self.reception = reception
        self.context = context
        self.origin = origin
        super().__init__(_Handler, port)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - socketserver's own types
        """Say nothing of clients that don't trust us or went away: those are theirs to report."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(Handler):
    server: Door
    server_version = "remediator-embedded-azure"
    sys_version = ""

    def setup(self) -> None:
        # Not where connections are accepted: a client that is slow to shake hands keeps nobody else waiting.
        self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            super().finish()
        self.request.close()

    def _serve(self) -> None:
        length = self.headers.get("Content-Length") or "0"
        if self.headers.get("Transfer-Encoding") or not length.isdecimal():
            self._refuse(_LENGTH_REQUIRED)
            return
        if int(length) > LARGEST_BODY:
            self._refuse(_TOO_LARGE)
            return
        try:
            answer = self.server.reception.receive(self._request(self.rfile.read(int(length))))
        except (NobodyThere, ReplyLost):
            self.close_connection = True
            return
        self.answer(answer.status, answer.body, list(answer.headers))

    # http.server's own names.
    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_MERGE = _serve  # noqa: N815 - as said

    def _refuse(self, answer: Answer) -> None:
        """Answer without understanding the body, after which nothing on this connection makes sense.

        Who is still sending it is listened to for a moment: a connection that is closed at once takes the answer along.
        """
        self.close_connection = True
        self.answer(answer.status, answer.body, list(answer.headers))
        self.connection.settimeout(LINGERS)
        with contextlib.suppress(OSError):
            for _ in range(_PIECES):
                if not self.connection.recv(65_536):
                    return

    def _request(self, body: bytes) -> Request:
        url = urlsplit(self.path)
        headers: dict[str, str] = {}
        for name, value in self.headers.items():
            known = headers.get(name.lower())
            headers[name.lower()] = value if known is None else f"{known},{value}"
        return Request(
            host=headers.get("host", "").partition(":")[0].lower(),
            method=self.command,
            path=unquote(url.path),
            target=self.path,
            query=dict(parse_qsl(url.query, keep_blank_values=True)),
            headers=headers,
            body=body,
            origin=self.server.origin,
        )

    def date_time_string(self, timestamp: float | None = None) -> str:
        return formatdate(time.time() if timestamp is None else timestamp, usegmt=True)
