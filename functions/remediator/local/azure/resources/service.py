"""Answer in Resource Manager for groups, deployments, and what was deployed.

https://learn.microsoft.com/rest/api/resources/deployments and .../appservice/web-apps
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from remediator.local.azure.apps.host import NoSuchApp
from remediator.local.azure.arm.refusals import ArmRefusal
from remediator.local.azure.exchange import NO_CONTENT, Answer, Request, json_answer
from remediator.local.azure.places import SUBSCRIPTION

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.local.azure.apps.host import AppHost
    from remediator.local.azure.estate import Estate
    from remediator.local.azure.resources.deployments import Deployment, Deployments, Groups
    from remediator.local.azure.resources.making import Maker
    from remediator.local.azure.resources.sites import Site, SiteKeeper
    from remediator.local.azure.vault.service import Vaults

_GROUP: Final = rf"/subscriptions/{SUBSCRIPTION}/resourceGroups/(?P<group>[\w().-]+)"
_SITE: Final = rf"(?P<id>{_GROUP}/providers/Microsoft\.Web/sites/(?P<site>[\w-]+))"
_RESOURCES: Final = "2021-04-01"
_WEB: Final = "2024-04-01"
_VAULT: Final = "2023-07-01"
_RULES: Final = "2023-03-15-preview"
_ALERTS: Final = "2019-05-05-preview"
_ACTION_GROUPS: Final = "2023-01-01"


@dataclass(frozen=True, slots=True)
class Route:
    """Hold one kind of request: which method does it, which version of the interface it is of, which right it needs."""

    method: str
    path: re.Pattern[str]
    operation: str
    version: str
    action: str


def _route(method: str, path: str, operation: str, version: str, action: str) -> Route:
    return Route(method, re.compile(path, re.IGNORECASE), operation, version, action)


ROUTES: Final = (
    _route("GET", _GROUP, "get_group", _RESOURCES, "Microsoft.Resources/subscriptions/resourceGroups/read"),
    _route("PUT", _GROUP, "put_group", _RESOURCES, "Microsoft.Resources/subscriptions/resourceGroups/write"),
    *(
        _route(
            method,
            rf"{_GROUP}/providers/Microsoft\.Resources/deployments/(?P<name>[\w.()-]+)",
            f"{verb}_deployment",
            _RESOURCES,
            f"Microsoft.Resources/deployments/{action}",
        )
        for method, verb, action in (("GET", "get", "read"), ("PUT", "put", "write"), ("DELETE", "delete", "delete"))
    ),
    _route(
        "GET",
        rf"{_GROUP}/providers/Microsoft\.Insights/scheduledQueryRules",
        "list_rules",
        _RULES,
        "Microsoft.Insights/scheduledQueryRules/read",
    ),
    _route(
        "GET",
        rf"{_GROUP}/providers/Microsoft\.Insights/actionGroups/[\w-]+",
        "get_action_group",
        _ACTION_GROUPS,
        "Microsoft.Insights/actionGroups/read",
    ),
    _route(
        "GET",
        rf"{_GROUP}/providers/Microsoft\.AlertsManagement/alerts",
        "list_alerts",
        _ALERTS,
        "Microsoft.AlertsManagement/alerts/read",
    ),
    _route("GET", _SITE, "get_site", _WEB, "Microsoft.Web/sites/Read"),
    _route("POST", rf"{_SITE}/stop", "stop_site", _WEB, "Microsoft.Web/sites/stop/Action"),
    _route("POST", rf"{_SITE}/start", "start_site", _WEB, "Microsoft.Web/sites/start/Action"),
    _route(
        "POST",
        rf"{_SITE}/hostruntime/admin/functions/(?P<name>\w+)",
        "run_function",
        _WEB,
        "Microsoft.Web/sites/hostruntime/host/action",
    ),
    _route(
        "PATCH",
        rf"{_SITE}/providers/Microsoft\.Resources/tags/default",
        "merge_tags",
        _RESOURCES,
        "Microsoft.Resources/tags/write",
    ),
    _route(
        "GET",
        rf"(?P<id>{_GROUP}/providers/Microsoft\.KeyVault/vaults/(?P<vault>[\w-]+)/secrets/(?P<name>[\w-]+))",
        "get_secret",
        _VAULT,
        "Microsoft.KeyVault/vaults/secrets/read",
    ),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Hold what a request is about, and the right that it needs."""

    route: Route
    parts: dict[str, str]
    path: str
    document: dict[str, Any]
    deployment: Deployment | None

    @property
    def operation(self) -> str:
        """Return the operation that the caller needs a right to."""
        return self.route.action

    @property
    def scope(self) -> str:
        """Return what the operation is done on."""
        return self.parts.get("id", self.path)


class Resources:
    """Serve what deployments make."""

    def __init__(  # noqa: PLR0913 - one per store
        self,
        *,
        groups: Groups,
        deployments: Deployments,
        maker: Maker,
        sites: SiteKeeper,
        host: AppHost,
        estate: Estate,
        vaults: Vaults,
    ) -> None:
        self._groups = groups
        self._deployments = deployments
        self._maker = maker
        self._sites = sites
        self._host = host
        self._estate = estate
        self._vaults = vaults

    def understand(self, request: Request) -> Asked | None:
        """Return what a request is about; None if it is about something that wasn't deployed. Raises `ArmRefusal`."""
        for route in ROUTES:
            match = route.path.fullmatch(request.path.rstrip("/"))
            if match is None or request.method != route.method:
                continue
            parts = {name: value for name, value in match.groupdict().items() if value is not None}
            if not self._ours(parts):
                return None
            if request.query.get("api-version") != route.version:
                what = f"No registered resource provider found for API version '{request.query.get('api-version')}'."
                raise ArmRefusal(400, "NoRegisteredProviderFound", what)
            document = _document(request)
            deployment = None
            if route.operation == "put_deployment":
                deployment = self._deployments.understand(request.path, parts["group"], parts["name"], document)
            return Asked(route, parts, request.path, document, deployment)
        return None

    def perform(self, asked: Asked, allowed: Callable[[str, str], bool]) -> Answer:
        """Carry it out; raises `ArmRefusal`. `allowed` says whether the caller may do an action on a scope."""
        if asked.deployment is not None:
            return json_answer(HTTPStatus.CREATED, self._deployments.carry_out(asked.deployment, allowed))
        answer: Answer = getattr(self, f"_{asked.route.operation}")(asked)
        return answer

    def _ours(self, parts: dict[str, str]) -> bool:
        """Tell whether a site or a vault is one that was deployed; what isn't may be a target of fixes."""
        if "site" in parts:
            return self._sites.find(parts["id"]) is not None
        return "vault" not in parts or self._estate.vault(parts["vault"]) is not None

    def _get_group(self, asked: Asked) -> Answer:
        return _ok(self._groups.get(asked.parts["group"]))

    def _put_group(self, asked: Asked) -> Answer:
        new = self._groups.put(asked.parts["group"], asked.document)
        return json_answer(HTTPStatus.CREATED if new else HTTPStatus.OK, self._groups.get(asked.parts["group"]))

    def _get_deployment(self, asked: Asked) -> Answer:
        return _ok(self._deployments.get(asked.path))

    def _delete_deployment(self, asked: Asked) -> Answer:
        return Answer(HTTPStatus.ACCEPTED) if self._deployments.forget(asked.path) else NO_CONTENT

    def _list_rules(self, asked: Asked) -> Answer:
        return _ok({"value": self._maker.listed(asked.parts["group"], "Microsoft.Insights/scheduledQueryRules")})

    def _get_action_group(self, asked: Asked) -> Answer:
        document = self._maker.document(asked.path)
        if document is None:
            raise ArmRefusal(404, "ResourceNotFound", f"The Resource '{asked.path}' was not found.")
        return _ok(document)

    def _list_alerts(self, _: Asked) -> Answer:
        """Return none: here nobody evaluates the rules' queries, so nothing rings."""
        return _ok({"value": []})

    def _get_site(self, asked: Asked) -> Answer:
        site = self._site(asked)
        document = self._maker.document(site.id) or {}
        document["tags"] = dict(site.tags)
        document["properties"]["state"] = "Running" if site.running else "Stopped"
        return _ok(document)

    def _stop_site(self, asked: Asked) -> Answer:
        self._sites.stop(self._site(asked))
        return Answer(HTTPStatus.OK)

    def _start_site(self, asked: Asked) -> Answer:
        self._sites.start(self._site(asked))
        return Answer(HTTPStatus.OK)

    def _run_function(self, asked: Asked) -> Answer:
        site, name = self._site(asked), asked.parts["name"]
        try:
            self._host.start(site.name, name)
        except NoSuchApp:
            raise ArmRefusal(404, "NotFound", f"The app {site.name} runs no function {name}.") from None
        return Answer(HTTPStatus.ACCEPTED)

    def _merge_tags(self, asked: Asked) -> Answer:
        if asked.document.get("operation") != "Merge":
            raise ArmRefusal(400, "InvalidRequestContent", "The embedded Azure merges tags, and nothing else.")
        site = self._site(asked)
        site.tags.update(asked.document["properties"]["tags"])
        return _ok({"id": asked.path, "properties": {"tags": dict(site.tags)}})

    def _get_secret(self, asked: Asked) -> Answer:
        vault = self._estate.vault(asked.parts["vault"])
        document = self._vaults.shown(vault, asked.parts["name"]) if vault else None
        if document is None:
            raise ArmRefusal(404, "SecretNotFound", f"There is no secret {asked.parts['name']}.")
        return _ok({"id": asked.path, "name": asked.parts["name"], **document})

    def _site(self, asked: Asked) -> Site:
        site = self._sites.find(asked.parts["id"])
        if site is None:
            raise ArmRefusal(404, "ResourceNotFound", f"The Resource '{asked.parts['id']}' was not found.")
        return site


def _document(request: Request) -> dict[str, Any]:
    if not request.body:
        return {}
    try:
        document = json.loads(request.body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise ArmRefusal(400, "InvalidRequestContent", "The request content was invalid: an object is expected.")
    return document


def _ok(document: dict[str, Any]) -> Answer:
    return json_answer(HTTPStatus.OK, document)
