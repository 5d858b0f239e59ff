"""Who reaches what, over the network and with what in the hand, whatever is deployed."""

from __future__ import annotations

import pytest

from tests.infra.azure.deployment import TEMPLATE, deployed, settings, site

FOUND = deployed()


def test_nobody_reaches_the_rotator_but_who_publishes_to_it_with_a_role() -> None:
    has = site(FOUND, "rotate").body["properties"]["siteConfig"]
    assert has["ipSecurityRestrictionsDefaultAction"] == "Deny"
    assert "ipSecurityRestrictions" not in has
    assert has["scmIpSecurityRestrictionsUseMain"] is False
    assert has["scmIpSecurityRestrictionsDefaultAction"] == "Allow"


def test_the_vendor_reaches_the_remediator_from_wherever_it_is() -> None:
    has = site(FOUND, "remediate").body["properties"]
    assert has["publicNetworkAccess"] == "Enabled"
    assert not [name for name in has["siteConfig"] if "IpSecurity" in name or "ipSecurity" in name]


@pytest.mark.parametrize("delivery", TEMPLATE["parameters"]["delivery"]["allowedValues"])
def test_every_vault_goes_by_roles_is_logged_and_can_not_be_purged_whatever_is_deployed(delivery: str) -> None:
    found = deployed(delivery=delivery)
    vaults = found.of_type("Microsoft.KeyVault/vaults")
    logged = {
        one.id.partition("/providers/Microsoft.Insights/")[0]
        for one in found.of_type("Microsoft.Insights/diagnosticSettings")
        if {log["category"] for log in one.body["properties"]["logs"] if log["enabled"]} == {"AuditEvent"}
    }
    assert logged == {vault.id for vault in vaults}
    written = [one for one in TEMPLATE["resources"] if one["type"] == "Microsoft.KeyVault/vaults"]
    assert len(vaults) == (len(written) if delivery == "manual" else 2)
    for vault in vaults:
        has = vault.body["properties"]
        assert has["enableRbacAuthorization"] is True
        assert has["enablePurgeProtection"] is True
        assert "accessPolicies" not in has


@pytest.mark.parametrize("role", ["rotate", "remediate"])
def test_a_host_reaches_its_storage_by_its_identity_and_by_no_connection_string(role: str) -> None:
    told = settings(FOUND, role)
    assert told["AzureWebJobsStorage__credential"] == "managedidentity"
    assert "AzureWebJobsStorage" not in told
    assert "Authorization=AAD" in told["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"]
    storage = site(FOUND, role).body["properties"]["functionAppConfig"]["deployment"]["storage"]
    assert "storageAccountConnectionStringName" not in storage["authentication"]
