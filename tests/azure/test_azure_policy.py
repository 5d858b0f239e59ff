"""The customer's policy on Azure: in the control table, written by the operator alone, tags read with rights for it."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.data.tables import UpdateMode
from azure.identity import ManagedIdentityCredential

from remediator.azure import remediate_function, rotate_function
from remediator.azure.receipts import ReceiptTable
from remediator.azure.tables import table as table_at
from remediator.azure.windows_table import CONTROL, CONTROL_TABLE, POLICY, RECEIPTS_TABLE
from remediator.local.azure.arm.refusals import ArmRefusal
from remediator.operator.azure.policy import PolicyEntity
from remediator.service.policy_document import PolicyUnfit
from remediator.service.policy_edits import EditedMeanwhile, Editor
from tests.azure.azure_house import asking

if TYPE_CHECKING:
    from azure.data.tables import TableClient

    from tests.azure.azure_house import House

pytestmark = pytest.mark.xdist_group("azure policy")

OTHER = "99999999-2222-3333-4444-555555555555"
TAGS = "Microsoft.Resources/tags/read"


def store(house: House) -> PolicyEntity:
    """Return the store with the operator's own rights."""
    credential = house.signed_in(house.cloud.identities.operator)
    return PolicyEntity(table_at(house.cloud.outputs["TablesEndpoint"], CONTROL_TABLE, credential))


def edit(house: House, **members: Any) -> None:
    kept = store(house)
    Editor(kept, "azure", "somebody").save(json.dumps({"version": 1, **members}), kept.read(), now=time.time())


def reasons(answered: Any) -> list[str]:
    return [result.get("reason", {}).get("code", "") for result in answered.body["results"]]


def tag(house: House, target: str, **tags: str) -> None:
    house.cloud.arm.set(target, house.cloud.arm.resource(target) | {"tags": tags})


@pytest.fixture
def target(house: House) -> str:
    house.rotate()
    return house.target()


@pytest.mark.parametrize(
    ("members", "rule"),
    [
        ({"plan_only": True}, "policy_plan_only"),
        ({"fixes": ["azure.keyvault.enable-purge-protection"]}, "policy_fix"),
        ({"resource_groups": ["Another"]}, "policy_resource_group"),
        ({"exclude": ["/SUBSCRIPTIONS/*/providers/microsoft.storage/*"]}, "policy_excluded"),
        ({"exclude_tags": ["TEAM=Payroll"]}, "policy_excluded_tag"),
        ({"findings_per_day": 0}, "policy_findings_per_day"),
    ],
)
def test_every_rule_refuses_by_its_name_and_an_edit_counts_at_once(
    house: House, target: str, members: dict[str, Any], rule: str
) -> None:
    tag(house, target, team="payroll")
    edit(house, **members)
    assert reasons(house.post(asking(target))) == [rule]
    assert not house.encrypted(target)
    edit(house)
    assert house.post(asking(target), key=OTHER).outcomes == ["fixed"]
    assert house.encrypted(target)


def test_a_group_that_is_allowed_is_so_in_any_case(house: House, target: str) -> None:
    edit(house, resource_groups=[target.split("/")[4].upper()])
    assert house.post(asking(target)).outcomes == ["fixed"]


def test_a_broken_policy_allows_nothing_and_never_stops_the_operator_s_way_back(house: House, target: str) -> None:
    applied = house.post(asking(target))
    assert applied.outcomes == ["fixed"]
    for broken in ({"document": "{"}, {}):
        house.table(CONTROL_TABLE).upsert_entity(
            {"PartitionKey": CONTROL, "RowKey": POLICY, **broken}, mode=UpdateMode.REPLACE
        )
        assert reasons(house.post(asking(house.target()), key=f"a-key-for-{len(broken)}-broken-ones")) == [
            "policy_broken"
        ]
    path = f"/v1/remediations/{applied.body['id']}/rollback"
    assert house.post({}, path=path, key=OTHER, who="operator").outcomes == ["rolled_back"]


def test_state_and_policy_are_read_in_one_request(house: House, target: str) -> None:
    edit(house, plan_only=True)
    asked = house.request(asking(target, mode="plan"))
    with house.wire.counting() as steps:
        assert house.answer(asked).outcomes == ["planned"]
    assert [step for step in steps if step.endswith(CONTROL_TABLE)] == [f"tables GET {CONTROL_TABLE}"] * 2


def test_tags_are_read_only_where_they_exclude_and_are_among_the_calls(house: House, target: str) -> None:
    (plain,) = house.post(asking(target, mode="plan")).body["results"]
    assert TAGS not in plain["calls"]
    edit(house, exclude_tags=["keep"])
    (looked,) = house.post(asking(target, mode="plan"), key=OTHER).body["results"]
    assert looked["calls"] == [TAGS, "Microsoft.Storage/storageAccounts/read"]


@pytest.mark.parametrize("status", [403, 429, 500])
def test_tags_that_can_t_be_read_fail_the_finding_alone_and_nothing_of_it_is_written(
    house: House, target: str, status: int
) -> None:
    other = house.target()
    edit(house, exclude_tags=["keep"])

    def fault(asked: Any) -> None:
        if asked.tags and asked.located.key == target.lower():
            raise ArmRefusal(status, "NotToday", "Come back later.")

    house.cloud.arm.faults.append(fault)
    try:
        answered = house.post(asking(target, other))
    finally:
        house.cloud.arm.faults.remove(fault)
    assert answered.outcomes == ["failed", "fixed"]
    assert reasons(answered) == ["policy_tags_unread", ""]
    assert "NotToday" in answered.body["results"][0]["reason"]["message"]
    assert not house.encrypted(target)


def test_without_its_role_the_remediator_reads_no_tag(house: House, target: str) -> None:
    edit(house, exclude_tags=["keep"])
    allows = house.cloud.arm.allowed
    house.cloud.arm.allowed = lambda who, operation, scope: operation != TAGS and allows(who, operation, scope)
    try:
        answered = house.post(asking(target))
    finally:
        house.cloud.arm.allowed = allows
    assert reasons(answered) == ["policy_tags_unread"]
    assert "AuthorizationFailed" in answered.body["results"][0]["reason"]["message"]


def test_of_two_that_edit_at_once_one_saves(house: House, target: str) -> None:  # noqa: ARG001 - it rotates
    kept = store(house)
    editor = Editor(kept, "azure", "somebody")
    text = json.dumps({"version": 1, "plan_only": True})
    for _ in range(2):
        met = kept.read()
        editor.save(text, met, now=time.time())
        with pytest.raises(EditedMeanwhile):
            editor.save(json.dumps({"version": 1}), met, now=time.time())
    stored = kept.read()
    assert stored is not None
    assert (json.loads(stored.text)["plan_only"], stored.revision) == (True, 2)
    assert [(one.by, one.revision) for one in stored.edits] == [("somebody", 2), ("somebody", 1)]


def test_one_that_saves_between_look_and_write_wins(house: House, target: str) -> None:  # noqa: ARG001 - it rotates
    edit(house)
    kept, rival = store(house), store(house)
    met = kept.read()
    meanwhile = {
        "meanwhile_at": 2,
        "meanwhile": lambda: Editor(rival, "azure", "rival").save('{"version":1}', met, now=1),
    }
    with house.wire.counting(**meanwhile), pytest.raises(EditedMeanwhile):
        Editor(kept, "azure", "late").save('{"version":1,"plan_only":true}', met, now=2)
    stored = kept.read()
    assert stored is not None
    assert stored.edits[0].by == "rival"


def test_regions_are_no_member_on_azure_and_nothing_unfit_is_saved(house: House, target: str) -> None:  # noqa: ARG001
    with pytest.raises(PolicyUnfit, match="regions"):
        edit(house, regions=["westeurope"])
    assert store(house).read() is None


def change(table: TableClient, how: int) -> None:
    """Put another policy in the place of the one that is there: whole, in part, or by deleting it."""
    entity = {"PartitionKey": CONTROL, "RowKey": POLICY, "document": '{"version": 1}'}
    if how == 0:
        table.upsert_entity(entity, mode=UpdateMode.REPLACE)
    elif how == 1:
        table.update_entity(entity, mode=UpdateMode.MERGE)
    else:
        table.delete_entity(CONTROL, POLICY)


def test_neither_the_remediator_nor_the_vendor_changes_the_policy_and_the_rotator_only_adds(
    house: House,
    target: str,  # noqa: ARG001 - it rotates
) -> None:
    edit(house, plan_only=True)
    outputs = house.cloud.outputs
    identities: dict[str, Any] = {
        "vendor": house.signed_in(house.cloud.identities.vendor),
        "remediator": ManagedIdentityCredential(client_id=remediate_function._settings().identity),
        "rotator": ManagedIdentityCredential(client_id=rotate_function._settings().identity),
    }
    for who, credential in identities.items():
        for number in range(3):
            with pytest.raises(HttpResponseError) as refused:
                change(table_at(outputs["TablesEndpoint"], CONTROL_TABLE, credential), number)
            assert refused.value.status_code == 403, who
    with pytest.raises(HttpResponseError):
        table_at(outputs["TablesEndpoint"], CONTROL_TABLE, identities["remediator"]).create_entity(
            {"PartitionKey": CONTROL, "RowKey": "else"}
        )


def test_the_operator_deletes_no_policy_and_writes_no_receipt(house: House, target: str) -> None:  # noqa: ARG001
    edit(house)
    credential = house.signed_in(house.cloud.identities.operator)
    for table, change in (
        (CONTROL_TABLE, lambda table: table.delete_entity(CONTROL, POLICY)),
        (RECEIPTS_TABLE, lambda table: table.create_entity({"PartitionKey": "x", "RowKey": "record"})),
    ):
        with pytest.raises(HttpResponseError) as refused:
            change(table_at(house.cloud.outputs["TablesEndpoint"], table, credential))
        assert refused.value.status_code == 403


def counter(house: House) -> ReceiptTable:
    identity = ManagedIdentityCredential(client_id=remediate_function._settings().identity)
    return ReceiptTable(table_at(house.cloud.outputs["TablesEndpoint"], RECEIPTS_TABLE, identity), retention_days=400)


def test_a_day_s_findings_are_counted_as_far_as_there_is_room(house: House) -> None:
    table = counter(house)
    assert [table.spend("2026-11-28", wanted=2, most=5) for _ in range(4)] == [2, 2, 1, 0]
    assert table.spend("2026-11-28", wanted=2, most=3) == 0
    assert table.spend("2026-11-29", wanted=9, most=5) == 5
    assert house.entities(RECEIPTS_TABLE, "count")["2026-11-28"]["findings"] == 5


@pytest.mark.parametrize("at", [1, 2])
@pytest.mark.parametrize("before", [0, 1])
def test_two_that_count_at_once_never_exceed_the_cap(house: House, at: int, before: int) -> None:
    table, rival, taken = counter(house), counter(house), list[int]()
    if before:
        assert table.spend("2026-11-28", wanted=before, most=5) == before
    meanwhile = lambda: taken.append(rival.spend("2026-11-28", wanted=3, most=5))  # noqa: E731
    with house.wire.counting(meanwhile_at=at, meanwhile=meanwhile):
        ours = table.spend("2026-11-28", wanted=3, most=5)
    assert taken == [3]
    assert ours == 2 - before
    assert house.entities(RECEIPTS_TABLE, "count")["2026-11-28"]["findings"] == 5
