"""Connect the production client to the embedded Resource Manager in the same process, below the SDK's transport."""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

import requests
from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import RequestsTransport
from requests.adapters import BaseAdapter

from remediator.azure.arm_client import ArmClient
from remediator.local.azure.arm.embedded import EmbeddedArm

if TYPE_CHECKING:
    from collections.abc import Mapping

FIXER = "00000000-0000-0000-0000-00000000f1xe"


class Clock:
    """Keep a time that only sleeping moves."""

    def __init__(self) -> None:
        self.now = time.time()
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Credential:
    """Give tokens that say who they are for."""

    def __init__(self, principal: str) -> None:
        self._principal = principal

    def get_token(self, *_: str, **__: Any) -> AccessToken:
        return AccessToken(self._principal, int(time.time()) + 3600)


class Wire(BaseAdapter):
    """Carry requests to an embedded Resource Manager, as its listener would."""

    def __init__(self, arm: EmbeddedArm) -> None:
        super().__init__()
        self._arm = arm

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        url = urlsplit(str(request.url))
        assert (url.scheme, url.netloc) == ("https", "management.azure.com")
        headers = dict(request.headers)
        status, told, body = self._arm.handle(
            str(request.method),
            unquote(url.path),
            dict(parse_qsl(url.query, keep_blank_values=True)),
            headers,
            _bytes(request.body),
            headers["Authorization"].removeprefix("Bearer "),
        )
        return _response(request, status, told, body)

    def close(self) -> None:
        """Have nothing to close."""


class Cloud:
    """Hold an embedded Resource Manager and its clock."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.arm = EmbeddedArm(self.clock)

    def client(self, principal: str = FIXER, *, deadline: float = 600.0, patience: float = 45.0) -> ArmClient:
        """Return a client of a principal, with a deadline so many seconds from now."""
        session = requests.Session()
        session.mount("https://", Wire(self.arm))
        return ArmClient(
            Credential(principal),
            deadline=self.clock.now + deadline,
            patience=patience,
            transport=RequestsTransport(session=session),
            clock=self.clock,
            sleep=self.clock.sleep,
        )


def _bytes(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else body or b""


def _response(
    request: requests.PreparedRequest, status: int, headers: Mapping[str, str], body: bytes
) -> requests.Response:
    response = requests.Response()
    response.request = request
    response.url = str(request.url)
    response.status_code = status
    response.headers.update(headers)
    response.raw = io.BytesIO(body)
    return response
