"""Destroy a deployment and deploy again: nothing is in the way, and the old evidence can still be read."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from remediator.local.account import EmbeddedAccount
from remediator.local.deploy import App, Target, destroy, synthesize
from remediator.local.emulator.identities import CUSTOMER_ACCOUNT
from remediator.operator.doctor import diagnose
from remediator.operator.evidence import read_evidence
from remediator.operator.history import Wanted, history
from remediator.vendor.errors import NotFound
from tests.end_to_end.world import BLOCK, World, be_told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediator.operator.doctor import Check

pytestmark = pytest.mark.xdist_group("an account of its own")


def destroyed(account: EmbeddedAccount) -> None:
    app = App(context=account.parameters())
    target = Target(account.endpoint, CUSTOMER_ACCOUNT, account.region, account.identities.admin.credentials)
    with tempfile.TemporaryDirectory() as folder:
        synthesize(app, target, Path(folder, "cdk.out"), _silent)
        destroy(app, target, Path(folder, "cdk.out"), _silent)


def _silent(_: str) -> None:
    pass


@pytest.fixture(scope="module")
def twice() -> Iterator[tuple[World, dict[str, str], str]]:
    """A second deployment; with the first one's outputs, and the id of what was applied then."""
    with EmbeddedAccount() as account:
        account.deploy()
        account.rotate()
        world = World(account)
        applied = world.vendor().apply(world.open_bucket())
        assert {result.outcome for result in applied.results} == {"fixed"}
        first = dict(account.outputs)
        destroyed(account)
        account.deploy()
        account.rotate()
        yield world, first, applied.id


def test_what_stays_is_what_the_outputs_said(twice: tuple[World, dict[str, str], str]) -> None:
    world, first, _ = twice
    table, key = first["Kept"].split(" ")
    described = world.admin("dynamodb").describe_table(TableName=first["ReceiptsTable"])["Table"]
    assert described["TableArn"] == table
    assert described["DeletionProtectionEnabled"]
    assert described["SSEDescription"]["KMSMasterKeyArn"] == key
    assert world.admin("kms").describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Enabled"
    names = world.admin("dynamodb").list_tables()["TableNames"]
    ours = [first["ReceiptsTable"], world.account.outputs["ReceiptsTable"], "remediator-state"]
    assert sorted(name for name in names if name.startswith("remediator")) == sorted(ours)


def test_the_second_deployment_works_and_keeps_receipts_of_its_own(twice: tuple[World, dict[str, str], str]) -> None:
    world, first, _ = twice
    applied = world.vendor().apply(world.open_bucket())
    assert {result.outcome for result in applied.results} == {"fixed"}
    assert world.account.outputs["ReceiptsTable"] != first["ReceiptsTable"]
    assert {entry.receipt for entry in look_through(world)} >= {result.receipt for result in applied.results}
    assert {one.outcome for one in world.operator().client().roll_back(applied.id).results} == {"rolled_back"}


def test_the_operator_reads_the_first_deployments_receipts(twice: tuple[World, dict[str, str], str]) -> None:
    world, first, applied = twice
    evidence = read_evidence(world.operator(), applied, 0, first["ReceiptsTable"])
    assert evidence.findings[0].change is not None
    assert {entry.receipt.partition("/")[0] for entry in look_through(world, first["ReceiptsTable"])} == {applied}
    assert applied not in {entry.receipt.partition("/")[0] for entry in look_through(world)}


def test_nobody_writes_the_first_deployments_receipts_and_the_endpoint_knows_none_of_them(
    twice: tuple[World, dict[str, str], str],
) -> None:
    world, first, applied = twice
    with pytest.raises(NotFound):
        world.operator().client().get(applied)
    key = {"pk": {"S": f"remediation/{applied}"}, "sk": {"S": "record"}}
    with pytest.raises(ClientError, match="AccessDenied"):
        world.operator().service("dynamodb").delete_item(TableName=first["ReceiptsTable"], Key=key)


def look_through(world: World, former: str | None = None) -> Any:
    operator = world.operator()
    return history(operator, operator.archive(former), Wanted(), lambda _: None)


# --- and it is well ---------------------------------------------------------------------------------------------------


def examined(world: World) -> dict[str, Check]:
    return {check.about: check for check in diagnose(world.operator(), None, time.time())}


def wrong(world: World) -> set[str]:
    return {about for about, check in examined(world).items() if check.fine is not True}


@pytest.fixture
def well(twice: tuple[World, dict[str, str], str]) -> World:
    """The deployment with somebody who hears of alarms, and a window that has just been rotated."""
    world = twice[0]
    be_told(world.account)
    world.account.rotate()
    assert wrong(world) == set(), examined(world)
    return world


def test_the_doctor_finds_a_trust_policy_that_trusts_a_stranger(well: World) -> None:
    iam = well.admin("iam")
    before = iam.get_role(RoleName="remediator-write")["Role"]["AssumeRolePolicyDocument"]
    stranger = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999999999999:root"}, "Action": "sts:AssumeRole"}
    worse = before | {"Statement": [*before["Statement"], stranger | {"Condition": {}}]}
    iam.update_assume_role_policy(RoleName="remediator-write", PolicyDocument=json.dumps(worse))
    try:
        assert wrong(well) == {"write role's trust"}
    finally:
        iam.update_assume_role_policy(RoleName="remediator-write", PolicyDocument=json.dumps(before))


def test_the_doctor_finds_permissions_that_are_missing_and_a_boundary_that_is_gone(well: World) -> None:
    iam, role = well.admin("iam"), "remediator-write"
    arn = f"arn:aws:iam::{CUSTOMER_ACCOUNT}:policy"
    iam.detach_role_policy(RoleName=role, PolicyArn=f"{arn}/remediator-write-0")
    iam.delete_role_permissions_boundary(RoleName=role)
    try:
        found = examined(well)
        assert {about for about, check in found.items() if not check.fine} == {
            "write role's permissions",
            "write role's boundary",
            "plan",
        }
        assert BLOCK in found["write role's permissions"].said
    finally:
        iam.attach_role_policy(RoleName=role, PolicyArn=f"{arn}/remediator-write-0")
        iam.put_role_permissions_boundary(RoleName=role, PermissionsBoundary=f"{arn}/remediator-write-boundary")


def test_the_doctor_finds_an_alarm_that_is_switched_off_and_letters_that_wait(well: World) -> None:
    alarms, queue = well.admin("cloudwatch"), well.admin("sqs")
    url = queue.get_queue_url(QueueName="remediator-dead-letters")["QueueUrl"]
    alarms.disable_alarm_actions(AlarmNames=["remediator-wrong-code"])
    queue.send_message(QueueUrl=url, MessageBody="{}")
    try:
        found = examined(well)
        assert {about for about, check in found.items() if not check.fine} == {"alarms' way", "dead letters"}
        assert "remediator-wrong-code" in found["alarms' way"].said
    finally:
        alarms.enable_alarm_actions(AlarmNames=["remediator-wrong-code"])
        queue.purge_queue(QueueUrl=url)


def test_the_doctor_finds_a_schedule_that_is_off_and_a_rotation_that_is_late(well: World) -> None:
    scheduler: Any = well.admin("scheduler")
    named = scheduler.get_schedule(Name="remediator-rotate")
    given = {name: named[name] for name in ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target")}
    scheduler.update_schedule(**given, State="DISABLED")
    well.account.clock.shift(900)
    try:
        assert wrong(well) == {"schedule", "rotation"}
        well.account.clock.shift(600)
        assert {"schedule", "rotation", "gate", "plan"} <= wrong(well)
    finally:
        scheduler.update_schedule(**given, State="ENABLED")
        well.account.rotate()


def test_the_doctor_finds_a_vendor_that_lost_its_seeds(well: World) -> None:
    iam = well.admin("iam")
    whole = iam.get_role_policy(RoleName="remediator-reader", PolicyName="call")["PolicyDocument"]
    rest = whole | {"Statement": [one for one in whole["Statement"] if one["Sid"] != "ReadSeedRecords"]}
    iam.put_role_policy(RoleName="remediator-reader", PolicyName="call", PolicyDocument=json.dumps(rest))
    try:
        assert wrong(well) == {"delivery"}
    finally:
        iam.put_role_policy(RoleName="remediator-reader", PolicyName="call", PolicyDocument=json.dumps(whole))


def test_the_doctor_says_of_a_frozen_deployment_that_it_is_frozen(well: World) -> None:
    well.order("freeze")
    try:
        assert {"state", "gate", "plan"} <= wrong(well)
        assert "frozen by" in examined(well)["state"].said
    finally:
        well.order("unfreeze")
