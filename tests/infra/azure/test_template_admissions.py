"""With manual delivery the vendor has no right on seeds, and a vault and a table of their own hold what is admitted."""

from __future__ import annotations

import pytest

from infra.azure.arm_functions import guid
from remediator.azure import admissions
from tests.infra.azure.deployment import OPERATOR, PLACE, READER, deployed, named, settings

MANUAL, AUTOMATIC = deployed(delivery="manual"), deployed(delivery="automatic")
VAULTS, TABLES = "Microsoft.KeyVault/vaults", "Microsoft.Storage/storageAccounts/tableServices/tables"
ROLES, GRANTS = "Microsoft.Authorization/roleDefinitions", "Microsoft.Authorization/roleAssignments"
TABLE_CONTRIBUTOR = "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3"
VAULT = named(MANUAL, VAULTS, "-a-")
TABLE = named(MANUAL, TABLES, admissions.ADMISSIONS_TABLE)


def granted(scope: str) -> set[tuple[str, str]]:
    """Return who holds which role on a resource, or on anything in it; custom roles by their names."""
    identities = MANUAL.of_type("Microsoft.ManagedIdentity/userAssignedIdentities")
    who = {guid(one.id, "principal"): one.id.rpartition("-")[2] for one in identities}
    who |= {READER: "reader", OPERATOR: "operator"}
    custom = {one.id.rpartition("/")[2]: one.body["properties"]["roleName"] for one in MANUAL.of_type(ROLES)}
    found = set()
    for one in MANUAL.of_type(GRANTS):
        role = one.body["properties"]["roleDefinitionId"].rpartition("/")[2]
        if one.id.startswith(f"{scope}/"):
            name = " ".join(custom.get(role, role).split()[1:-1]) or role
            found.add((who[one.body["properties"]["principalId"]], name))
    return found


def test_with_manual_delivery_the_reader_holds_no_role_at_all() -> None:
    assert READER not in {one.body["properties"]["principalId"] for one in MANUAL.of_type(GRANTS)}
    assert READER in {one.body["properties"]["principalId"] for one in AUTOMATIC.of_type(GRANTS)}


def test_operator_remediator_and_rotator_share_a_vault_that_nobody_else_opens() -> None:
    role = "admission keeper"
    assert granted(VAULT.id) == {("rotate", role), ("remediate", role), ("operator", role)}


def test_what_they_may_there_is_to_set_and_to_get_a_secret() -> None:
    [keeper] = [one for one in MANUAL.of_type(ROLES) if "admission keeper" in one.body["properties"]["roleName"]]
    [permission] = keeper.body["properties"]["permissions"]
    assert permission["actions"] == []
    assert set(permission["dataActions"]) == set(admissions.USES)
    assert keeper.body["properties"]["assignableScopes"] == [PLACE.group_id]


def test_operator_and_remediator_change_rows_of_admissions_and_delete_none() -> None:
    keeper = "receipt keeper"
    assert granted(TABLE.id) == {("rotate", TABLE_CONTRIBUTOR), ("remediate", keeper), ("operator", keeper)}


def test_the_vault_is_one_of_its_own_and_watched_as_the_others_are() -> None:
    vaults = MANUAL.of_type(VAULTS)
    assert len({one.id for one in vaults}) == 3
    for setting in ("enableRbacAuthorization", "enableSoftDelete", "enablePurgeProtection"):
        assert VAULT.body["properties"][setting] is True
    watched = [one.id for one in MANUAL.of_type("Microsoft.Insights/diagnosticSettings")]
    assert any(one.startswith(f"{VAULT.id}/") for one in watched)


@pytest.mark.parametrize("role", ["rotate", "remediate"])
def test_the_apps_are_told_the_vault_only_where_codes_are_passed_on(role: str) -> None:
    url = f"https://{VAULT.id.rpartition('/')[2]}.vault.azure.net/"
    assert settings(MANUAL, role)["ADMISSION_VAULT"] == url
    assert settings(AUTOMATIC, role)["ADMISSION_VAULT"] == ""
    [site] = [one for one in MANUAL.of_type("Microsoft.Web/sites") if f"-{role}-" in one.id]
    assert VAULT.id in site.after


def test_with_automatic_delivery_there_is_none_of_it() -> None:
    assert AUTOMATIC.resources == deployed().resources
    added = {one.id for one in MANUAL.resources} - {one.id for one in AUTOMATIC.resources}
    assert len(added) == 10
    assert {VAULT.id, TABLE.id} < added
    assert (AUTOMATIC.outputs["Delivery"], AUTOMATIC.outputs["AdmissionVault"]) == ("automatic", "")
    assert (MANUAL.outputs["Delivery"], MANUAL.outputs["AdmissionVault"][:8]) == ("manual", "https://")
