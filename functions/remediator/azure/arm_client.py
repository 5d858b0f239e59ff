"""Speak to Azure Resource Manager (ARM): plain REST, within a deadline.

ARM's ready-made client isn't used: it would register resource providers in the customer's subscription by itself.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from contextvars import ContextVar
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode, urlsplit

from azure.core.pipeline import Pipeline, PipelineResponse
from azure.core.pipeline.policies import BearerTokenCredentialPolicy, RequestIdPolicy, UserAgentPolicy
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest, HttpResponse

from remediator.azure.bounded_retry import BoundedRetry
from remediator.azure.long_running import Poll, Sign, begun
from remediator.catalogue.azure.arm import ArmError, Changed, Missing, operation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import TracebackType
    from typing import Self

    from azure.core.credentials import TokenCredential
    from azure.core.pipeline.transport import HttpTransport

    from remediator.catalogue.spec import JSON

__all__ = ["ArmClient", "ArmError", "Changed", "Missing"]

PATIENCE: Final = 45.0
"""How long one long-running operation is followed, in seconds, before it is left to the cloud."""

PAUSE: Final = 2.0
"""Seconds between two looks at a long-running operation, where ARM doesn't say."""

LONGEST_PAUSE: Final = 15.0
READ_TIMEOUT: Final = 60.0
CONNECTION_TIMEOUT: Final = 10.0

REFUSALS: Final[Mapping[int, type[ArmError]]] = {
    HTTPStatus.NOT_FOUND: Missing,
    HTTPStatus.PRECONDITION_FAILED: Changed,
}
OUT_OF_SIGHT: Final = (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
"""How an operation's progress is refused to who may write the resource, but see no operations of the subscription's.

The resource itself is looked at instead: most say how far they are.
"""

_calls: ContextVar[list[str] | None] = ContextVar("calls", default=None)


class ArmClient:
    """Call ARM as one principal until `deadline`, in seconds of Unix time; serves several threads.

    After the deadline nothing is sent any more. What was last read of a path is remembered by its ETag, where there is
    one, and a write of that path is conditional on it. Long-running operations are followed for `patience` seconds at
    most.
    """

    SCOPE: Final = "https://management.azure.com/.default"

    def __init__(  # noqa: PLR0913 - what the tests replace has defaults
        self,
        credential: TokenCredential,
        *,
        deadline: float,
        patience: float = PATIENCE,
        endpoint: str = "https://management.azure.com",
        transport: HttpTransport[Any, Any] | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._deadline = deadline
        self._patience = patience
        self._endpoint = endpoint
        self._clock = clock
        self._sleep = sleep
        self._tags: dict[str, str] = {}
        self._remembering = threading.Lock()
        policies: list[Any] = [
            RequestIdPolicy(),
            UserAgentPolicy(base_user_agent="remediator"),
            BoundedRetry(self._remaining, sleep),
            BearerTokenCredentialPolicy(credential, self.SCOPE),
        ]
        self._pipeline: Pipeline[HttpRequest, HttpResponse] = Pipeline(transport or RequestsTransport(), policies)

    def __enter__(self) -> Self:
        self._pipeline.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pipeline.__exit__(kind, error, trace)

    @contextmanager
    def recording(self) -> Iterator[list[str]]:
        """Collect the names of the operations that this thread calls, such as `Microsoft.Web/sites/read`."""
        calls: list[str] = []
        token = _calls.set(calls)
        try:
            yield calls
        finally:
            _calls.reset(token)

    def get(self, path: str, *, api: str, query: Mapping[str, str] | None = None) -> Mapping[str, JSON]:
        """Read a resource, and remember its ETag; `query` is for lists that can be narrowed."""
        response = self._send("GET", self._url(path, api, query))
        body = _body(response)
        tag = response.headers.get("ETag") or body.get("etag")
        with self._remembering:
            self._tags.pop(path.lower(), None)
            if tag:
                self._tags[path.lower()] = tag
        return body

    def patch(self, path: str, body: Mapping[str, JSON], *, api: str) -> Mapping[str, JSON]:
        """Change what `body` says of a resource."""
        return self._write("PATCH", path, body, api)

    def put(self, path: str, body: Mapping[str, JSON], *, api: str) -> Mapping[str, JSON]:
        """Write a resource whole."""
        return self._write("PUT", path, body, api)

    def delete(self, path: str, *, api: str) -> Mapping[str, JSON]:
        """Delete a resource."""
        return self._write("DELETE", path, None, api)

    def post(self, path: str, body: Mapping[str, JSON], *, api: str) -> Mapping[str, JSON]:
        """Do what the last part of the path says."""
        return self._write("POST", path, body, api)

    def _write(self, method: str, path: str, body: Mapping[str, JSON] | None, api: str) -> Mapping[str, JSON]:
        with self._remembering:
            tag = self._tags.pop(path.lower(), None)
        headers = {"If-Match": tag} if tag else {}
        url = self._url(path, api)
        response = self._send(method, url, json=body, headers=headers)
        self._follow(response, url)
        return _body(response)

    def _follow(self, response: HttpResponse, resource: str) -> None:
        """Wait for a long-running operation to end, within bounds; raise `ArmError` if it failed."""
        until = self._clock() + min(self._patience, self._remaining())
        poll = begun(response, _body(response), resource)
        while poll is not None:
            pause = _pause(response)
            if self._clock() + pause >= until:
                return
            self._sleep(pause)
            try:
                response = self._send("GET", self._own(poll.url))
            except ArmError as error:
                if error.status not in OUT_OF_SIGHT or poll.url == resource:
                    is_its_end = poll.sign is Sign.LOCATION and error.status
                    error.unsure = error.unsure or not is_its_end
                    raise
                poll = Poll(resource, Sign.RESOURCE)
                continue
            poll = poll.after(response, _body(response))

    def _send(self, method: str, url: str, **more: Any) -> HttpResponse:  # noqa: ANN401 - the request's own parts
        remaining = self._remaining()
        if remaining <= 0:
            raise ArmError("DeadlineReached", "The request's deadline is reached: nothing is sent any more.", 0)
        calls = _calls.get()
        if calls is not None:
            calls.append(operation(method, urlsplit(url).path))
        answered = self._pipeline.run(
            HttpRequest(method, url, **more),
            connection_timeout=min(CONNECTION_TIMEOUT, remaining),
            read_timeout=min(READ_TIMEOUT, remaining),
        )
        if answered.http_response.status_code >= HTTPStatus.BAD_REQUEST:
            raise _error(answered)
        return answered.http_response

    def _remaining(self) -> float:
        return self._deadline - self._clock()

    def _url(self, path: str, api: str, query: Mapping[str, str] | None = None) -> str:
        return f"{self._endpoint}{quote(path)}?{urlencode({'api-version': api, **(query or {})}, quote_via=quote)}"

    def _own(self, url: str) -> str:
        """Return a URL that ARM named, if it is ARM's own: nobody else is shown the token."""
        if not url.startswith(f"{self._endpoint}/"):
            raise ArmError("ForeignLocation", "The operation's progress isn't to be found at Resource Manager.", 0)
        return url


def _body(response: HttpResponse) -> dict[str, JSON]:
    """Return a response's JSON object, empty if there is none."""
    try:
        body: JSON = response.json() if response.content else {}
    except ValueError:
        raise ArmError("InvalidResponse", "The answer isn't JSON.", response.status_code) from None
    return body if isinstance(body, dict) else {}


def _error(answered: PipelineResponse[HttpRequest, HttpResponse]) -> ArmError:
    """Return what ARM refused with: `{"error": {"code", "message"}}`, or the same without the wrapping."""
    response = answered.http_response
    try:
        told = _body(response)
    except ArmError:
        told = {}
    inner = told.get("error")
    details = inner if isinstance(inner, dict) else told
    code = str(details.get("code") or f"Http{response.status_code}")
    message = str(details.get("message") or "Resource Manager didn't say why.")
    kind = REFUSALS.get(response.status_code, ArmError)
    unsure = bool(answered.context.get("history")) or response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
    return kind(code, message, response.status_code, unsure=unsure)


def _pause(response: HttpResponse) -> float:
    told = response.headers.get("Retry-After", "")
    return min(float(told), LONGEST_PAUSE) if told.isdecimal() else PAUSE
