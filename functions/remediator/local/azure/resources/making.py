"""Make resources of what a template asks for: those that have a life here are given it, the others are kept as asked.

What is asked for was held to its type's description before: `templates`.
"""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from remediator.local.azure.arm.refusals import ArmRefusal
from remediator.local.azure.estate import StorageAccount, Topic, Vault
from remediator.local.azure.places import LOCATION, SITES
from remediator.local.azure.rbac.documents import Unfit, wanted_assignment, wanted_definition
from remediator.local.azure.rbac.roles import NoSuchPrincipal, NoSuchRole, covers
from remediator.local.azure.resources.evaluation import identity_ids
from remediator.local.azure.vault.secrets import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from remediator.local.azure.entra.directory import Directory
    from remediator.local.azure.estate import Registry
    from remediator.local.azure.rbac.roles import Rbac
    from remediator.local.azure.resources.evaluation import Wanted
    from remediator.local.azure.resources.sites import SiteKeeper
    from remediator.local.azure.tables.service import Tables
    from remediator.local.azure.vault.service import Vaults


class Maker:
    """Make resources, in the cloud's own stores."""

    def __init__(  # noqa: PLR0913 - one per store
        self,
        *,
        directory: Directory,
        rbac: Rbac,
        estate: Registry,
        vaults: Vaults,
        tables: Tables,
        sites: SiteKeeper,
    ) -> None:
        self._directory = directory
        self._rbac = rbac
        self._estate = estate
        self._vaults = vaults
        self._tables = tables
        self._sites = sites
        self._documents: dict[str, dict[str, Any]] = {}
        self._makers: Mapping[str, Callable[[Wanted], None]] = {
            "microsoft.authorization/roledefinitions": self._role,
            "microsoft.authorization/roleassignments": self._assignment,
            "microsoft.eventgrid/topics": self._topic,
            "microsoft.keyvault/vaults": self._vault,
            "microsoft.keyvault/vaults/secrets": self._secret,
            "microsoft.managedidentity/userassignedidentities": self._identity,
            "microsoft.storage/storageaccounts": self._account,
            "microsoft.storage/storageaccounts/tableservices/tables": self._table,
            "microsoft.web/sites": self._site,
        }

    def make(self, wanted: Wanted) -> None:
        """Make a resource, or bring it to what is wanted now; raises `ArmRefusal`."""
        maker = self._makers.get(wanted.type.lower())
        if maker is not None:
            try:
                maker(wanted)
            except Unfit as unfit:
                raise ArmRefusal(unfit.status, unfit.code, str(unfit)) from None
            except Problem as problem:
                raise ArmRefusal(problem.status, problem.code, str(problem)) from None
            except NoSuchRole as missing:
                raise ArmRefusal(400, "RoleDefinitionDoesNotExist", f"No role {missing} is defined.") from None
            except NoSuchPrincipal as missing:
                what = f"Principal {missing} does not exist in the directory."
                raise ArmRefusal(400, "PrincipalNotFound", what) from None
        self._documents[wanted.id.lower()] = _document(wanted)

    def document(self, resource_id: str) -> dict[str, Any] | None:
        """Return a resource as it was made."""
        found = self._documents.get(resource_id.lower())
        return copy.deepcopy(found) if found else None

    def listed(self, group: str, kind: str) -> list[dict[str, Any]]:
        """Return the resources of a type in a resource group, as they were made."""
        found = self._documents.items()
        within = f"/resourcegroups/{group.lower()}/"
        return [copy.deepcopy(one) for key, one in found if within in key and str(one["type"]).lower() == kind.lower()]

    def forget_below(self, scope: str) -> None:
        """Forget what was made in a scope, and the principals of the identities there."""
        for key in [key for key in self._documents if covers(scope, key)]:
            identity = self._directory.managed_identity(key)
            if identity is not None:
                self._directory.remove_principal(identity.object_id)
            del self._documents[key]

    def _identity(self, wanted: Wanted) -> None:
        if self._directory.managed_identity(wanted.id) is None:
            self._directory.add_managed_identity(_name(wanted), wanted.id, identity_ids(wanted.id))

    def _account(self, wanted: Wanted) -> None:
        self._estate.put_storage_account(StorageAccount(_name(wanted), wanted.id))

    def _table(self, wanted: Wanted) -> None:
        account_id = wanted.id.rpartition("/tableServices/")[0]
        account = self._estate.storage_account(account_id.rpartition("/")[2])
        if account is None:
            raise ArmRefusal(404, "ParentResourceNotFound", f"There is no storage account {account_id}.")
        self._tables.ensure(account, _name(wanted))

    def _topic(self, wanted: Wanted) -> None:
        properties = wanted.body["properties"]
        if not properties.get("disableLocalAuth") or properties.get("inputSchema") != "CloudEventSchemaV1_0":
            raise ArmRefusal(400, "BadRequest", "The embedded topics know access by roles and CloudEvents only.")
        self._estate.put_topic(Topic(_name(wanted), wanted.id))

    def _vault(self, wanted: Wanted) -> None:
        properties = wanted.body["properties"]
        if not properties.get("enableRbacAuthorization"):
            raise ArmRefusal(400, "BadRequest", "The embedded vaults know access by roles only.")
        days = int(properties.get("softDeleteRetentionInDays", 90))
        protected = bool(properties.get("enablePurgeProtection", False))
        if any(one.name.lower() == _name(wanted).lower() for one, _ in self._estate.deleted_vaults()):
            what = f"A vault with the same name already exists in deleted state: {_name(wanted)}. Recover or purge it."
            raise ArmRefusal(409, "ConflictError", what)
        self._estate.put_vault(Vault(_name(wanted), wanted.id, protected, days))

    def _secret(self, wanted: Wanted) -> None:
        vault_id, _, name = wanted.id.rpartition("/secrets/")
        vault = self._estate.vault(vault_id.rpartition("/")[2])
        if vault is None:
            raise ArmRefusal(404, "ParentResourceNotFound", f"There is no vault {vault_id}.")
        properties = wanted.body["properties"]
        document = {**properties, "tags": dict(wanted.body.get("tags") or {})}
        self._vaults.put(vault, name, json.dumps(document).encode())

    def _role(self, wanted: Wanted) -> None:
        self._rbac.define(wanted_definition(_name(wanted), _body(wanted)))

    def _assignment(self, wanted: Wanted) -> None:
        role, principal = wanted_assignment(_body(wanted))
        scope = wanted.id.rpartition("/providers/Microsoft.Authorization/")[0]
        self._rbac.assign(principal, role, scope, _name(wanted))

    def _site(self, wanted: Wanted) -> None:
        configured = wanted.body["properties"].get("siteConfig", {})
        settings = configured.get("appSettings") or []
        named = wanted.body.get("identity", {}).get("userAssignedIdentities") or {}
        identities = [self._directory.managed_identity(one) for one in named]
        if None in identities:
            raise ArmRefusal(400, "FailedIdentityOperation", "A user-assigned identity doesn't exist.")
        self._sites.put(
            wanted.id,
            {one["name"]: str(one["value"]) for one in settings},
            tuple(one.object_id for one in identities if one is not None),
            closed=configured.get("ipSecurityRestrictionsDefaultAction") == "Deny",
        )


def _name(wanted: Wanted) -> str:
    return wanted.id.rpartition("/")[2]


def _body(wanted: Wanted) -> bytes:
    return json.dumps({"properties": wanted.body["properties"]}).encode()


def _document(wanted: Wanted) -> dict[str, Any]:
    """Return a resource as Resource Manager shows it; a secret's value never."""
    document = {**copy.deepcopy(dict(wanted.body)), "id": wanted.id, "name": _name(wanted), "type": wanted.type}
    properties = document.setdefault("properties", {})
    if wanted.type.lower() == "microsoft.keyvault/vaults/secrets":
        properties.pop("value", None)
    if wanted.type.lower() == "microsoft.web/sites":
        properties["defaultHostName"] = f"{_name(wanted)}{SITES}"
    properties["provisioningState"] = "Succeeded"
    document.setdefault("location", LOCATION)
    return document
