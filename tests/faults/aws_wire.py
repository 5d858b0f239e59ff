"""Watch what botocore's clients call, at the two events that it has for that."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectionClosedError
from botocore.session import Session

from remediator.aws.clients import CONFIG
from remediator.local.iam import replies
from tests.faults.kinds import Kind
from tests.faults.wire import Sent, Wire

if TYPE_CHECKING:
    import pytest

_GENERIC = {
    Kind.REFUSED: ("AccessDenied", None),
    Kind.BROKEN: ("InternalServerError", 500),
    Kind.THROTTLED: ("ThrottlingException", None),
    Kind.THROTTLED_ONCE: ("ThrottlingException", None),
}
_PROTOCOLS = {"s3": "rest-xml", "ec2": "ec2", "iam": "query", "sts": "query"}


class AwsWire(Wire):
    """Name calls as `dynamodb:UpdateItem`."""

    def attach(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Watch every client that a function makes from now on; an administrator's has other settings."""
        make = Session.create_client

        def made(session: Any, service_name: str, *rest: Any, **more: Any) -> Any:
            client: Any = make(session, service_name, *rest, **more)
            if session.get_default_client_config() is CONFIG:
                self._watch(client, service_name)
            return client

        monkeypatch.setattr(Session, "create_client", made)

    def lost(self, request: Any) -> Exception:
        return ConnectionClosedError(endpoint_url=request.url)

    def refusal(self, sent: Sent, request: Any) -> AWSResponse:
        service = sent.name.partition(":")[0]
        generic, status = _GENERIC[sent.kind or Kind.BROKEN]
        protocol = _PROTOCOLS.get(service, "json")
        code, headers, body = replies.refusal(generic, "Injected.", model=service, protocol=protocol, status=status)
        return AWSResponse(request.url, code, HTTPHeaders.from_dict(headers), _Raw(body.encode()))

    def _watch(self, client: Any, service: str) -> None:
        current = threading.local()

        def begin(model: Any, **_: Any) -> None:
            current.sent = self.begin(f"{service}:{model.name}")

        def carry(request: Any, **_: Any) -> Any:
            sent: Sent | None = getattr(current, "sent", None)
            if sent is None:
                return None
            return self.carry(sent, lambda: client._endpoint.http_session.send(request), request)

        client.meta.events.register("before-call", begin)
        client.meta.events.register("before-send", carry)


class _Raw:
    """Hold an answer's body as urllib3 does."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: Any) -> Any:
        yield self._body
