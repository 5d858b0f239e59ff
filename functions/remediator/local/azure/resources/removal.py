"""Take resource groups away, with all that is in them, and purge the vaults that are kept from being lost that way.

https://learn.microsoft.com/azure/azure-resource-manager/management/delete-resource-group and
https://learn.microsoft.com/rest/api/keyvault/keyvault/vaults
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from remediator.local.azure.arm.refusals import ArmRefusal
from remediator.local.azure.estate import DAY
from remediator.local.azure.exchange import Answer, Request, json_answer
from remediator.local.azure.places import LOCATION, SUBSCRIPTION, subscription_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.local.azure.estate import Registry, Vault
    from remediator.local.azure.resources.deployments import Groups

_RESOURCES: Final = "2021-04-01"
_VAULTS: Final = "2023-07-01"
_GROUPS: Final = "Microsoft.Resources/subscriptions/resourceGroups"
_KEY_VAULT: Final = rf"/subscriptions/{SUBSCRIPTION}/providers/Microsoft\.KeyVault"

ROUTES: Final = (
    ("GET", rf"/subscriptions/{SUBSCRIPTION}/resourcegroups", "list_groups", _RESOURCES, f"{_GROUPS}/read"),
    (
        "DELETE",
        rf"/subscriptions/{SUBSCRIPTION}/resourcegroups/(?P<name>[\w().-]+)",
        "delete_group",
        _RESOURCES,
        f"{_GROUPS}/delete",
    ),
    ("GET", rf"{_KEY_VAULT}/deletedVaults", "list_deleted_vaults", _VAULTS, "Microsoft.KeyVault/deletedVaults/read"),
    (
        "POST",
        rf"{_KEY_VAULT}/locations/{LOCATION}/deletedVaults/(?P<name>[\w-]+)/purge",
        "purge_vault",
        _VAULTS,
        "Microsoft.KeyVault/locations/deletedVaults/purge/action",
    ),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Hold what a request is about, and the right that it needs."""

    serve: str
    name: str
    operation: str
    scope: str


class Removal:
    """Serve what ends things. Each of `forgetters` forgets all that is in a scope."""

    def __init__(self, groups: Groups, estate: Registry, forgetters: tuple[Callable[[str], None], ...]) -> None:
        self._groups = groups
        self._estate = estate
        self._forgetters = forgetters

    def understand(self, request: Request) -> Asked | None:
        """Return what a request is about; None if it is about something else. Raises `ArmRefusal`."""
        for method, path, serve, version, action in ROUTES:
            match = re.fullmatch(path, request.path.rstrip("/"), re.IGNORECASE)
            if match is None or request.method != method:
                continue
            if request.query.get("api-version") != version:
                what = f"No registered resource provider found for API version '{request.query.get('api-version')}'."
                raise ArmRefusal(400, "NoRegisteredProviderFound", what)
            scope = request.path if serve == "delete_group" else subscription_id()
            return Asked(serve, match.groupdict().get("name", ""), action, scope)
        return None

    def perform(self, asked: Asked) -> Answer:
        """Carry it out; raises `ArmRefusal`."""
        answer: Answer = getattr(self, f"_{asked.serve}")(asked.name)
        return answer

    def _list_groups(self, _: str) -> Answer:
        return json_answer(HTTPStatus.OK, {"value": self._groups.all()})

    def _delete_group(self, name: str) -> Answer:
        scope = str(self._groups.get(name)["id"])
        for forget in self._forgetters:
            forget(scope)
        return Answer(HTTPStatus.ACCEPTED)

    def _list_deleted_vaults(self, _: str) -> Answer:
        return json_answer(HTTPStatus.OK, {"value": [_shown(*one) for one in self._estate.deleted_vaults()]})

    def _purge_vault(self, name: str) -> Answer:
        found = next((one for one, _ in self._estate.deleted_vaults() if one.name.lower() == name.lower()), None)
        if found is None:
            raise ArmRefusal(404, "DeletedVaultNotFound", f"The specified deleted vault '{name}' does not exist.")
        if found.purge_protection:
            what = f"The vault '{name}' can't be purged: purge protection is enabled for it."
            raise ArmRefusal(400, "PurgeProtectionEnabled", what)
        self._estate.purge_vault(name)
        return Answer(HTTPStatus.ACCEPTED)


def _shown(vault: Vault, when: float) -> dict[str, Any]:
    place = f"{subscription_id()}/providers/Microsoft.KeyVault/locations/{vault.location}/deletedVaults/{vault.name}"
    properties = {
        "vaultId": vault.resource_id,
        "location": vault.location,
        "deletionDate": _moment(when),
        "scheduledPurgeDate": _moment(when + vault.retention_days * DAY),
        "purgeProtectionEnabled": vault.purge_protection or None,
    }
    return {"id": place, "name": vault.name, "type": "Microsoft.KeyVault/deletedVaults", "properties": properties}


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
