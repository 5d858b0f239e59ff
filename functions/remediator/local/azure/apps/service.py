"""Answer at *.azurewebsites.net: find the app and the route, and call the function."""

from __future__ import annotations

import hmac
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from remediator.local.azure.apps.host import AppHost, NoSuchApp
from remediator.local.azure.apps.worker import http_payload
from remediator.local.azure.calls import Call
from remediator.local.azure.exchange import Answer, Plan, Refused, Request
from remediator.local.azure.front import NobodyThere
from remediator.local.azure.places import SITES

if TYPE_CHECKING:
    from remediator.local.azure.apps.app import Outcome
    from remediator.local.azure.apps.host import Deployed
    from remediator.local.azure.apps.routes import Route

_ANONYMOUS: Final = "anonymous"
_HOP_BY_HOP: Final = frozenset({"connection", "content-length", "transfer-encoding", "date", "server"})


class Sites:
    """Serve the HTTP functions of every app."""

    def __init__(self, host: AppHost) -> None:
        self._host = host

    def plan(self, request: Request) -> Plan:
        """Find who answers a request; raises `Refused`, or `NobodyThere`."""
        name = request.host.removesuffix(SITES)
        try:
            deployed = self._host.app(name)
        except NoSuchApp:
            raise NobodyThere(request.host) from None
        resource = f"{request.method} {request.path}"
        call = Call(time.time(), "apps", name, resource, origin=request.origin)
        if deployed.app.closed:
            refusal = self.error(HTTPStatus.FORBIDDEN, "Ip Forbidden", "The app's access restrictions let nobody in.")
            raise Refused(refusal, "closed to all", call)
        route, params = _route(deployed, request, call)
        if route.level != _ANONYMOUS and not _has_key(deployed, request):
            raise Refused(Answer(HTTPStatus.UNAUTHORIZED), "no function key", call)
        call = Call(call.at, "apps", f"{name}/{route.function}", resource, origin=request.origin)
        return Plan(call, lambda: self._invoke(name, route, request, params))

    def error(self, status: int, code: str, message: str) -> Answer:
        """Return an error as the platform's front end gives it: text."""
        return Answer(status, f"{code}: {message}".encode(), (("Content-Type", "text/plain; charset=utf-8"),))

    def throttled(self, seconds: int) -> Answer:
        """Return the platform's answer to too many requests."""
        return Answer(HTTPStatus.TOO_MANY_REQUESTS, headers=(("Retry-After", str(seconds)),))

    def _invoke(self, name: str, route: Route, request: Request, params: dict[str, str]) -> Answer:
        reason = "This function was programmatically called via the host APIs."
        return _answer(self._host.invoke(name, route.function, http_payload(request, params), reason).outcome)


def _route(deployed: Deployed, request: Request, call: Call) -> tuple[Route, dict[str, str]]:
    for route in deployed.routes:
        params = route.params(request.method, request.path)
        if params is not None:
            return route, params
    raise Refused(Answer(HTTPStatus.NOT_FOUND), "no route", call)


def _has_key(deployed: Deployed, request: Request) -> bool:
    given = request.headers.get("x-functions-key") or request.query.get("code") or ""
    return hmac.compare_digest(given.encode(), deployed.key.encode())


def _answer(outcome: Outcome) -> Answer:
    """Return what the host makes of an outcome: whatever went wrong inside, outside it is a bare 500."""
    if outcome.status != "success":
        return Answer(HTTPStatus.INTERNAL_SERVER_ERROR)
    if outcome.http is None:
        return Answer(HTTPStatus.NO_CONTENT)
    headers = tuple((name, value) for name, value in outcome.http["headers"].items() if name not in _HOP_BY_HOP)
    return Answer(int(outcome.http["status"]), outcome.body, headers)
