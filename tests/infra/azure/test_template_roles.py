"""Who may do what, where: the whole table, so that a grant too many is as wrong as one too few."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.azure.arm_functions import guid
from tests.infra.azure.deployment import OPERATOR, PLACE, READER, deployed, named

if TYPE_CHECKING:
    from infra.azure.evaluate import Resource

FOUND = deployed()

TABLE_READER = "76199698-9eea-4c19-bc75-cec21354c6b6"
TABLE_CONTRIBUTOR = "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3"
BLOB_OWNER = "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"
QUEUE_CONTRIBUTOR = "974c5e8b-45b9-4653-ba55-5f855dd0fb88"
SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
SECRETS_OFFICER = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"
METRICS_PUBLISHER = "3913510d-42f4-4e42-8a64-420c390055eb"
EVENT_SENDER = "d5a91429-5739-47e2-a06b-3470a27159e7"
KEEPER = "receipt keeper"
OPENER = "opener"
CLOSER = "closer"
DESK = "operator's desk"

ALLOWED = {
    ("rotate", OPENER, "remediatorcontrol"),
    ("rotate", TABLE_CONTRIBUTOR, "remediatorwindows"),
    ("rotate", TABLE_CONTRIBUTOR, "remediatorreceipts"),
    ("rotate", SECRETS_OFFICER, "seed vault"),
    ("rotate", SECRETS_USER, "credential vault"),
    ("rotate", BLOB_OWNER, "rotate's host storage"),
    ("rotate", QUEUE_CONTRIBUTOR, "rotate's host storage"),
    ("rotate", TABLE_CONTRIBUTOR, "rotate's host storage"),
    ("rotate", METRICS_PUBLISHER, "insights"),
    ("remediate", TABLE_READER, "remediatorcontrol"),
    ("remediate", TABLE_READER, "remediatorwindows"),
    ("remediate", KEEPER, "remediatorreceipts"),
    ("remediate", BLOB_OWNER, "remediate's host storage"),
    ("remediate", QUEUE_CONTRIBUTOR, "remediate's host storage"),
    ("remediate", TABLE_CONTRIBUTOR, "remediate's host storage"),
    ("remediate", METRICS_PUBLISHER, "insights"),
    ("remediate", EVENT_SENDER, "the topic of changes"),
    ("reader", SECRETS_USER, "seed vault"),
    ("operator", SECRETS_USER, "seed vault"),
    ("operator", DESK, "the deployment's group"),
    ("operator", KEEPER, "remediatorcontrol"),
    ("operator", CLOSER, "remediatorwindows"),
    ("operator", TABLE_READER, "remediatorreceipts"),
}


def places() -> dict[str, str]:
    """Return resource id → what it is called here."""
    accounts, vaults = "Microsoft.Storage/storageAccounts", "Microsoft.KeyVault/vaults"
    found = {
        named(FOUND, vaults, "-s-").id: "seed vault",
        named(FOUND, vaults, "-c-").id: "credential vault",
        named(FOUND, accounts, "remediatorro").id: "rotate's host storage",
        named(FOUND, accounts, "remediatorre").id: "remediate's host storage",
        FOUND.of_type("Microsoft.Insights/components")[0].id: "insights",
        FOUND.of_type("Microsoft.EventGrid/topics")[0].id: "the topic of changes",
        PLACE.group_id: "the deployment's group",
    }
    tables = FOUND.of_type(f"{accounts}/tableServices/tables")
    return found | {one.id: one.id.rpartition("/")[2] for one in tables}


def custom_role(one: Resource) -> str:
    (kind,) = [kind for kind in (KEEPER, OPENER, CLOSER, DESK) if kind in one.body["properties"]["roleName"]]
    return kind


def granted() -> list[tuple[str, str, str]]:
    identities = FOUND.of_type("Microsoft.ManagedIdentity/userAssignedIdentities")
    who = {guid(one.id, "principal"): one.id.rpartition("-")[2] for one in identities}
    who |= {READER: "reader", OPERATOR: "operator"}
    custom = {one.id.rpartition("/")[2]: one for one in FOUND.of_type("Microsoft.Authorization/roleDefinitions")}
    where, grants = places(), []
    for one in FOUND.of_type("Microsoft.Authorization/roleAssignments"):
        role = one.body["properties"]["roleDefinitionId"].rpartition("/")[2]
        scope = one.id.partition("/providers/Microsoft.Authorization/")[0]
        known = custom_role(custom[role]) if role in custom else role
        grants.append((who[one.body["properties"]["principalId"]], known, where[scope]))
    return grants


def test_everybody_has_exactly_what_the_table_says() -> None:
    assert sorted(granted()) == sorted(ALLOWED)


def test_the_rotators_identity_alone_reads_the_credential_vault() -> None:
    assert [(who, role) for who, role, where in granted() if where == "credential vault"] == [("rotate", SECRETS_USER)]


def test_the_remediators_identity_has_no_right_on_any_vault() -> None:
    assert [grant for grant in granted() if grant[0] == "remediate" and "vault" in grant[2]] == []


@pytest.mark.parametrize("table", ["remediatorcontrol", "remediatorwindows"])
def test_the_remediators_identity_only_reads_control_and_windows(table: str) -> None:
    assert [role for who, role, where in granted() if (who, where) == ("remediate", table)] == [TABLE_READER]


def test_the_remediators_identity_writes_receipts_and_deletes_none() -> None:
    [keeper] = [one for one in FOUND.of_type("Microsoft.Authorization/roleDefinitions") if custom_role(one) == KEEPER]
    (permission,) = keeper.body["properties"]["permissions"]
    entities = "Microsoft.Storage/storageAccounts/tableServices/tables/entities"
    assert permission["actions"] == []
    assert set(permission["dataActions"]) == {f"{entities}/read", f"{entities}/add/action", f"{entities}/update/action"}
    assert keeper.body["properties"]["assignableScopes"] == [PLACE.group_id]


def test_the_vendor_writes_nothing_and_the_operator_the_control_table_and_windows_unseen() -> None:
    assert {role for who, role, _ in granted() if who == "reader"} == {SECRETS_USER}
    operators = {(role, where) for who, role, where in granted() if who == "operator"}
    assert {role for role, _ in operators} == {SECRETS_USER, TABLE_READER, DESK, KEEPER, CLOSER}
    assert [where for role, where in operators if role == KEEPER] == ["remediatorcontrol"]


def test_the_operator_changes_windows_without_seeing_them_since_it_reads_seeds() -> None:
    [closer] = [one for one in FOUND.of_type("Microsoft.Authorization/roleDefinitions") if custom_role(one) == CLOSER]
    [permission] = closer.body["properties"]["permissions"]
    assert permission["actions"] == []
    assert permission["dataActions"] == [
        "Microsoft.Storage/storageAccounts/tableServices/tables/entities/update/action"
    ]
    assert [where for who, role, where in granted() if role == CLOSER] == ["remediatorwindows"]
    assert [role for who, role, where in granted() if (who, where) == ("operator", "remediatorwindows")] == [CLOSER]


def test_nobody_but_the_operator_changes_what_the_control_table_holds() -> None:
    holders = {(who, role) for who, role, where in granted() if where == "remediatorcontrol"}
    assert holders == {("rotate", OPENER), ("remediate", TABLE_READER), ("operator", KEEPER)}
    [opener] = [one for one in FOUND.of_type("Microsoft.Authorization/roleDefinitions") if custom_role(one) == OPENER]
    [permission] = opener.body["properties"]["permissions"]
    entities = "Microsoft.Storage/storageAccounts/tableServices/tables/entities"
    assert permission["actions"] == []
    assert set(permission["dataActions"]) == {f"{entities}/read", f"{entities}/add/action"}
    assert opener.body["properties"]["assignableScopes"] == [PLACE.group_id]


def test_the_operators_desk_sees_deployments_and_alerts_and_no_more() -> None:
    [desk] = [one for one in FOUND.of_type("Microsoft.Authorization/roleDefinitions") if custom_role(one) == DESK]
    [permission] = desk.body["properties"]["permissions"]
    assert permission["actions"] == [
        "Microsoft.Resources/deployments/read",
        "Microsoft.Insights/scheduledQueryRules/read",
        "Microsoft.Insights/actionGroups/read",
        "Microsoft.AlertsManagement/alerts/read",
    ]
    assert permission["dataActions"] == []
    assert desk.body["properties"]["assignableScopes"] == [PLACE.group_id]


def test_nothing_but_the_desk_is_granted_on_the_group_or_above() -> None:
    assert {role for _, role, where in granted() if where == "the deployment's group"} == {DESK}
    for one in FOUND.of_type("Microsoft.Authorization/roleAssignments"):
        assert one.id.partition("/providers/Microsoft.Authorization/")[0] in places()


def test_the_operators_kind_is_as_given_and_all_others_are_services() -> None:
    found = deployed(operatorPrincipalType="User").of_type("Microsoft.Authorization/roleAssignments")
    kinds = {
        (one.body["properties"]["principalId"] == OPERATOR, one.body["properties"]["principalType"]) for one in found
    }
    assert kinds == {(True, "User"), (False, "ServicePrincipal")}
