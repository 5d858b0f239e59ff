"""Answer the client from a script, below the SDK's transport."""

from __future__ import annotations

import io
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

import requests
from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import RequestsTransport
from requests.adapters import BaseAdapter

from remediator.azure.arm_client import ArmClient

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "eyJ0eXAi-the-token-nobody-may-see"


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None


@dataclass(frozen=True)
class Sent:
    method: str
    host: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    timeout: Any


class Script(BaseAdapter):
    """Give one answer after the other; an exception is raised in place of an answer."""

    def __init__(self, *answers: Answer | Exception | Callable[[], Answer]) -> None:
        super().__init__()
        self.left = list(answers)
        self.sent: list[Sent] = []

    def send(self, request: requests.PreparedRequest, *_: Any, timeout: Any = None, **__: Any) -> requests.Response:
        url = urlsplit(str(request.url))
        body = json.loads(request.body) if request.body else None
        query = dict(parse_qsl(url.query))
        sent = Sent(str(request.method), url.netloc, unquote(url.path), query, dict(request.headers), body, timeout)
        self.sent.append(sent)
        answer = self.left.pop(0)
        if callable(answer):
            answer = answer()
        if isinstance(answer, Exception):
            raise answer
        response = requests.Response()
        response.request, response.url, response.status_code = request, str(request.url), answer.status
        response.headers.update({"Content-Type": "application/json"} | answer.headers)
        content = (
            answer.raw if answer.raw is not None else b"" if answer.body is None else json.dumps(answer.body).encode()
        )
        response.raw = io.BytesIO(content)
        return response

    def close(self) -> None: ...


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))
        self.now += seconds


class Credential:
    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.asked.append(scopes)
        return AccessToken(SECRET, int(time.time()) + 3600)


def client(script: Script, clock: Clock, **options: Any) -> ArmClient:
    session = requests.Session()
    session.mount("https://", script)
    settings = {"deadline": clock.now + 100, **options}
    transport = RequestsTransport(session=session)
    return ArmClient(Credential(), transport=transport, clock=clock, sleep=clock.sleep, **settings)
