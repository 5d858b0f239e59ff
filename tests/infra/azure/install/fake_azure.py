"""Play Graph, Resource Manager and the publishing service, as far as an installation asks them.

What isn't expected is refused: unknown paths, API versions, properties, tokens of another service.
"""

from __future__ import annotations

import base64
import io
import itertools
import json
import re
import uuid
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

import requests
import urllib3
from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import RequestsTransport
from cryptography import x509
from requests.adapters import BaseAdapter

from infra.azure.evaluate import Place, evaluate

if TYPE_CHECKING:
    from collections.abc import Callable

ARM: Final = "management.azure.com"
GRAPH: Final = "graph.microsoft.com"
VERSIONS: Final = {
    "": "2021-04-01",
    "Microsoft.Resources": "2021-04-01",
    "Microsoft.Authorization": "2022-04-01",
    "Microsoft.KeyVault": "2023-07-01",
    "Microsoft.Web": "2024-04-01",
}
REGISTRATION: Final = {
    *("displayName", "signInAudience", "identifierUris", "api", "appRoles", "keyCredentials"),
}


class Crash(BaseException):
    """End the program, as a power cut would."""


class Refusal(Exception):  # noqa: N818 - what it is
    def __init__(self, status: int, code: str, message: str = "") -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message or code


class Credential:
    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        return AccessToken(f"token for {scopes[0]}", 2**40)


class FakeAzure(BaseAdapter):
    """Hold one tenant and one subscription."""

    def __init__(self, tenant: str, clock: Callable[[], float], callers: dict[str, str]) -> None:
        """`callers` are service principals that were there before: object id → client id."""
        super().__init__()
        self.callers = callers
        self.tenant = tenant
        self.clock = clock
        self.applications: dict[str, dict[str, Any]] = {}
        self.bin: dict[str, dict[str, Any]] = {}
        self.principals: dict[str, dict[str, Any]] = {}
        self.assigned: dict[str, dict[str, Any]] = {}
        self.groups: dict[str, Any] = {}
        self.deployments: dict[str, dict[str, Any]] = {}
        self.secrets: dict[str, list[dict[str, Any]]] = {}
        self.vaults: set[str] = set()
        self.sites: dict[str, dict[str, Any]] = {}
        self.roles: dict[str, dict[str, Any]] = {}
        self.grants: dict[str, dict[str, Any]] = {}
        self.uploads: list[tuple[str, bytes]] = []
        self.started: list[str] = []
        self.build_ends = 4
        self.deployment_ends = "Succeeded"
        self.lag = 0
        """How many looks the directory takes to know what was just made."""
        self.crash_after: int | None = None
        self.writes: list[str] = []
        self.denied: set[str] = set()

    def transport(self) -> RequestsTransport:
        session = requests.Session()
        session.mount("https://", self)
        return RequestsTransport(session=session, session_owner=False)

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]  # what is needed of it
        response = requests.Response()
        response.request, response.url = request, request.url or ""
        try:
            response.status_code, body = self._answer(request)
        except Refusal as refusal:
            response.status_code, body = refusal.status, {"error": {"code": refusal.code, "message": refusal.message}}
        content = io.BytesIO(b"" if body is None else json.dumps(body).encode())
        response.raw = urllib3.HTTPResponse(content, status=response.status_code, preload_content=False)
        if request.method != "GET" and response.status_code < 400:
            self.writes.append(f"{request.method} {urlsplit(request.url or '').path}")
            if self.crash_after is not None and len(self.writes) > self.crash_after:
                raise Crash
        return response

    def close(self) -> None:
        pass

    def _answer(self, request: requests.PreparedRequest) -> tuple[int, Any]:
        url = urlsplit(str(request.url))
        host, path = url.netloc, unquote(url.path)
        service = ARM if host.endswith(".scm.azurewebsites.net") else host
        if request.headers.get("Authorization") != f"Bearer token for https://{service}/.default":
            raise Refusal(401, "InvalidAuthenticationToken")
        if f"{request.method} {host}" in self.denied:
            raise Refusal(403, "AuthorizationFailed", "the client does not have authorization")
        sent = request.body if isinstance(request.body, bytes) else (request.body or "").encode()
        zipped = request.headers.get("Content-Type") == "application/zip"
        body: Any = sent if zipped else json.loads(sent) if sent else None
        players = {GRAPH: self._graph, ARM: self._arm}
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        if host not in players:
            return self._scm(host.partition(".")[0], str(request.method), path, query, body)
        return players[host](str(request.method), path, query, body)

    # Graph

    def _graph(  # noqa: PLR0911 - one per path
        self, method: str, path: str, query: dict[str, str], body: Any
    ) -> tuple[int, Any]:
        where = path.removeprefix("/v1.0")
        if method == "GET" and (found := re.fullmatch(r"/applications\(uniqueName='(.+)'\)", where)):
            return 200, self._selected(self._seen(self.applications, "uniqueName", found[1]), query)
        if method == "PATCH" and (found := re.fullmatch(r"/applications\(uniqueName='(.+)'\)", where)):
            return self._upserted(found[1], body)
        if found := re.fullmatch(r"/applications/(.+)", where):
            return self._registered(method, found[1], body)
        if method == "GET" and (found := re.fullmatch(r"/servicePrincipals\(appId='(.+)'\)", where)):
            return 200, self._seen(self.principals, "appId", found[1])
        if (method, where) == ("POST", "/servicePrincipals"):
            return 201, self._principal(body)
        if found := re.fullmatch(r"/servicePrincipals/([^/]+)", where):
            return self._known(found[1]) if method == "GET" else self._changed(found[1], body)
        if found := re.fullmatch(r"/servicePrincipals/([^/]+)/appRoleAssignedTo(?:/(.+))?", where):
            return self._assignment(method, found[1], found[2], body)
        if where == "/directory/deletedItems/microsoft.graph.application":
            return 200, {"value": list(self.bin.values())}
        if found := re.fullmatch(r"/directory/deletedItems/([^/]+)", where):
            self.bin.pop(found[1])
            return 204, None
        raise Refusal(400, "BadRequest", f"{method} {path}")

    def _seen(self, things: dict[str, dict[str, Any]], name: str, value: str) -> dict[str, Any]:
        for one in things.values():
            if one[name] == value:
                one["_unseen"] = max(one.get("_unseen", 0) - 1, -1)
                if one["_unseen"] < 0:
                    return {key: part for key, part in one.items() if key != "_unseen"}
        raise Refusal(404, "Request_ResourceNotFound")

    @staticmethod
    def _selected(found: dict[str, Any], query: dict[str, str]) -> dict[str, Any]:
        chosen = query.get("$select", "").split(",")
        if "keyCredentials" not in chosen:
            found = found | {"keyCredentials": [one | {"key": None} for one in found["keyCredentials"]]}
        return {name: value for name, value in found.items() if name in chosen or name in ("id", "appId")}

    def _upserted(self, name: str, body: dict[str, Any]) -> tuple[int, Any]:
        """Make a registration of that name, or change the one there is."""
        for one in self.applications.values():
            if one["uniqueName"] == name:
                return self._registered("PATCH", one["id"], body)
        if body.keys() - REGISTRATION:
            raise Refusal(400, "Request_BadRequest")
        if name in {one["uniqueName"] for one in self.bin.values()}:
            raise Refusal(409, "ObjectConflict")
        own = {"id": str(uuid.uuid4()), "appId": str(uuid.uuid4()), "uniqueName": name}
        made: dict[str, Any] = own | {"keyCredentials": [], "_unseen": self.lag} | body
        self.applications[own["id"]] = made
        return 201, made

    def _registered(self, method: str, object_id: str, body: Any) -> tuple[int, Any]:
        if object_id not in self.applications:
            raise Refusal(404, "Request_ResourceNotFound")
        if method == "DELETE":
            gone = self.applications.pop(object_id)
            self.bin[object_id] = gone
            dead = {one["id"] for one in self.principals.values() if one["appId"] == gone["appId"]}
            self.principals = {key: one for key, one in self.principals.items() if key not in dead}
            self.assigned = {key: one for key, one in self.assigned.items() if one["resourceId"] not in dead}
            return 204, None
        assert method == "PATCH"
        if body.keys() - REGISTRATION:
            raise Refusal(400, "Request_BadRequest")
        held = self.applications[object_id]
        scopes = {one["id"] for one in (held.get("api") or {}).get("oauth2PermissionScopes", ())}
        for client in body.get("api", {}).get("preAuthorizedApplications", ()):
            if set(client["delegatedPermissionIds"]) - scopes:
                raise Refusal(400, "InvalidValue", "the permission isn't there yet")
        for one in body.get("keyCredentials", ()):
            if not one.get("key"):
                raise Refusal(400, "KeyCredentialsInvalidValue", "a certificate without its bytes")
            x509.load_der_x509_certificate(base64.b64decode(one["key"]))
        held.update(body)
        return 204, None

    def _known(self, object_id: str) -> tuple[int, Any]:
        if object_id not in self.callers:
            raise Refusal(404, "Request_ResourceNotFound")
        return 200, {"id": object_id, "appId": self.callers[object_id]}

    def _changed(self, object_id: str, body: dict[str, Any]) -> tuple[int, Any]:
        self.principals[object_id].update(body)
        return 204, None

    def _principal(self, body: dict[str, Any]) -> dict[str, Any]:
        if body["appId"] not in {one["appId"] for one in self.applications.values() if one.get("_unseen", -1) < 0}:
            raise Refusal(400, "NoBackingApplicationObject")
        if body["appId"] in {one["appId"] for one in self.principals.values()}:
            raise Refusal(409, "Request_MultipleObjectsWithSameKeyValue")
        made = {"id": str(uuid.uuid4()), "_unseen": self.lag, **body}
        self.principals[made["id"]] = made
        return made

    def _assignment(self, method: str, resource: str, object_id: str | None, body: Any) -> tuple[int, Any]:
        if method == "GET":
            return 200, {"value": [one for one in self.assigned.values() if one["resourceId"] == resource]}
        if method == "DELETE":
            self.assigned.pop(str(object_id))
            return 204, None
        (api,) = [one for one in self.applications.values() if one["appId"] == self.principals[resource]["appId"]]
        if body["appRoleId"] not in {one["id"] for one in api.get("appRoles", ())}:
            raise Refusal(400, "Request_BadRequest", "Permission being assigned was not found on application")
        made = {"id": str(uuid.uuid4()), **body}
        self.assigned[made["id"]] = made
        return 201, made

    # Resource Manager

    def _arm(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        provider = path.rpartition("/providers/")[2].partition("/")[0].lower() if "/providers/" in path else ""
        if query.get("api-version") != {name.lower(): one for name, one in VERSIONS.items()}.get(provider):
            raise Refusal(400, "InvalidApiVersionParameter", f"{provider} {query}")
        players = [
            (r"/subscriptions/[^/]+/resourceGroups/[^/]+", self._group),
            (r".+/providers/Microsoft.Resources/deployments/[^/]+", self._deployment),
            (r".+/providers/Microsoft.Resources/tags/default", self._tags),
            (r".+/providers/Microsoft.KeyVault/vaults/[^/]+/secrets/[^/]+", self._secret),
            (r".+/providers/Microsoft.Authorization/roleDefinitions/[^/]+", self._role),
            (r".+/providers/Microsoft.Authorization/roleAssignments(?:/[^/]+)?", self._grant),
            (r".+/providers/Microsoft.Web/sites/.+", self._site),
        ]
        for pattern, player in players:
            if re.fullmatch(pattern, path, re.IGNORECASE):
                return player(method, path, query, body)
        raise Refusal(404, "NotFound", path)

    def _group(self, method: str, path: str, _: Any, body: Any) -> tuple[int, Any]:
        if method == "PUT":
            self.groups[path] = body
        return 200, self._there(self.groups, path)

    @staticmethod
    def _there(things: dict[str, Any], path: str) -> Any:
        if path not in things:
            raise Refusal(404, "ResourceNotFound", path)
        return things[path]

    def _deployment(self, method: str, path: str, _: Any, body: Any) -> tuple[int, Any]:
        group = path.partition("/providers/")[0]
        self._there(self.groups, group)
        if method == "PUT":
            self.deployments[path] = self._begun(group, body)
        if method == "DELETE":
            return 202, self.deployments.pop(path) and None
        held = self._there(self.deployments, path)
        answer = json.loads(json.dumps(held))
        if held["properties"]["provisioningState"] == "Running":
            held["properties"]["provisioningState"] = self.deployment_ends
        if answer["properties"]["provisioningState"] != "Succeeded":
            answer["properties"].pop("outputs")
        return 200, answer

    def _begun(self, group: str, body: Any) -> dict[str, Any]:
        properties = body["properties"]
        template, given = properties["template"], {k: v["value"] for k, v in properties["parameters"].items()}
        _, _, subscription, _, name = group.split("/")
        found = evaluate(template, given, Place(subscription, name, "westeurope", self.tenant))
        for one in found.resources:
            self._made(one.id, one.type, one.body)
        secret = {key for key, one in template["parameters"].items() if one["type"] == "securestring"}
        shown = {key: {"type": "SecureString"} if key in secret else {"value": one} for key, one in given.items()}
        outputs = {key: {"value": one} for key, one in found.outputs.items()}
        state = {"provisioningState": "Running", "parameters": shown, "outputs": outputs}
        return {"tags": body.get("tags"), "properties": state}

    def _made(self, path: str, kind: str, body: Any) -> None:
        if kind == "Microsoft.KeyVault/vaults":
            self.vaults.add(path)
        if kind == "Microsoft.Web/sites":
            self.sites[path] = {"tags": {}, "properties": {"state": "Running"}}
        if kind == "Microsoft.KeyVault/vaults/secrets":
            assert path.rpartition("/secrets/")[0] in self.vaults
            attributes = body["properties"]["attributes"] | {"created": int(self.clock())}
            version = {"value": body["properties"]["value"], "tags": body["tags"], "attributes": attributes}
            self.secrets.setdefault(path, []).append(version)

    def _secret(self, method: str, path: str, *_: Any) -> tuple[int, Any]:
        assert method == "GET"
        newest = self._there(self.secrets, path)[-1]
        return 200, {"tags": newest["tags"], "properties": {"attributes": newest["attributes"]}}

    def _tags(self, method: str, path: str, _: Any, body: Any) -> tuple[int, Any]:
        assert (method, body["operation"]) == ("PATCH", "Merge")
        self._there(self.sites, path.partition("/providers/Microsoft.Resources/")[0])["tags"].update(
            body["properties"]["tags"]
        )
        return 200, body

    def _role(self, method: str, path: str, _: Any, body: Any) -> tuple[int, Any]:
        scope, _, id_part = path.partition("/providers/Microsoft.Authorization/")
        known = f"{'/'.join(scope.split('/')[:3])}/providers/Microsoft.Authorization/{id_part}"
        if method == "PUT":
            names = {one["properties"]["roleName"] for key, one in self.roles.items() if key != known}
            if body["properties"]["roleName"] in names:
                raise Refusal(409, "RoleDefinitionWithSameNameExists")
            if scope not in body["properties"]["assignableScopes"]:
                raise Refusal(400, "InvalidRoleDefinition", "not assignable where it is defined")
            scopes = {one.lower() for one in body["properties"]["assignableScopes"]}
            for grant, one in self.grants.items():
                if one["properties"]["roleDefinitionId"] == known and grant.partition("/providers/")[0] not in scopes:
                    raise Refusal(400, "RoleDefinitionHasAssignments", "still held in a scope that it gives up")
            self.roles[known] = body
        if scope not in self._there(self.roles, known)["properties"]["assignableScopes"]:
            raise Refusal(404, "RoleDefinitionDoesNotExist")
        if method == "DELETE":
            if any(one["properties"]["roleDefinitionId"] == known for one in self.grants.values()):
                raise Refusal(409, "RoleDefinitionHasAssignments")
            return 200, self.roles.pop(known)
        return 200, self.roles[known]

    def _grant(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        if path.endswith("/roleAssignments"):
            principal = re.fullmatch(r"principalId eq '(.+)'", query["$filter"])
            assert principal is not None
            found = [one for one in self.grants.values() if one["properties"]["principalId"] == principal[1]]
            return 200, {"value": found}
        if method == "PUT":
            self._there(self.roles, body["properties"]["roleDefinitionId"])
            assert body["properties"]["principalId"] in self.principals
            self.grants[path.lower()] = {"id": path, **body}
        if method == "DELETE":
            return 200, self.grants.pop(path.lower())
        return 200, self._there(self.grants, path.lower())

    def _site(self, method: str, path: str, _: Any, __: Any) -> tuple[int, Any]:
        app, _, action = path.partition("/providers/Microsoft.Web/sites/")[2].partition("/")
        site = self._there(self.sites, path.removesuffix(f"/{action}") if action else path)
        if action in ("stop", "start"):
            site["properties"]["state"] = "Stopped" if action == "stop" else "Running"
            return 200, None
        if action:
            assert (method, action) == ("POST", "hostruntime/admin/functions/rotate_window")
            self.started.append(app)
            return 202, None
        return 200, site

    # Publishing

    def _scm(self, app: str, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        if (method, path) == ("POST", "/api/publish"):
            assert query["RemoteBuild"] == "true"
            self.uploads.append((app, body))
            self._looks = itertools.count()
            return 202, f"build-{len(self.uploads)}"
        if path != f"/api/deployments/build-{len(self.uploads)}":
            raise Refusal(404, "NotFound", path)
        return 200, {"status": self.build_ends if next(self._looks) else 1, "status_text": "pip said no"}
