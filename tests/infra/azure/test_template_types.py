"""What the template sets is what Microsoft's own clients could set."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import azure.mgmt.keyvault.models as keyvault
import azure.mgmt.storage.models as storage
import azure.mgmt.web.models as web
import pytest

from tests.infra.azure.deployment import TEMPLATE, deployed
from tests.infra.azure.official_models import objections

if TYPE_CHECKING:
    from types import ModuleType

    from infra.azure.evaluate import Evaluated

MODELS: dict[str, tuple[ModuleType, type]] = {
    "Microsoft.KeyVault/vaults": (keyvault, keyvault.VaultCreateOrUpdateParameters),
    "Microsoft.Storage/storageAccounts": (storage, storage.StorageAccountCreateParameters),
    "Microsoft.Storage/storageAccounts/blobServices/containers": (storage, storage.BlobContainer),
    "Microsoft.Storage/storageAccounts/tableServices": (storage, storage.TableServiceProperties),
    "Microsoft.Storage/storageAccounts/tableServices/tables": (storage, storage.Table),
    "Microsoft.Web/serverfarms": (web, web.AppServicePlan),
    "Microsoft.Web/sites": (web, web.Site),
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": (web, web.CsmPublishingCredentialsPoliciesEntity),
}
WITHOUT_MODEL = {
    "Microsoft.Authorization/roleAssignments",
    "Microsoft.Authorization/roleDefinitions",
    "Microsoft.Insights/actionGroups",
    "Microsoft.Insights/components",
    "Microsoft.Insights/diagnosticSettings",
    "Microsoft.Insights/scheduledQueryRules",
    "Microsoft.ManagedIdentity/userAssignedIdentities",
    "Microsoft.OperationalInsights/workspaces",
}
"""Types whose clients aren't installed; the policy tests look at what matters of them."""


def all_objections(found: Evaluated) -> list[str]:
    said = []
    for one in found.resources:
        if one.type in MODELS:
            said += list(objections(*MODELS[one.type], one.body, f"{one.type}: "))
    return said


def test_every_property_is_one_that_the_official_clients_know() -> None:
    assert all_objections(deployed()) == []
    with_network = deployed(
        vaultAddresses=["203.0.113.0/24"], rotatorSubnetId="/subscriptions/x/subnets/y", alarmEmail="a@example.com"
    )
    assert all_objections(with_network) == []


def test_every_type_is_either_checked_or_named_as_unchecked() -> None:
    assert {one.type for one in deployed().resources} == MODELS.keys() | WITHOUT_MODEL


ERRORS: list[tuple[str, tuple[str, ...], Any]] = [
    ("Microsoft.Storage/storageAccounts", ("properties", "allowBlobPublicAcess"), False),
    ("Microsoft.Storage/storageAccounts", ("properties", "allowBlobPublicAccess"), "false"),
    ("Microsoft.Storage/storageAccounts", ("properties", "minimumTlsVersion"), "TLS9"),
    ("Microsoft.Storage/storageAccounts", ("properties", "primaryLocation"), "westeurope"),
    ("Microsoft.KeyVault/vaults", ("properties", "softDeleteRetentionInDays"), "90"),
    ("Microsoft.KeyVault/vaults", ("properties", "networkAcls", "defaultAction"), "Refuse"),
    ("Microsoft.Web/sites", ("properties", "functionAppConfig", "runtime", "version"), 3.13),
    (
        "Microsoft.Web/sites",
        ("properties", "functionAppConfig", "scaleAndConcurrency", "instanceMemoryMb"),
        2048,
    ),
]


@pytest.mark.parametrize(("kind", "path", "value"), ERRORS, ids=[one[1][-1] for one in ERRORS])
def test_a_slip_of_the_pen_is_noticed(kind: str, path: tuple[str, ...], value: Any) -> None:
    template = copy.deepcopy(TEMPLATE)
    inside = next(one for one in template["resources"] if one["type"] == kind)
    for name in path[:-1]:
        inside = inside[name]
    inside[path[-1]] = value
    assert any(path[-1] in one for one in all_objections(deployed(template)))
