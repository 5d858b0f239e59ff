"""Delete resource groups in the embedded Azure: what was in them is gone, but a vault's name until it is purged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from remediator.azure_install.deployments import DeploymentFailed, Deployments
from remediator.azure_install.plan import Site
from remediator.azure_install.rest import ARM, AzureRefused, Rest
from remediator.local.azure.places import LOCATION, SUBSCRIPTION, TENANT
from tests.local.azure.conftest import signed_in

if TYPE_CHECKING:
    from azure.identity import ClientSecretCredential

    from remediator.local.azure.cloud import EmbeddedAzure

pytestmark = pytest.mark.xdist_group("embedded azure")

GROUP = "passing"
ROOT = f"/subscriptions/{SUBSCRIPTION}"
HOME = f"{ROOT}/resourceGroups/{GROUP}"
NSG = f"{HOME}/providers/Microsoft.Network/networkSecurityGroups/front?api-version=2021-05-01"
RESOURCES = "api-version=2021-04-01"
DELETED = f"{ROOT}/providers/Microsoft.KeyVault/deletedVaults"
VAULTS = "api-version=2023-07-01"


@pytest.fixture
def arm(admin: ClientSecretCredential) -> Rest:
    """Resource Manager as the administrator reaches it."""
    return Rest(admin, ARM)


def furnish(cloud: EmbeddedAzure, arm: Rest, *, protected: bool = False) -> None:
    """Make a group with a vault that holds a secret, a security group, and somebody who has a role there."""
    arm.ask("PUT", f"{HOME}?{RESOURCES}", {"location": LOCATION})
    properties = {
        "tenantId": TENANT,
        "sku": {"family": "A", "name": "standard"},
        "enableRbacAuthorization": True,
        "enableSoftDelete": True,
        "softDeleteRetentionInDays": 7,
        **({"enablePurgeProtection": True} if protected else {}),
    }
    place = {"type": "Microsoft.KeyVault/vaults", "apiVersion": "2023-07-01", "name": "passing-vault"}
    secret = {
        "type": "Microsoft.KeyVault/vaults/secrets",
        "apiVersion": "2023-07-01",
        "name": "passing-vault/word",
        "dependsOn": ["[resourceId('Microsoft.KeyVault/vaults', 'passing-vault')]"],
        "properties": {"value": "hush"},
    }
    template = {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "resources": [{**place, "location": LOCATION, "properties": properties}, secret],
    }
    Deployments(arm, Site(SUBSCRIPTION, GROUP), lambda _: None).put_secretly("furniture", template, {})
    arm.ask("PUT", NSG, {"location": LOCATION, "properties": {"securityRules": []}})
    cloud.rbac.assign(cloud.identities.vendor.object_id, "Contributor", HOME)


def test_a_deleted_group_takes_all_that_was_in_it_along(cloud: EmbeddedAzure, arm: Rest) -> None:
    furnish(cloud, arm)
    cloud.clock.shift(2)
    assert arm.get(NSG) is not None
    arm.delete(f"{HOME}?{RESOURCES}")
    assert arm.get(f"{HOME}?{RESOURCES}") is None
    assert arm.get(f"{HOME}/providers/Microsoft.Resources/deployments/furniture?{RESOURCES}") is None
    assert arm.get(NSG) is None
    assert cloud.estate.vault("passing-vault") is None
    assert [one.scope for one in cloud.rbac.assignments(principal=cloud.identities.vendor.object_id)] == [ROOT]


def test_another_group_stays_as_it_was(cloud: EmbeddedAzure, arm: Rest) -> None:
    furnish(cloud, arm)
    other = NSG.replace(f"/{GROUP}/", f"/{GROUP}-too/")
    arm.ask("PUT", f"{HOME}-too?{RESOURCES}", {"location": LOCATION})
    arm.ask("PUT", other, {"location": LOCATION, "properties": {"securityRules": []}})
    cloud.clock.shift(2)
    arm.delete(f"{HOME}?{RESOURCES}")
    assert [one["name"] for one in arm.listed(f"{ROOT}/resourcegroups?{RESOURCES}")] == [f"{GROUP}-too"]
    assert arm.get(other) is not None


def test_a_deleted_vault_keeps_its_name_until_it_is_purged_and_comes_back_empty(
    cloud: EmbeddedAzure, arm: Rest
) -> None:
    furnish(cloud, arm)
    arm.delete(f"{HOME}?{RESOURCES}")
    assert [one["name"] for one in arm.listed(f"{DELETED}?{VAULTS}")] == ["passing-vault"]
    with pytest.raises(DeploymentFailed, match="already exists in deleted state"):
        furnish(cloud, arm)
    purge(arm)
    assert not list(arm.listed(f"{DELETED}?{VAULTS}"))
    furnish(cloud, arm)
    vault = cloud.estate.vault("passing-vault")
    assert vault is not None
    assert len(cloud.services.vaults.secrets(vault).secret("word").versions) == 1


def test_purge_protection_keeps_a_vault_from_being_purged_until_its_days_are_over(
    cloud: EmbeddedAzure, arm: Rest
) -> None:
    furnish(cloud, arm, protected=True)
    arm.delete(f"{HOME}?{RESOURCES}")
    with pytest.raises(AzureRefused, match="purge protection"):
        purge(arm)
    cloud.clock.shift(7 * 86_400 + 1)
    assert not list(arm.listed(f"{DELETED}?{VAULTS}"))


def test_who_may_only_read_deletes_nothing(cloud: EmbeddedAzure, arm: Rest) -> None:
    arm.ask("PUT", f"{HOME}?{RESOURCES}", {"location": LOCATION})
    with pytest.raises(AzureRefused, match="AuthorizationFailed"):
        Rest(signed_in(cloud.identities.vendor), ARM).delete(f"{HOME}?{RESOURCES}")
    assert arm.get(f"{HOME}?{RESOURCES}") is not None


def purge(arm: Rest) -> None:
    path = f"{ROOT}/providers/Microsoft.KeyVault/locations/{LOCATION}/deletedVaults/passing-vault/purge"
    arm.ask("POST", f"{path}?{VAULTS}")
