"""Answer at *.vault.azure.net: secrets, with the challenge, the roles and the refusals of Key Vault.

https://learn.microsoft.com/rest/api/keyvault/secrets/operation-groups;
https://learn.microsoft.com/azure/key-vault/general/rbac-guide
"""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from remediator.local.azure.calls import Call
from remediator.local.azure.entra.first_party import VAULT as AUDIENCE
from remediator.local.azure.entra.tokens import ISSUER_V1, BadToken, Caller
from remediator.local.azure.exchange import Answer, Plan, Refused, Request, json_answer
from remediator.local.azure.front import NobodyThere
from remediator.local.azure.places import LOGIN, TENANT, VAULTS
from remediator.local.azure.rbac.roles import covers
from remediator.local.azure.vault.documents import item, new_version
from remediator.local.azure.vault.operations import Operations
from remediator.local.azure.vault.secrets import Problem, Secrets

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.local.azure.entra.tokens import Mint
    from remediator.local.azure.estate import Estate, Vault
    from remediator.local.azure.faults import Delays
    from remediator.local.azure.rbac.roles import Rbac

VERSIONS: Final = ("7.0", "7.1", "7.2", "7.3", "7.4", "7.5", "7.6", "2025-07-01", "2026-04-01")
_ACTIONS: Final = "Microsoft.KeyVault/vaults/secrets/"
_NAME: Final = r"([0-9a-zA-Z-]{1,127})"
_CHALLENGE: Final = (
    "WWW-Authenticate",
    f'Bearer authorization="https://{LOGIN}/{TENANT}", resource="https://vault.azure.net"',
)
_RECENT: Final = (
    "If role assignments, deny assignments or role definitions were changed recently, please observe propagation time."
)
_UNAUTHORIZED: Final = {
    "missing": "AKV10000: Request is missing a Bearer or PoP token.",
    "audience": "AKV10022: Invalid audience. Expected https://vault.azure.net, found: {found}.",
    "issuer": "AKV10032: Invalid issuer. Expected one of " + ISSUER_V1 + ", found {found}.",
}


@dataclass(frozen=True, slots=True)
class Route:
    """Hold what one kind of request is called, which right it needs, and which method of `Operations` does it."""

    method: str
    path: re.Pattern[str]
    operation: str
    action: str


def _route(method: str, path: str, operation: str, action: str) -> Route:
    return Route(method, re.compile(path), operation, _ACTIONS + action)


ROUTES: Final = (
    _route("PUT", rf"/secrets/{_NAME}", "set", "setSecret/action"),
    _route("GET", rf"/secrets/{_NAME}/versions", "versions", "readMetadata/action"),
    _route("GET", rf"/secrets/{_NAME}(?:/([0-9a-f]{{32}})?)?", "get", "getSecret/action"),
    _route("PATCH", rf"/secrets/{_NAME}/([0-9a-f]{{32}})?", "update", "update/action"),
    _route("DELETE", rf"/secrets/{_NAME}", "delete", "delete"),
    _route("GET", r"/secrets()", "list", "readMetadata/action"),
    _route("GET", rf"/deletedsecrets/{_NAME}", "get_deleted", "readMetadata/action"),
    _route("DELETE", rf"/deletedsecrets/{_NAME}", "purge", "purge/action"),
    _route("POST", rf"/deletedsecrets/{_NAME}/recover", "recover", "recover/action"),
    _route("GET", r"/deletedsecrets()", "list_deleted", "readMetadata/action"),
)


class Vaults:
    """Serve every vault of the estate."""

    def __init__(self, estate: Estate, mint: Mint, rbac: Rbac, delays: Delays) -> None:
        self._estate = estate
        self._mint = mint
        self._rbac = rbac
        self._delays = delays
        self._lock = threading.Lock()
        self._secrets: dict[str, Secrets] = {}

    def secrets(self, vault: Vault) -> Secrets:
        """Return what a vault holds, for tests to look at."""
        with self._lock:
            return self._secrets.setdefault(vault.resource_id.lower(), Secrets())

    def forget_below(self, scope: str) -> None:
        """Forget what the vaults in a scope hold."""
        with self._lock:
            for key in [key for key in self._secrets if covers(scope, key)]:
                del self._secrets[key]

    def put(self, vault: Vault, name: str, document: bytes) -> None:
        """Set a secret as Resource Manager does: without a role on the data plane. Raises `Problem`."""
        self.secrets(vault).put(name, new_version(document, int(time.time())))

    def shown(self, vault: Vault, name: str) -> dict[str, Any] | None:
        """Return a secret as Resource Manager shows it, without its value; None if there is none."""
        try:
            secret = self.secrets(vault).secret(name)
        except Problem:
            return None
        found = item(vault, secret, secret.current)
        properties = {"attributes": found["attributes"], "contentType": found.get("contentType")}
        return {"tags": found.get("tags") or {}, "properties": properties}

    def plan(self, request: Request) -> Plan:
        """Authenticate, authorize and understand a request; raises `Refused`, or `NobodyThere`."""
        vault = self._estate.vault(request.host.removesuffix(VAULTS))
        if vault is None:
            raise NobodyThere(request.host)
        call = Call(time.time(), "vault", request.method, vault.url + request.path, origin=request.origin)
        caller = self._caller(request, call)
        route, name, version = _understood(request, call)
        scope = f"{vault.resource_id}/secrets/{name}" if name else vault.resource_id
        call = Call(call.at, "vault", route.action, scope, caller.object_id, request.origin, ((route.action, scope),))
        if not self._rbac.allows(caller.object_id, route.action, scope, data=True):
            raise Refused(_forbidden(vault, caller, route.action, scope), "no role allows it", call)
        operations = Operations(vault, self.secrets(vault), request, self._delays)
        perform: Callable[..., Answer] = getattr(operations, route.operation)
        return Plan(call, lambda: self._performed(perform, name, version or ""))

    def error(self, status: int, code: str, message: str) -> Answer:
        """Return an error in the data plane's form."""
        return _error(Problem(status, code, message))

    def throttled(self, seconds: int) -> Answer:
        """Return the vault's answer to too many requests."""
        answer = _error(
            Problem(429, "Throttled", "The request was not processed because too many requests were received.")
        )
        return answer.having(("Retry-After", str(seconds)))

    def _performed(self, perform: Callable[..., Answer], name: str, version: str) -> Answer:
        try:
            return perform(name, version)
        except Problem as problem:
            return _error(problem)

    def _caller(self, request: Request, call: Call) -> Caller:
        try:
            return self._mint.read(request.bearer, AUDIENCE.resources)
        except BadToken as bad:
            message = _UNAUTHORIZED.get(bad.what, "AKV10046: The token's validation failed.").format(found=bad.found)
            answer = _error(Problem(401, "Unauthorized", message)).having(_CHALLENGE)
            raise Refused(answer, f"the token is bad: {bad}", call) from None


def _understood(request: Request, call: Call) -> tuple[Route, str, str | None]:
    version = request.query.get("api-version")
    if version not in VERSIONS:
        what = (
            "api-version must be specified"
            if version is None
            else f"The specified version ({version}) is not recognized."
        )
        raise Refused(_error(Problem(400, "BadParameter", what)), "unknown version of the API", call)
    for route in ROUTES:
        match = route.path.fullmatch(request.path)
        if match is not None and request.method == route.method:
            return route, match[1], match[2] if route.path.groups > 1 else None
    problem = Problem(404, "NotFound", f"{request.method} {request.path} isn't an operation on secrets.")
    raise Refused(_error(problem), "unknown operation", call)


def _forbidden(vault: Vault, caller: Caller, action: str, scope: str) -> Answer:
    lines = (
        "Caller is not authorized to perform action on resource.",
        _RECENT,
        f"Caller: appid={caller.app_id};oid={caller.object_id};iss={ISSUER_V1}",
        f"Action: '{action}'",
        f"Resource: '{scope.lower()}'",
        "Assignment: (not found)",
        "DenyAssignmentId: null",
        "DecisionReason: null ",
        f"Vault: {vault.name};location={vault.location}",
        "",
    )
    return _error(Problem(403, "Forbidden", "\r\n".join(lines), "ForbiddenByRbac"))


def _error(problem: Problem) -> Answer:
    error: dict[str, Any] = {"code": problem.code, "message": str(problem)}
    if problem.inner is not None:
        error["innererror"] = {"code": problem.inner}
    return json_answer(HTTPStatus(problem.status), {"error": error})
