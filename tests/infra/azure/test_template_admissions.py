"""With manual delivery the vendor has no right on seeds, and a vault and a table of their own hold what is admitted."""

from __future__ import annotations

import pytest

from infra.azure.arm_functions import guid
from remediator.azure import admission_desk, admissions
from tests.infra.azure.deployment import OPERATOR, PLACE, READER, deployed, named, settings

MANUAL, AUTOMATIC = deployed(delivery="manual"), deployed(delivery="automatic")
VAULTS, TABLES = "Microsoft.KeyVault/vaults", "Microsoft.Storage/storageAccounts/tableServices/tables"
ROLES, GRANTS = "Microsoft.Authorization/roleDefinitions", "Microsoft.Authorization/roleAssignments"
TABLE_CONTRIBUTOR = "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3"
VAULT = named(MANUAL, VAULTS, "-a-")
TABLE = named(MANUAL, TABLES, admissions.ADMISSIONS_TABLE)
KEEPER, DEPOSITOR, COUNTER, OPENER = "admission keeper", "admission depositor", "admission counter", "opener"


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


def allowed(role: str) -> set[str]:
    """Return the data actions of a custom role, which has nothing else and can be held in the group alone."""
    [defined] = [one for one in MANUAL.of_type(ROLES) if f" {role} " in one.body["properties"]["roleName"]]
    [permission] = defined.body["properties"]["permissions"]
    assert permission["actions"] == []
    assert defined.body["properties"]["assignableScopes"] == [PLACE.group_id]
    return set(permission["dataActions"])


def test_with_manual_delivery_the_reader_holds_no_role_at_all() -> None:
    assert READER not in {one.body["properties"]["principalId"] for one in MANUAL.of_type(GRANTS)}
    assert READER in {one.body["properties"]["principalId"] for one in AUTOMATIC.of_type(GRANTS)}


def test_operator_remediator_and_rotator_share_a_vault_that_nobody_else_opens() -> None:
    assert granted(VAULT.id) == {("rotate", KEEPER), ("remediate", KEEPER), ("operator", DEPOSITOR)}


def test_the_operator_sets_what_is_admitted_and_the_others_read_and_overwrite_it() -> None:
    assert allowed(DEPOSITOR) == set(admission_desk.USES)
    assert allowed(KEEPER) == set(admissions.USES)


def test_the_operator_adds_rows_of_admissions_and_the_remediator_changes_them_and_neither_deletes_any() -> None:
    assert granted(TABLE.id) == {("rotate", TABLE_CONTRIBUTOR), ("remediate", COUNTER), ("operator", OPENER)}
    entities = f"{TABLES}/entities"
    assert allowed(COUNTER) == {f"{entities}/read", f"{entities}/update/action"}
    assert allowed(OPENER) == {f"{entities}/read", f"{entities}/add/action"}


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
    assert len(added) == 12
    assert [len(one.of_type(ROLES)) for one in (AUTOMATIC, MANUAL)] == [4, 7]
    assert {VAULT.id, TABLE.id} < added
    assert (AUTOMATIC.outputs["Delivery"], AUTOMATIC.outputs["AdmissionVault"]) == ("automatic", "")
    assert (MANUAL.outputs["Delivery"], MANUAL.outputs["AdmissionVault"][:8]) == ("manual", "https://")
