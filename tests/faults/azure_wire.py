"""Watch what Azure's SDKs send, where their pipelines end."""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
import urllib3
from azure.core.exceptions import ServiceResponseError
from azure.core.pipeline.transport import RequestsTransport

from tests.azure.azure_house import step_of
from tests.faults.kinds import Kind
from tests.faults.wire import Sent, Wire

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from remediator.local.azure.exchange import Answer, Service

REFUSALS = {
    "tables": (403, "AuthorizationPermissionMismatch"),
    "vault": (403, "Forbidden"),
    "entra": (401, "invalid_client"),
    "arm": (403, "AuthorizationFailed"),
    "events": (403, "Forbidden"),
}
FAILURES = {
    "tables": "InternalError",
    "vault": "InternalServerError",
    "entra": "server_error",
    "arm": "InternalServerError",
    "events": "InternalServerError",
}


class AzureWire(Wire):
    """Name calls as `tables GET remediatorwindows`; `find` tells which service answers at a host."""

    def __init__(self, find: Callable[[str], Service | None]) -> None:
        super().__init__()
        self._find = find
        self._answer = threading.local()
        self._sent: dict[int, tuple[Any, Sent | None]] = {}

    def attach(self, patch: pytest.MonkeyPatch) -> None:
        """Come between the SDKs and the network; what is asked of loopback is the apps' own identity endpoint."""
        send, send_really = RequestsTransport.send, requests.Session.send

        def watched(transport: Any, request: Any, **more: Any) -> Any:
            sent = self._begun(request)
            if sent is None:
                return send(transport, request, **more)
            return self.carry(sent, lambda: send(transport, request, **more), (send, transport, request, more))

        def answered(session: Any, request: Any, **more: Any) -> Any:
            answer = getattr(self._answer, "next", None)
            self._answer.next = None
            return _response(answer, request) if answer else send_really(session, request, **more)

        patch.setattr(RequestsTransport, "send", watched)
        patch.setattr(requests.Session, "send", answered)

    def lost(self, request: Any) -> Exception:
        return ServiceResponseError(f"the connection to {request[2].url} was broken")

    def refusal(self, sent: Sent, request: Any) -> Any:
        send, transport, asked, more = request
        name = sent.name.partition(" ")[0]
        service = self._find(str(urlsplit(asked.url).hostname))
        assert service is not None
        self._answer.next = _refused(service, name, sent.kind)
        return send(transport, asked, **more)

    def _begun(self, request: Any) -> Sent | None:
        """Return the call that a request is of: the SDK sends the same object each time that it tries."""
        if not self.watched or getattr(self._silent, "now", False) or urlsplit(request.url).hostname == "127.0.0.1":
            return None
        known = self._sent.get(id(request))
        if known is None or known[0] is not request or known[1] not in self.calls:
            known = request, self.begin(step_of(request.method, request.url))
            self._sent[id(request)] = known
        return known[1]


def _refused(service: Service, name: str, kind: Kind | None) -> Answer:
    if kind in (Kind.THROTTLED, Kind.THROTTLED_ONCE):
        return service.throttled(1)
    status, code = REFUSALS[name] if kind is Kind.REFUSED else (500, FAILURES[name])
    return service.error(status, code, "The table of faults was told to fail here.")


def _response(answer: Answer, request: Any) -> requests.Response:
    """Return an answer as `requests` would have read it from the network."""
    response = requests.Response()
    response.status_code, response.url, response.request = int(answer.status), request.url, request
    response.headers = requests.structures.CaseInsensitiveDict(dict(answer.headers))
    body = io.BytesIO(answer.body)
    response.raw = urllib3.HTTPResponse(
        body, headers=dict(answer.headers), status=int(answer.status), preload_content=False
    )
    return response
