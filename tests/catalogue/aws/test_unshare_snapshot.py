from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from remediator.catalogue.aws.rds.unshare_snapshot import CLUSTER, Outsiders, UnshareSnapshot
from remediator.catalogue.spec import Example
from tests.catalogue.toys import unhurried
from tests.laws.trials import AT_ONCE, Case, Trial, staged

FIX = UnshareSnapshot()
INSTANCE = FIX.target.example
FRIEND, STRANGER = "111122223333", "444455556666"

accounts = st.from_regex(r"[0-9]{12}", fullmatch=True)


def broken(*shares: str, target: Any = INSTANCE, **parameters: Any) -> Case:
    return Case(FIX, Example(broken=sorted(shares), fixed=None, parameters=parameters, target=target))


def sent(trial: Trial) -> list[tuple[str, dict[str, Any]]]:
    with trial.recording() as calls:
        trial.apply()
    return [(name, dict(request)) for name, request in calls.made if "Modify" in name]


@unhurried
@given(st.lists(accounts | st.just("all"), unique=True).map(sorted), st.lists(accounts, max_size=3, unique=True))
def test_everybody_goes_and_all_who_are_not_named_stay(shares: list[str], named: list[str]) -> None:
    kept = list(shares)
    after = FIX.desired(shares, Outsiders(named))
    assert shares == kept
    assert after == [one for one in shares if one != "all" and one not in named]
    assert FIX.desired(after, Outsiders(named)) == after


@pytest.mark.parametrize(
    ("target", "operation", "name"),
    [
        (INSTANCE, "rds:ModifyDBSnapshotAttribute", "DBSnapshotIdentifier"),
        (CLUSTER, "rds:ModifyDBClusterSnapshotAttribute", "DBClusterSnapshotIdentifier"),
    ],
)
def test_only_the_difference_is_asked_of_rds(target: Any, operation: str, name: str) -> None:
    with staged(broken("all", FRIEND, target=target)) as trial:
        expected = {name: "before-upgrade", "AttributeName": "restore", "ValuesToRemove": ["all"]}
        assert sent(trial) == [(operation, expected)]


def test_a_rollback_shares_again_with_those_that_were_removed() -> None:
    with staged(broken("all", FRIEND, STRANGER, accounts=[STRANGER])) as trial:
        change, _ = trial.apply()
        assert change.after == [FRIEND]
        with trial.recording() as calls:
            trial.job.roll_back(change, pauses=AT_ONCE)
        ((_, request),) = [call for call in calls.made if "Modify" in call[0]]
        assert request["ValuesToAdd"] == [STRANGER, "all"]
        assert "ValuesToRemove" not in request


def test_a_snapshot_that_is_shared_with_accounts_alone_is_left_alone() -> None:
    with staged(broken(FRIEND, STRANGER)) as trial:
        assert not trial.job.plan().needed


@pytest.mark.parametrize("target", [INSTANCE, CLUSTER])
def test_what_rds_tells_in_no_order_is_read_in_one(target: Any) -> None:
    with staged(broken(target=target)) as trial, Stubber(trial.job.client) as stub:
        attributes = [
            {"AttributeName": "copy", "AttributeValues": ["999999999999"]},
            {"AttributeName": "restore", "AttributeValues": ["all", STRANGER, FRIEND]},
        ]
        if target is CLUSTER:
            result = {"DBClusterSnapshotAttributesResult": {"DBClusterSnapshotAttributes": attributes}}
            stub.add_response("describe_db_cluster_snapshot_attributes", result)
        else:
            result = {"DBSnapshotAttributesResult": {"DBSnapshotAttributes": attributes}}
            stub.add_response("describe_db_snapshot_attributes", result)
        assert trial.job.read() == [FRIEND, STRANGER, "all"]


def test_a_snapshot_that_is_not_there_is_an_error_not_a_private_one() -> None:
    with staged(broken("all")) as trial:
        trial.job.client.delete_db_snapshot(DBSnapshotIdentifier="before-upgrade")
        with pytest.raises(ClientError, match="DBSnapshotNotFound"):
            trial.job.read()
