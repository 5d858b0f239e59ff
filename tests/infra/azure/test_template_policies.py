"""What the deployment may and must not be, said of the resources that Azure is asked for."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from remediator.azure import monitor, settings, windows_table
from tests.infra.azure.deployment import (
    API,
    APP,
    GIVEN,
    OPERATOR,
    OPERATOR_APP,
    PLACE,
    READER,
    READER_APP,
    SCOPE,
    TEMPLATE,
    TENANT,
    deployed,
    named,
    site,
)
from tests.infra.azure.deployment import settings as settings_of

FOUND = deployed()
APPS = ("rotate", "remediate")
HOST_SETTINGS = {
    "AzureWebJobsStorage__accountName",
    "AzureWebJobsStorage__credential",
    "AzureWebJobsStorage__clientId",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
}
"""What the functions' host reads for itself."""


class Environment(dict[str, str]):
    """Note what is read; anything that is missing is a text that every reader of settings can take."""

    def __init__(self) -> None:
        super().__init__()
        self.read: set[str] = set()

    def __missing__(self, name: str) -> str:
        self.read.add(name)
        return {"RETENTION_DAYS": "1", "OWN_RESOURCES": "[]", "SCOPES": "[]"}.get(name, "")


def read_by(role: str) -> set[str]:
    environment = Environment()
    readers: dict[str, Any] = {"rotate": settings.rotate_settings, "remediate": settings.remediate_settings}
    readers[role](environment)
    return environment.read


@pytest.mark.parametrize("role", APPS)
def test_an_app_is_given_exactly_the_settings_that_its_code_reads(role: str) -> None:
    assert settings_of(FOUND, role).keys() == read_by(role) | HOST_SETTINGS


def test_what_the_remediator_is_told_is_what_was_given() -> None:
    told = settings.remediate_settings(settings_of(FOUND, "remediate"))
    assert (told.tenant, told.app_id, told.audience) == (TENANT, APP, API)
    assert (told.reader, told.reader_app) == (READER, READER_APP)
    assert (told.operator, told.operator_app) == (OPERATOR, OPERATOR_APP)
    assert told.vendor_rollback is False
    assert told.scope.within == (f"{SCOPE.lower()}/*",)
    assert told.scope.own == (f"{PLACE.group_id.lower()}/*", PLACE.group_id.lower())
    assert told.scope.fixes == set(GIVEN["fixes"])
    assert settings.remediate_settings(settings_of(deployed(vendorRollback=True), "remediate")).vendor_rollback


def test_both_apps_speak_of_the_same_deployment_tables_and_app_registration() -> None:
    rotate, remediate = (settings_of(FOUND, role) for role in APPS)
    for name in ("DEPLOYMENT", "TABLES_ENDPOINT", "REMEDIATOR_APP_ID", "RETENTION_DAYS"):
        assert rotate[name] == remediate[name]
    assert rotate["AZURE_CLIENT_ID"] != remediate["AZURE_CLIENT_ID"]


def test_no_setting_holds_a_secret() -> None:
    telling = re.compile(
        r"AccountKey|SharedAccess|sig=|password|client_secret|BEGIN|@Microsoft.KeyVault", re.IGNORECASE
    )
    for role in APPS:
        for name, value in settings_of(FOUND, role).items():
            assert not telling.search(value), name
            assert not re.search(r"SECRET|PASSWORD|KEY$", name)
    asked = json.dumps(TEMPLATE)
    assert "listKeys" not in asked
    assert "listSecrets" not in asked
    assert "secure" not in {one["type"].lower()[:6] for one in TEMPLATE["parameters"].values()}


def test_a_storage_account_knows_no_shared_key_no_plain_http_no_old_tls_and_nothing_public() -> None:
    accounts = FOUND.of_type("Microsoft.Storage/storageAccounts")
    assert len(accounts) == 3
    for account in accounts:
        has = account.body["properties"]
        assert has["allowSharedKeyAccess"] is False
        assert has["supportsHttpsTrafficOnly"] is True
        assert has["minimumTlsVersion"] == "TLS1_2"
        assert has["allowBlobPublicAccess"] is False
        assert has["allowCrossTenantReplication"] is False
        assert has["encryption"]["requireInfrastructureEncryption"] is True
    for container in FOUND.of_type("Microsoft.Storage/storageAccounts/blobServices/containers"):
        assert container.body["properties"] == {"publicAccess": "None"}


def test_a_vault_goes_by_roles_and_can_not_be_purged() -> None:
    vaults = FOUND.of_type("Microsoft.KeyVault/vaults")
    assert len(vaults) == 2
    for vault in vaults:
        has = vault.body["properties"]
        assert has["enableRbacAuthorization"] is True
        assert has["enablePurgeProtection"] is True
        assert has["enableSoftDelete"] is True
        assert has["softDeleteRetentionInDays"] == 90
        assert "accessPolicies" not in has
        assert has["tenantId"] == TENANT


def test_a_vault_has_a_firewall_where_one_is_asked_for() -> None:
    subnet = f"{PLACE.group_id}/providers/Microsoft.Network/virtualNetworks/v/subnets/s"
    fenced = deployed(vaultAddresses=["203.0.113.0/24"], rotatorSubnetId=subnet)
    seeds, credential = (named(fenced, "Microsoft.KeyVault/vaults", part) for part in ("-s-", "-c-"))
    assert seeds.body["properties"]["networkAcls"] == {
        "bypass": "AzureServices",
        "defaultAction": "Deny",
        "ipRules": [{"value": "203.0.113.0/24"}],
        "virtualNetworkRules": [{"id": subnet}],
    }
    assert credential.body["properties"]["networkAcls"] == {
        "bypass": "AzureServices",
        "defaultAction": "Deny",
        "ipRules": [],
        "virtualNetworkRules": [{"id": subnet}],
    }
    assert site(fenced, "rotate").body["properties"]["virtualNetworkSubnetId"] == subnet
    assert "virtualNetworkSubnetId" not in site(fenced, "remediate").body["properties"]
    for vault in FOUND.of_type("Microsoft.KeyVault/vaults"):
        assert vault.body["properties"]["networkAcls"]["defaultAction"] == "Allow"


def test_an_app_is_reached_by_https_alone_and_has_no_password_to_publish_with() -> None:
    for role in APPS:
        has = site(FOUND, role).body["properties"]
        assert has["httpsOnly"] is True
        assert has["siteConfig"]["minTlsVersion"] == "1.2"
        assert has["siteConfig"]["scmMinTlsVersion"] == "1.2"
        assert has["siteConfig"]["ftpsState"] == "Disabled"
    policies = FOUND.of_type("Microsoft.Web/sites/basicPublishingCredentialsPolicies")
    assert {one.id.split("/sites/")[1] for one in policies} == {
        f"{site(FOUND, role).id.rpartition('/')[2]}/basicPublishingCredentialsPolicies/{door}"
        for role in APPS
        for door in ("ftp", "scm")
    }
    assert [one.body["properties"]["allow"] for one in policies] == [False] * 4


@pytest.mark.parametrize("role", APPS)
def test_an_app_has_an_identity_and_a_host_storage_that_the_other_has_not(role: str) -> None:
    other = APPS[1 - APPS.index(role)]
    app = site(FOUND, role).body
    assert app["identity"]["type"] == "UserAssigned"
    (identity,) = app["identity"]["userAssignedIdentities"]
    assert identity.endswith(f"/remediator-{role}")
    told = settings_of(FOUND, role)
    assert told["AzureWebJobsStorage__accountName"] != settings_of(FOUND, other)["AzureWebJobsStorage__accountName"]
    storage = app["properties"]["functionAppConfig"]["deployment"]["storage"]
    assert told["AzureWebJobsStorage__accountName"] in storage["value"]
    assert storage["authentication"] == {
        "type": "UserAssignedIdentity",
        "userAssignedIdentityResourceId": identity,
    }
    assert told["AzureWebJobsStorage__clientId"] == told["AZURE_CLIENT_ID"]
    assert app["properties"]["serverFarmId"] != site(FOUND, other).body["properties"]["serverFarmId"]


def test_the_tables_are_those_that_the_code_names() -> None:
    tables = {
        one.id.rpartition("/")[2] for one in FOUND.of_type("Microsoft.Storage/storageAccounts/tableServices/tables")
    }
    assert tables == {windows_table.CONTROL_TABLE, windows_table.WINDOWS_TABLE, windows_table.RECEIPTS_TABLE}


def test_telemetry_needs_an_identity_too() -> None:
    (insights,) = FOUND.of_type("Microsoft.Insights/components")
    (workspace,) = FOUND.of_type("Microsoft.OperationalInsights/workspaces")
    assert insights.body["properties"]["DisableLocalAuth"] is True
    assert workspace.body["properties"]["features"]["disableLocalAuth"] is True


def test_an_alarm_looks_for_a_metric_that_the_functions_count() -> None:
    looked_for = set()
    for rule in FOUND.of_type("Microsoft.Insights/scheduledQueryRules"):
        (criterion,) = rule.body["properties"]["criteria"]["allOf"]
        (metric,) = re.findall(r'^AppTraces \| where Message startswith \'\{"metric": "(\w+)"', criterion["query"])
        assert metric in monitor.METRICS
        looked_for.add(metric)
        assert rule.body["properties"]["enabled"] is True
        assert rule.body["properties"]["actions"]["actionGroups"] == [
            one.id for one in FOUND.of_type("Microsoft.Insights/actionGroups")
        ]
    assert looked_for == {
        *("Rotated", "RotationFailed", "StagedWindows", "WrongCode", "GateUnavailable", "CredentialEndsSoon"),
        *("PolicyBroken", "NotAnnounced"),
    }


def test_an_alarm_is_sent_where_it_was_asked_for() -> None:
    (quiet,) = FOUND.of_type("Microsoft.Insights/actionGroups")
    assert quiet.body["properties"]["emailReceivers"] == []
    (loud,) = deployed(alarmEmail="security@example.com").of_type("Microsoft.Insights/actionGroups")
    assert [one["emailAddress"] for one in loud.body["properties"]["emailReceivers"]] == ["security@example.com"]


def test_vaults_tables_and_apps_keep_a_log_of_what_is_done_to_them() -> None:
    logged = {
        one.id.partition("/providers/Microsoft.Insights/")[0]: {
            log["category"] for log in one.body["properties"]["logs"]
        }
        for one in FOUND.of_type("Microsoft.Insights/diagnosticSettings")
    }
    (tables,) = FOUND.of_type("Microsoft.Storage/storageAccounts/tableServices")
    wanted = {one.id: {"AuditEvent"} for one in FOUND.of_type("Microsoft.KeyVault/vaults")}
    wanted |= {tables.id: {"StorageRead", "StorageWrite", "StorageDelete"}}
    wanted |= {one.id: {"FunctionAppLogs"} for one in FOUND.of_type("Microsoft.Web/sites")}
    assert logged == wanted


def test_everything_waits_for_what_it_refers_to() -> None:
    after = {one.id: one.after for one in FOUND.resources}
    loops = {one["copy"]["name"] for one in TEMPLATE["resources"] if "copy" in one}

    def before(resource: str) -> set[str]:
        direct = {one for one in after.get(resource, ()) if one not in loops}
        return direct.union(*(before(one) for one in direct))

    for one in FOUND.resources:
        assert one.after - after.keys() <= loops
        assert one.referred <= before(one.id)


def test_outputs_are_what_the_vendor_and_the_installer_need() -> None:
    assert FOUND.outputs.keys() == {
        *("Endpoint", "Deployment", "SeedVault", "CredentialVault", "TablesEndpoint"),
        *("Tenant", "Audience", "RotateApp", "RemediateApp"),
        *("Location", "Reader", "Operator", "Delivery", "AdmissionVault"),
    }
    assert FOUND.outputs["Endpoint"].startswith("https://")
    assert FOUND.outputs["Deployment"] == settings_of(FOUND, "rotate")["DEPLOYMENT"]


@pytest.mark.parametrize("prefix", ["rem", "remediator"])
def test_names_fit_whatever_the_prefix(prefix: str) -> None:
    found = deployed(prefix=prefix)
    for account in found.of_type("Microsoft.Storage/storageAccounts"):
        assert re.fullmatch(r"[a-z0-9]{3,24}", account.id.rpartition("/")[2])
    for vault in found.of_type("Microsoft.KeyVault/vaults"):
        assert re.fullmatch(r"[a-zA-Z](?:-?[a-zA-Z0-9]){2,23}", vault.id.rpartition("/")[2])
    for app in found.of_type("Microsoft.Web/sites"):
        assert len(app.id.rpartition("/")[2]) <= 60
