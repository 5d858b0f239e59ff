"""Answer at login.microsoftonline.com: discovery, keys, and tokens for apps acting as themselves.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
"""

from __future__ import annotations

import re
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from remediator.local.azure.calls import Call
from remediator.local.azure.entra.assertions import NotProven, prove
from remediator.local.azure.entra.tokens import ISSUER_V2, LIFETIME, Audience, Mint, trace
from remediator.local.azure.exchange import Answer, Plan, Refused, Request, json_answer
from remediator.local.azure.places import LOGIN, TENANT, TENANT_DOMAIN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.local.azure.entra.directory import Directory, ServicePrincipal

_TENANT_PATH: Final = re.compile(r"/([^/]+)(/.*)")
_BASE: Final = f"https://{LOGIN}/{TENANT}"
_ALIASES: Final = [LOGIN, "login.windows.net", "login.microsoft.com", "sts.windows.net"]
_SUFFIX: Final = "/.default"


class Entra:
    """Sign apps of one tenant in."""

    def __init__(self, directory: Directory, mint: Mint) -> None:
        self._directory = directory
        self._mint = mint

    def plan(self, request: Request) -> Plan:
        """Understand a request; raises `Refused`."""
        call = Call(time.time(), "entra", "Discover", request.path, origin=request.origin)
        if request.path == "/common/discovery/instance":
            return Plan(call, _instances)
        match = _TENANT_PATH.fullmatch(request.path)
        if match is None:
            raise Refused(Answer(HTTPStatus.NOT_FOUND), "no such path", call)
        if match[1].lower() not in {TENANT, TENANT_DOMAIN}:
            raise self._refused(call, _unknown_tenant(match[1]))
        if (request.method, match[2]) == ("POST", "/oauth2/v2.0/token"):
            return self._sign_in(request, call)
        documents = {
            "/v2.0/.well-known/openid-configuration": _configuration,
            "/discovery/v2.0/keys": self._mint.key_set,
        }
        if request.method != "GET" or match[2] not in documents:
            raise Refused(Answer(HTTPStatus.NOT_FOUND), "no such path", call)
        document = documents[match[2]]
        return Plan(call, lambda: json_answer(HTTPStatus.OK, document()))

    def error(self, status: int, code: str, message: str) -> Answer:
        """Return an OAuth error; `code` is OAuth's word for it."""
        return json_answer(status, {"error": code, "error_description": message, "error_codes": [], **trace()})

    def throttled(self, seconds: int) -> Answer:
        """Return Entra's answer to too many requests."""
        answer = _problem(NotProven(90055, "The request was throttled.", "temporarily_unavailable", 429))
        return answer.having(("Retry-After", str(seconds)))

    def _sign_in(self, request: Request, call: Call) -> Plan:
        form = dict(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True))
        try:
            principal, credential = self._proven(form)
            audience = self._audience(principal, form.get("scope", ""))
        except NotProven as refusal:
            raise self._refused(_named(call, form.get("client_id", "")), refusal) from None
        signing_in = Call(
            call.at, "entra", "SignIn", form["scope"], principal=principal.object_id, origin=request.origin
        )
        return Plan(signing_in, lambda: self._token(principal, audience, credential))

    def _proven(self, form: Mapping[str, str]) -> tuple[ServicePrincipal, str]:
        if "grant_type" not in form:
            what = "The request body must contain the following parameter: 'grant_type'."
            raise NotProven(900144, what, "invalid_request", 400)
        if form["grant_type"] != "client_credentials":
            what = f"The app requested an unsupported grant type '{form['grant_type']}'."
            raise NotProven(70003, what, "unsupported_grant_type", 400)
        app = self._directory.application(form.get("client_id", ""))
        principal = self._directory.principal_of(form.get("client_id", ""))
        if app is None or principal is None:
            what = (
                f"Application with identifier '{form.get('client_id', '')}' was not found in the directory "
                f"'{TENANT_DOMAIN}'."
            )
            raise NotProven(700016, what, "unauthorized_client", 400)
        credential = prove(app, form)
        if not principal.enabled:
            what = f"Application '{app.app_id}' ({app.name}) is disabled."
            raise NotProven(7000112, what, "unauthorized_client", 400)
        return principal, credential

    def _audience(self, principal: ServicePrincipal, scope: str) -> Audience:
        """Return what a scope stands for, for this principal; raises `NotProven`."""
        if not scope.endswith(_SUFFIX):
            what = (
                f"The provided value for scope {scope} is not valid. Client credential flows must have a scope value "
                "with /.default suffixed to the resource identifier (application ID URI)."
            )
            raise NotProven(1002012, what, "invalid_scope", 400)
        return audience_of(self._directory, principal, scope.removesuffix(_SUFFIX))

    def _token(self, principal: ServicePrincipal, audience: Audience, credential: str) -> Answer:
        token = self._mint.token(principal, audience, credential)
        lifetimes = {"expires_in": LIFETIME, "ext_expires_in": LIFETIME}
        document = {"token_type": "Bearer", **lifetimes, "access_token": token}
        return json_answer(HTTPStatus.OK, document, ("Cache-Control", "no-store, no-cache"), ("Pragma", "no-cache"))

    def _refused(self, call: Call, refusal: NotProven) -> Refused:
        return Refused(_problem(refusal), f"AADSTS{refusal.code}: {refusal}", call)


def audience_of(directory: Directory, principal: ServicePrincipal, resource: str) -> Audience:
    """Return whom a token for a resource is addressed to, and the roles it holds; raises `NotProven`."""
    found = _resource(directory, resource)
    if found is None:
        what = (
            f"The resource principal named {resource} was not found in the tenant named {TENANT_DOMAIN}. This can "
            "happen if the application has not been installed by the administrator of the tenant."
        )
        raise NotProven(500011, what, "invalid_resource", 400)
    roles = directory.roles(principal.object_id, found)
    if found.assignment_required and not roles:
        what = (
            f"Application '{principal.app_id}'({principal.name}) is not assigned to a role for the application "
            f"'{resource}'({found.name})."
        )
        raise NotProven(501051, what, "invalid_grant", 400)
    app = directory.application(found.app_id)
    if app is not None and app.token_version > 1:
        return Audience(app.app_id, app.token_version, roles)
    return Audience(resource, 1, roles)


def _resource(directory: Directory, resource: str) -> ServicePrincipal | None:
    """Return the principal of the service or API that a resource's URI, or client id, names."""
    wanted = resource.rstrip("/")
    for principal in directory.principals():
        if principal.first_party is not None and wanted in principal.first_party.resources:
            return principal
    for app in directory.applications():
        if resource == app.app_id or resource in app.document["identifierUris"]:
            return directory.principal_of(app.app_id)
    return None


def _problem(refusal: NotProven) -> Answer:
    traced = trace()
    text = (
        f"AADSTS{refusal.code}: {refusal} Trace ID: {traced['trace_id']} "
        f"Correlation ID: {traced['correlation_id']} Timestamp: {traced['timestamp']}"
    )
    document = {"error": refusal.error, "error_description": text, "error_codes": [refusal.code], **traced}
    return json_answer(refusal.status, {**document, "error_uri": f"https://{LOGIN}/error?code={refusal.code}"})


def _unknown_tenant(name: str) -> NotProven:
    what = (
        f"Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into the "
        "correct cloud."
    )
    return NotProven(90002, what, "invalid_request", 400)


def _named(call: Call, client_id: str) -> Call:
    return Call(call.at, call.service, "SignIn", client_id, origin=call.origin)


def _instances() -> Answer:
    clouds = [{"preferred_network": LOGIN, "preferred_cache": "login.windows.net", "aliases": _ALIASES}]
    endpoint = f"{_BASE}/v2.0/.well-known/openid-configuration"
    return json_answer(
        HTTPStatus.OK,
        {"tenant_discovery_endpoint": endpoint, "api-version": "1.1", "metadata": clouds},
    )


def _configuration() -> dict[str, Any]:
    return {
        "token_endpoint": f"{_BASE}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": f"{_BASE}/discovery/v2.0/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": ISSUER_V2,
        "authorization_endpoint": f"{_BASE}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{_BASE}/oauth2/v2.0/devicecode",
        "tenant_region_scope": "EU",
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": "graph.microsoft.com",
    }
