"""Who reaches what over the network, where the template closes nothing that must be open."""

from __future__ import annotations

from tests.infra.azure.deployment import deployed, site

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
