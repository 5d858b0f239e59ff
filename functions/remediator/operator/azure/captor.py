"""Catch what a fix would write on Azure, as calls of the Azure CLI's `az rest`."""

from __future__ import annotations

import io
import json
import shlex
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import requests
from azure.core.exceptions import AzureError
from azure.core.pipeline.transport import RequestsTransport
from requests.adapters import BaseAdapter, HTTPAdapter

from remediator.azure.arm_client import ArmClient
from remediator.catalogue.azure.arm import ArmError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azure.core.credentials import TokenCredential

    from remediator.catalogue.spec import JSON, Fix, Target

_SECONDS: Final = 300.0
_CONDITION: Final = "If-Match"


@dataclass(slots=True)
class AzureWatched:
    """Hold a client, and what was caught on its way out."""

    client: ArmClient
    barrier: Barrier

    @property
    def caught(self) -> list[str]:
        """Return what was caught, in order."""
        return self.barrier.caught

    @property
    def looked_again(self) -> bool:
        """Tell whether something was read after something was caught."""
        return self.barrier.looked_again


class Barrier(BaseAdapter):
    """Let GET pass to `beyond`; answer anything else in Resource Manager's place, with nothing."""

    def __init__(self, beyond: BaseAdapter) -> None:
        super().__init__()
        self._beyond = beyond
        self.caught: list[str] = []
        self.looked_again = False

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:  # noqa: ANN401 - as requests has it
        """Send a read, or catch a write."""
        if request.method == "GET":
            self.looked_again |= bool(self.caught)
            return self._beyond.send(request, *args, **more)
        self.caught.append(command_of(request))
        response = requests.Response()
        response.status_code, response.raw = 200, io.BytesIO()
        response.request, response.url = request, str(request.url)
        return response

    def close(self) -> None:
        """Close what is beyond."""
        self._beyond.close()


class AzureCaptor:
    """Read with a credential of one's own; `beyond` carries what is read."""

    failures: tuple[type[Exception], ...] = (ArmError, AzureError)

    def __init__(self, credential: TokenCredential, *, beyond: BaseAdapter | None = None) -> None:
        self._credential = credential
        self._beyond = beyond

    @contextmanager
    def watching(self, fix: Fix[Any, Any, Any], target: Target, wanted: JSON) -> Iterator[AzureWatched]:  # noqa: ARG002 - one client for all
        """Return a client whose reads alone are sent."""
        barrier = Barrier(self._beyond or HTTPAdapter())
        session = requests.Session()
        session.mount("https://", barrier)
        transport = RequestsTransport(session=session)
        with ArmClient(self._credential, deadline=time.time() + _SECONDS, transport=transport) as client:
            yield AzureWatched(client, barrier)


def command_of(request: requests.PreparedRequest) -> str:
    """Return the command that sends a request as it is, on the condition that it was on; never its token."""
    words = ["az", "rest", "--method", str(request.method), "--uri", str(request.url)]
    if _CONDITION in request.headers:
        words += ["--headers", json.dumps({_CONDITION: request.headers[_CONDITION]})]
    body = request.body.decode() if isinstance(request.body, bytes) else request.body
    return shlex.join([*words, "--body", str(body)] if body else words)
