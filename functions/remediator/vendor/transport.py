"""Carry one HTTP exchange."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from botocore.awsrequest import AWSRequest
from botocore.exceptions import ConnectionError as NoConnection
from botocore.exceptions import HTTPClientError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from remediator.vendor.errors import Unreachable

if TYPE_CHECKING:
    from collections.abc import Mapping

CONNECT_SECONDS: Final = 10
READ_SECONDS: Final = 185
"""A remediation may take as long as its function: 180 seconds."""


@dataclass(frozen=True, slots=True)
class Unsigned:
    """Hold a call before the caller's proof to the cloud; `secrets` are header fields that AWS's signature leaves out.

    They are covered by the request's own signature (RFC 9421). Kept out of AWS's, they never reach the canonical
    request that the SDK writes to its debug log.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """Hold a request as it goes out. Neither its headers, which hold secrets, nor its body are shown."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """Hold an answer: `headers` have lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class Transport(Protocol):
    """Send a call and return the reply, whatever its status; raise `Unreachable` if there was none."""

    def send(self, call: Call) -> Reply:
        """Exchange once: no redirect followed, nothing tried again."""


class HttpTransport:
    """Exchange over TLS with the certificates that botocore ships; keeps connections alive.

    Proxies and, in `AWS_CA_BUNDLE` or `REQUESTS_CA_BUNDLE`, other certificates are taken from the environment, as the
    clouds' SDKs do; or name their file.
    """

    def __init__(self, certificates: str | None = None) -> None:
        self._verify: str | bool = certificates or _certificates()
        self._sessions: dict[tuple[tuple[str, str], ...], URLLib3Session] = {}

    def send(self, call: Call) -> Reply:
        """Exchange once: no redirect followed, nothing tried again."""
        request = AWSRequest(call.method, call.url, headers=dict(call.headers), data=call.body)
        try:
            response = self._session(call.url).send(request.prepare())
            return Reply(response.status_code, _lower(response.headers), response.content)
        except (NoConnection, HTTPClientError) as error:
            raise Unreachable(f"no answer from {call.url}: {type(error).__name__}") from None

    def _session(self, url: str) -> URLLib3Session:
        proxies = get_environ_proxies(url)
        key = tuple(sorted(proxies.items()))
        if key not in self._sessions:
            limits = (CONNECT_SECONDS, READ_SECONDS)
            self._sessions[key] = URLLib3Session(
                verify=self._verify,  # type: ignore[arg-type]  # a path to certificates is taken too
                proxies=proxies,
                timeout=limits,  # type: ignore[arg-type]  # connecting, reading
            )
        return self._sessions[key]


def _certificates() -> str | bool:
    return os.environ.get("AWS_CA_BUNDLE") or os.environ.get("REQUESTS_CA_BUNDLE") or True


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
