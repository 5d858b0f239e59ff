from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from remediator.catalogue.aws.rds.disable_public_access import DisablePublicAccess
from remediator.catalogue.engine import Outcome
from remediator.catalogue.errors import NotApplicable, Underway
from remediator.catalogue.spec import Example
from tests.laws.trials import AT_ONCE, HOME, Case, Trial, staged

FIX = DisablePublicAccess()
PUBLIC = Case(FIX, Example(broken=True, fixed=False))


def now(trial: Trial) -> dict[str, Any]:
    [found] = trial.job.client.describe_db_instances(DBInstanceIdentifier="orders")["DBInstances"]
    instance: dict[str, Any] = found
    return instance


def described(**change: Any) -> dict[str, Any]:
    usual = {"DBInstanceIdentifier": "orders", "DBInstanceStatus": "available", "PubliclyAccessible": True}
    return {"DBInstances": [usual | change]}


def test_nothing_else_is_asked_for_nor_is_what_waits_for_the_maintenance_window_brought_forward() -> None:
    with staged(PUBLIC) as trial:
        with trial.recording() as calls:
            change, _ = trial.apply()
            trial.job.roll_back(change, pauses=AT_ONCE)
        changes = [dict(request) for name, request in calls.made if name == "rds:ModifyDBInstance"]
        named = {"DBInstanceIdentifier": "orders"}
        assert changes == [{**named, "PubliclyAccessible": False}, {**named, "PubliclyAccessible": True}]


def test_what_rds_carries_out_later_is_pending_and_then_fixed() -> None:
    with staged(PUBLIC) as trial:
        trial.waiting.seconds = 300
        change = trial.job.plan()
        assert trial.job.apply(change, pauses=(None, None)) is Outcome.PENDING
        assert (now(trial)["DBInstanceStatus"], now(trial)["PubliclyAccessible"]) == ("modifying", True)
        assert not trial.job.shows(change.after)
        trial.waiting.seconds = 0
        assert trial.job.shows(change.after)
        assert now(trial)["DBInstanceStatus"] == "available"


def test_an_instance_that_is_being_modified_is_neither_judged_nor_taken_back() -> None:
    with staged(PUBLIC) as trial:
        change, _ = trial.apply()
        trial.waiting.seconds = 300
        trial.job.client.modify_db_instance(DBInstanceIdentifier="orders", PubliclyAccessible=True)
        for act in (trial.job.plan, lambda: trial.job.roll_back(change, pauses=AT_ONCE)):
            with trial.recording() as calls, pytest.raises(Underway):
                act()
            assert calls.operations == {"rds:DescribeDBInstances"}


def test_a_second_change_while_the_first_is_under_way_is_refused_by_rds() -> None:
    with staged(PUBLIC) as trial:
        trial.waiting.seconds = 300
        trial.apply()
        with pytest.raises(ClientError, match="InvalidDBInstanceState"):
            FIX.write(trial.job.client, trial.job.target, before=True, after=False)


@pytest.mark.parametrize("status", ["available", "backing-up", "stopped", "storage-optimization"])
def test_in_any_other_state_it_is_for_rds_to_say_whether_it_takes_a_change(status: str) -> None:
    with staged(PUBLIC) as trial, Stubber(trial.job.client) as stub:
        stub.add_response("describe_db_instances", described(DBInstanceStatus=status))
        assert trial.job.read() is True


def test_an_instance_that_is_being_deleted_is_left_to_that() -> None:
    with staged(PUBLIC) as trial, Stubber(trial.job.client) as stub:
        stub.add_response("describe_db_instances", described(DBInstanceStatus="deleting"))
        with pytest.raises(NotApplicable, match="being deleted"):
            trial.job.read()


def test_a_change_that_waits_for_the_window_is_no_change_of_this_setting() -> None:
    with staged(PUBLIC) as trial, Stubber(trial.job.client) as stub:
        waiting = described(PendingModifiedValues={"DBInstanceClass": "db.r6g.large"})
        stub.add_response("describe_db_instances", waiting, {"DBInstanceIdentifier": "orders"})
        assert trial.job.read() is True


@pytest.mark.parametrize("engine", ["aurora-mysql", "aurora-postgresql"])
def test_an_instance_of_an_aurora_cluster_is_repaired_like_any_other(engine: str) -> None:
    with staged(PUBLIC) as trial:
        rds = trial.job.client
        who = {"MasterUsername": "admin", "MasterUserPassword": "not-a-secret"}
        rds.create_db_cluster(DBClusterIdentifier="shop", Engine=engine, **who)
        for name in ("shop-1", "shop-2"):
            rds.create_db_instance(
                DBInstanceIdentifier=name,
                DBClusterIdentifier="shop",
                Engine=engine,
                DBInstanceClass="db.r6g.large",
                PubliclyAccessible=True,
            )
        member = FIX.target.parse({"arn": "arn:aws:rds:eu-west-1:123456789012:db:shop-1"}, HOME)
        FIX.write(rds, member, before=True, after=False)
        other = rds.describe_db_instances(DBInstanceIdentifier="shop-2")["DBInstances"][0]
        assert (FIX.read(rds, member), other["PubliclyAccessible"]) == (False, True)


def test_a_read_replica_has_an_address_of_its_own() -> None:
    with staged(PUBLIC) as trial:
        trial.job.client.create_db_instance_read_replica(
            DBInstanceIdentifier="orders-copy", SourceDBInstanceIdentifier="orders", PubliclyAccessible=True
        )
        trial.apply()
        [copy] = trial.job.client.describe_db_instances(DBInstanceIdentifier="orders-copy")["DBInstances"]
        assert (copy["PubliclyAccessible"], now(trial)["PubliclyAccessible"]) == (True, False)


def test_an_instance_that_is_not_there_is_an_error_not_a_private_one() -> None:
    with staged(PUBLIC) as trial:
        trial.job.client.delete_db_instance(DBInstanceIdentifier="orders", SkipFinalSnapshot=True)
        with pytest.raises(ClientError, match="DBInstanceNotFound"):
            trial.job.read()
