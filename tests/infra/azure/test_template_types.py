"""What the template says of each resource is what Azure's schema for it, and Microsoft's own clients, let it say."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import azure.mgmt.keyvault.models as keyvault
import azure.mgmt.storage.models as storage
import azure.mgmt.web.models as web
import pytest

from infra.azure.evaluate import evaluate
from remediator.azure_install.credential import TEMPLATE as CREDENTIAL
from remediator.local.azure.arm.refusals import ArmRefusal
from remediator.local.azure.resources import templates
from tests.infra.azure.deployment import GIVEN, PLACE, TEMPLATE, deployed
from tests.infra.azure.official_models import objections

if TYPE_CHECKING:
    from collections.abc import Iterator
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
"""The types whose official clients are installed: a second witness."""

EVERYTHING = {
    "vaultAddresses": ["203.0.113.0/24"],
    "rotatorSubnetId": "/subscriptions/x/subnets/y",
    "alarmEmail": "a@example.com",
    "delivery": "manual",
    "notifyEmail": "b@example.com",
    "watchSignIns": True,
}


def all_objections(found: Evaluated) -> list[str]:
    said = []
    for one in found.resources:
        try:
            templates.demand(one.type, one.api, one.body)
        except ArmRefusal as refusal:
            said.append(f"{one.type}: {refusal.code} {refusal.message}")
        if one.type in MODELS:
            said += list(objections(*MODELS[one.type], one.body, f"{one.type}: "))
    return said


@pytest.mark.parametrize("given", [{}, EVERYTHING], ids=["as it is", "with everything"])
def test_every_type_version_and_property_is_one_that_azure_knows(given: dict[str, Any]) -> None:
    assert all_objections(deployed(**given)) == []


def test_the_credentials_own_template_is_too() -> None:
    given = {"vault": "v", "thumbprint": "t", "until": 1, "credential": "c"}
    assert all_objections(evaluate(CREDENTIAL, given, PLACE)) == []


def samples(shape: Any) -> Iterator[Any]:
    """Yield bodies that have all that a shape allows, until each value of each closed list was there."""
    closed = [len(one["enum"]) for one in _parts(shape) if isinstance(one, dict) and "enum" in one]
    for turn in range(max(closed, default=1)):
        yield _sample(shape, turn)


def _named(shape: Any) -> Any:
    return templates.shapes()._resolved(shape)


def _parts(shape: Any) -> Iterator[Any]:
    resolved = _named(shape)
    yield resolved
    if isinstance(resolved, dict):
        inside = [*resolved.get("fields", {}).values(), *(resolved[one] for one in ("list", "map") if one in resolved)]
        for one in inside:
            yield from _parts(one)


def _sample(shape: Any, turn: int) -> Any:
    resolved = _named(shape)
    if isinstance(resolved, str):
        return {"string": "text", "boolean": True, "integer": 1, "number": 1.5}[resolved]
    if "enum" in resolved:
        return resolved["enum"][turn % len(resolved["enum"])]
    if "list" in resolved:
        return [_sample(resolved["list"], turn)]
    if "map" in resolved:
        return {"one": _sample(resolved["map"], turn)}
    return {name: _sample(one, turn) for name, one in resolved["fields"].items()}


DESCRIBED = templates.described_types()


@pytest.mark.parametrize("kind", sorted(MODELS))
def test_the_descriptions_allow_nothing_that_the_official_clients_dont(kind: str) -> None:
    bodies = list(samples(DESCRIBED[kind.lower()]["shape"]))
    assert [said for body in bodies for said in objections(*MODELS[kind], body)] == []


ERRORS: list[tuple[str, tuple[str | int, ...], Any]] = [
    ("Microsoft.Storage/storageAccounts", ("properties", "allowBlobPublicAcess"), False),
    ("Microsoft.Storage/storageAccounts", ("properties", "allowBlobPublicAccess"), "false"),
    ("Microsoft.Storage/storageAccounts", ("properties", "minimumTlsVersion"), "TLS9"),
    ("Microsoft.Storage/storageAccounts", ("properties", "primaryLocation"), "westeurope"),
    ("Microsoft.KeyVault/vaults", ("properties", "softDeleteRetentionInDays"), "90"),
    ("Microsoft.KeyVault/vaults", ("properties", "networkAcls", "defaultAction"), "Refuse"),
    ("Microsoft.Web/sites", ("properties", "functionAppConfig", "runtime", "version"), 3.13),
    ("Microsoft.Web/sites", ("properties", "functionAppConfig", "scaleAndConcurrency", "instanceMemoryMb"), 2048),
    ("Microsoft.Authorization/roleAssignments", ("properties", "principleId"), "x"),
    ("Microsoft.Authorization/roleAssignments", ("properties", "principalType"), "Robot"),
    ("Microsoft.Authorization/roleDefinitions", ("properties", "permissions", 0, "dataActions"), "all"),
    ("Microsoft.Insights/actionGroups", ("properties", "enabled"), "true"),
    ("Microsoft.Insights/components", ("properties", "disableLocalAuth"), True),
    ("Microsoft.Insights/diagnosticSettings", ("properties", "logs", 0, "enabled"), "true"),
    ("Microsoft.EventGrid/topics", ("properties", "disableLocalAuth"), "true"),
    ("Microsoft.EventGrid/topics", ("properties", "inputSchema"), "CloudEvents"),
    ("Microsoft.Insights/workbooks", ("properties", "serializedData"), {}),
    ("Microsoft.Insights/scheduledQueryRules", ("properties", "severity"), 5),
    ("Microsoft.Insights/scheduledQueryRules", ("properties", "criteria", "allOf", 0, "operator"), "Less"),
    ("Microsoft.ManagedIdentity/userAssignedIdentities", ("propertys",), {}),
    ("Microsoft.OperationalInsights/workspaces", ("properties", "features", "disableLocalauth"), True),
    *((one["type"], ("apiVersion",), "2023-02-30") for one in TEMPLATE["resources"]),
]


@pytest.mark.parametrize(("kind", "path", "value"), ERRORS)
def test_a_slip_of_the_pen_is_noticed(kind: str, path: tuple[str | int, ...], value: Any) -> None:
    template = copy.deepcopy(TEMPLATE)
    inside = next(one for one in template["resources"] if one["type"] == kind)
    for name in path[:-1]:
        inside = inside[name]
    inside[path[-1]] = value
    assert all_objections(deployed(template))


REQUIRED = [
    (name, missing)
    for name, one in DESCRIBED.items()
    for missing in one["shape"].get("required", ())
    if name in {used["type"].lower() for used in TEMPLATE["resources"]}
]


@pytest.mark.parametrize(("kind", "missing"), REQUIRED)
def test_what_is_left_out_is_missed(kind: str, missing: str) -> None:
    template = copy.deepcopy(TEMPLATE)
    body = next(one for one in template["resources"] if one["type"].lower() == kind)
    del body[missing]
    assert all_objections(deployed(template, **GIVEN))
