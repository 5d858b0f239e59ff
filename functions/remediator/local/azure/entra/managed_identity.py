"""Serve the identity endpoint that App Service gives a function app, over plain HTTP on loopback as there.

https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
"""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlsplit

from remediator.local.azure.calls import Call, CallLog
from remediator.local.azure.entra.assertions import NotProven
from remediator.local.azure.entra.service import audience_of
from remediator.local.azure.entra.tokens import MANAGED_IDENTITY_LIFETIME, Mint
from remediator.local.azure.exchange import Answer, json_answer
from remediator.local.listener import Handler, Listener

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.local.azure.entra.directory import Directory

API_VERSION: Final = "2019-08-01"
_BY_CERTIFICATE: Final = "2"


@dataclass(frozen=True, slots=True)
class Site:
    """Hold whose header it is: the function worker's name, and the object ids of the identities that its app has."""

    origin: str | None
    identities: tuple[str, ...]


class IdentityEndpoint(Listener):
    """Give tokens of an app's own identities to whoever knows the app's header."""

    def __init__(self, directory: Directory, mint: Mint, calls: CallLog) -> None:
        self._directory = directory
        self._mint = mint
        self._calls = calls
        self._sites: dict[str, Site] = {}
        self._lock = threading.Lock()
        super().__init__(_Handler)

    @property
    def url(self) -> str:
        """Return the endpoint, as `IDENTITY_ENDPOINT` holds it."""
        return f"http://127.0.0.1:{self.port}/msi/token"

    def admit(self, site: Site) -> dict[str, str]:
        """Return the environment by which one worker gets tokens of its app's identities."""
        header = secrets.token_hex(16).upper()
        with self._lock:
            self._sites[header] = site
        return {"IDENTITY_ENDPOINT": self.url, "IDENTITY_HEADER": header}

    def respond(self, header: str, path: str, query: Mapping[str, str]) -> Answer:
        """Return a token of one of the identities that the header's app has, or the platform's refusal."""
        with self._lock:
            known = [site for secret, site in self._sites.items() if hmac.compare_digest(secret, header)]
        if path != "/msi/token":
            return Answer(HTTPStatus.NOT_FOUND)
        if not known:
            return _refusal(HTTPStatus.UNAUTHORIZED, "The identity header is missing or wrong.")
        if query.get("api-version") != API_VERSION or not query.get("resource"):
            return _refusal(HTTPStatus.BAD_REQUEST, "The api-version or the resource isn't one that is known here.")
        return self._token(known[0], query)

    def _token(self, site: Site, query: Mapping[str, str]) -> Answer:
        held = [self._directory.principal(identity) for identity in site.identities]
        wanted = {query[name] for name in ("client_id", "principal_id", "object_id", "mi_res_id") if name in query}
        met = [one for one in held if one and wanted & {one.app_id, one.object_id, one.resource_id}]
        if not met:
            what = (
                "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId."
                if wanted
                else "Unable to load requested managed identity."
            )
            return _refusal(HTTPStatus.BAD_REQUEST, what)
        resource = query["resource"]
        try:
            audience = audience_of(self._directory, met[0], resource)
        except NotProven as refusal:
            return _refusal(HTTPStatus.BAD_REQUEST, f"AADSTS{refusal.code}: {refusal}")
        expires = int(time.time()) + MANAGED_IDENTITY_LIFETIME
        token = self._mint.token(met[0], audience, _BY_CERTIFICATE, MANAGED_IDENTITY_LIFETIME)
        call = Call(time.time(), "identity", "GetToken", resource, met[0].object_id, site.origin, status=HTTPStatus.OK)
        self._calls.record(call)
        document = {"access_token": token, "expires_on": str(expires), "resource": resource, "token_type": "Bearer"}
        return json_answer(HTTPStatus.OK, {**document, "client_id": met[0].app_id})


class _Handler(Handler):
    server: IdentityEndpoint

    def do_GET(self) -> None:  # noqa: N802 - http.server's own name
        url = urlsplit(self.path)
        header = self.headers.get("X-IDENTITY-HEADER") or ""
        answer = self.server.respond(header, url.path, dict(parse_qsl(url.query)))
        self.answer(answer.status, answer.body, list(answer.headers))


def _refusal(status: int, message: str) -> Answer:
    return json_answer(status, {"statusCode": status, "message": message})
