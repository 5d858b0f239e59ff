"""What the fixes of one property, and those next to them, make of what Azure may show besides the examples."""

from __future__ import annotations

from typing import Any

import pytest

from remediator.catalogue import registry
from remediator.catalogue.azure.property import dug, nested
from remediator.catalogue.azure.resources import EXAMPLE
from remediator.catalogue.engine import Outcome
from remediator.catalogue.errors import NotApplicable
from tests.laws.azure.azure_trials import AT_ONCE, Case, Trial


def trial(fix: str) -> Trial:
    found = registry.load(fix)
    return Trial(Case(found, found.examples[0]))


def show(ours: Trial, child: str = "", **properties: Any) -> None:
    """Let a resource have properties; a None takes one away."""
    path = ours.job.target.id + child
    body = ours.cloud.arm.resource(path)
    body["properties"] = {name: value for name, value in (body["properties"] | properties).items() if value is not None}
    ours.cloud.arm.set(path, body)


def test_a_path_is_dug_through_what_is_not_there() -> None:
    body = {"a": {"b": {"c": 7}}, "n": None}
    assert dug(body, ("a", "b", "c")) == 7
    assert dug(body, ("a", "x", "c")) is None
    assert dug(body, ("n", "x")) is None
    assert nested(("a", "b"), False) == {"a": {"b": False}}


@pytest.mark.parametrize(
    ("fix", "child", "name", "meaning"),
    [
        ("azure.storage.require-https", "", "supportsHttpsTrafficOnly", False),
        ("azure.storage.require-tls12", "", "minimumTlsVersion", "TLS1_0"),
        ("azure.storage.disable-public-blob-access", "", "allowBlobPublicAccess", True),
        ("azure.webapp.require-https", "", "httpsOnly", False),
        ("azure.webapp.require-tls12", "/config/web", "minTlsVersion", "1.0"),
        ("azure.sql.require-tls12", "", "minimalTlsVersion", "None"),
        ("azure.sql.enable-encryption", "/transparentDataEncryption/current", "state", "Disabled"),
        ("azure.disk.disable-public-network-access", "", "publicNetworkAccess", "Enabled"),
        ("azure.postgresql.require-secure-transport", "/configurations/require_secure_transport", "value", "on"),
    ],
)
def test_what_azure_does_not_show_means_what_azure_says_it_means(
    fix: str, child: str, name: str, meaning: object
) -> None:
    ours = trial(fix)
    show(ours, child, **{name: None})
    assert ours.job.read() == meaning


@pytest.mark.parametrize(
    ("fix", "stricter"),
    [
        ("azure.storage.require-tls12", "TLS1_3"),
        ("azure.webapp.require-tls12", "1.3"),
        ("azure.sql.require-tls12", "1.3"),
        ("azure.disk.disable-public-network-access", "SecuredByPerimeter"),
    ],
)
def test_what_is_stricter_or_unknown_is_never_weakened(fix: str, stricter: str) -> None:
    found = registry.load(fix)
    assert found.desired(stricter, found.parameters()) == stricter


def test_a_server_without_a_minimum_gets_one_and_cannot_go_back() -> None:
    ours = trial("azure.sql.require-tls12")
    show(ours, minimalTlsVersion="None")
    change, outcome = ours.apply()
    assert (change.before, outcome) == ("None", Outcome.FIXED)
    with pytest.raises(NotApplicable, match=r"takes no minimum back .* it is 1\.2"):
        ours.job.roll_back(change, pauses=AT_ONCE)
    assert ours.job.read() == "1.2"


def test_the_system_database_is_refused_before_anything_is_asked() -> None:
    ours = trial("azure.sql.enable-encryption")
    target = ours.fix.target.parse({"id": ours.job.target.id.replace("orders", "MASTER")}, None)  # type: ignore[arg-type]
    with ours.recording() as calls, pytest.raises(NotApplicable, match="master"):
        ours.fix.read(ours.client, target)
    assert calls == []


@pytest.mark.parametrize(("shown", "meant"), [("ON", "on"), ("On", "on"), ("OFF", "off"), ("Off", "off")])
def test_postgresql_says_on_and_off_in_any_letter_case(shown: str, meant: str) -> None:
    ours = trial("azure.postgresql.require-secure-transport")
    show(ours, "/configurations/require_secure_transport", value=shown)
    assert ours.job.read() == meant
    assert ours.job.plan().needed is (meant == "off")


def test_a_vault_that_says_nothing_is_not_protected() -> None:
    ours = trial("azure.keyvault.enable-purge-protection")
    show(ours, enableSoftDelete=None, enablePurgeProtection=None)
    assert ours.job.read() == {"enableSoftDelete": False, "enablePurgeProtection": False}


def test_a_vault_is_told_no_more_than_what_differs() -> None:
    ours = trial("azure.keyvault.enable-purge-protection")
    show(ours, enableSoftDelete=True)
    ours.apply()
    (write,) = ours.writes()
    assert write.body == {"properties": {"enablePurgeProtection": True}}


def test_an_account_without_network_rules_admits_everybody_and_azures_services() -> None:
    ours = trial("azure.storage.deny-network-by-default")
    show(ours, networkAcls=None)
    nothing: dict[str, Any] = {"ipRules": [], "resourceAccessRules": [], "virtualNetworkRules": []}
    assert ours.job.read() == {"defaultAction": "Allow", "bypass": "AzureServices", **nothing}


def test_how_far_azure_is_with_a_network_rule_is_no_part_of_the_setting() -> None:
    ours = trial("azure.storage.deny-network-by-default")
    subnets = [f"{EXAMPLE}/Microsoft.Network/virtualNetworks/example/subnets/{name}" for name in ("b", "a")]
    acls = {
        "defaultAction": "Allow",
        "bypass": "None",
        "virtualNetworkRules": [{"id": one, "action": "Allow", "state": "Provisioning"} for one in subnets],
    }
    show(ours, networkAcls=acls)
    change, outcome = ours.apply()
    assert outcome is Outcome.FIXED
    assert change.before["virtualNetworkRules"] == [
        {"id": subnets[1], "action": "Allow"},
        {"id": subnets[0], "action": "Allow"},
    ]
    (write,) = ours.writes()
    assert write.body["properties"]["networkAcls"]["virtualNetworkRules"] == change.after["virtualNetworkRules"]


def test_a_patch_says_one_property_and_nothing_else() -> None:
    ours = trial("azure.storage.require-https")
    change, _ = ours.apply()
    ours.job.roll_back(change, pauses=AT_ONCE)
    assert [one.body for one in ours.writes()] == [
        {"properties": {"supportsHttpsTrafficOnly": True}},
        {"properties": {"supportsHttpsTrafficOnly": False}},
    ]
