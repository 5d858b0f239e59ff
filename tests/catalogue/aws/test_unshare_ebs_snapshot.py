from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from remediator.catalogue.aws.ec2.unshare_snapshot import Outsiders, UnshareSnapshot
from remediator.catalogue.spec import Example
from tests.catalogue.toys import unhurried
from tests.laws.trials import AT_ONCE, Case, Trial, staged

FIX = UnshareSnapshot()
FRIEND, STRANGER = "111122223333", "444455556666"
MODIFY = "ec2:ModifySnapshotAttribute"

accounts = st.from_regex(r"[0-9]{12}", fullmatch=True)


def broken(*shares: str, **parameters: Any) -> Case:
    return Case(FIX, Example(broken=sorted(shares), fixed=None, parameters=parameters))


def sent(trial: Trial, before: list[str], after: list[str]) -> list[dict[str, Any]]:
    """Write, and return what EC2 was asked, without what is the same each time."""
    with trial.recording() as calls:
        FIX.write(trial.job.client, trial.job.target, before, after)
    same = {"SnapshotId": trial.job.target["snapshot"], "Attribute": "createVolumePermission"}
    assert all(name == MODIFY and request.items() >= same.items() for name, request in calls.made)
    return [{name: value for name, value in request.items() if name not in same} for _, request in calls.made]


@unhurried
@given(st.lists(accounts | st.just("all"), unique=True).map(sorted), st.lists(accounts, max_size=3, unique=True))
def test_everybody_goes_and_all_who_are_not_named_stay(shares: list[str], named: list[str]) -> None:
    kept = list(shares)
    after = FIX.desired(shares, Outsiders(named))
    assert shares == kept
    assert after == [one for one in shares if one != "all" and one not in named]
    assert FIX.desired(after, Outsiders(named)) == after


def test_only_the_difference_is_asked_of_ec2() -> None:
    with staged(broken("all", FRIEND)) as trial:
        assert sent(trial, [FRIEND, "all"], [FRIEND]) == [{"OperationType": "remove", "GroupNames": ["all"]}]


def test_accounts_and_everybody_go_at_once() -> None:
    with staged(broken("all", FRIEND, STRANGER)) as trial:
        [request] = sent(trial, [FRIEND, STRANGER, "all"], [FRIEND])
        assert request == {"OperationType": "remove", "GroupNames": ["all"], "UserIds": [STRANGER]}


def test_what_comes_is_added_before_what_goes_is_removed() -> None:
    with staged(broken(FRIEND)) as trial:
        assert sent(trial, [FRIEND], [STRANGER]) == [
            {"OperationType": "add", "UserIds": [STRANGER]},
            {"OperationType": "remove", "UserIds": [FRIEND]},
        ]


def test_a_rollback_shares_again_with_those_that_were_removed() -> None:
    with staged(broken("all", FRIEND, STRANGER, accounts=[STRANGER])) as trial:
        change, _ = trial.apply()
        assert change.after == [FRIEND]
        with trial.recording() as calls:
            trial.job.roll_back(change, pauses=AT_ONCE)
        [request] = [request for name, request in calls.made if name == MODIFY]
        assert (request["OperationType"], request["GroupNames"], request["UserIds"]) == ("add", ["all"], [STRANGER])


def test_a_snapshot_that_is_shared_with_accounts_alone_is_left_alone() -> None:
    with staged(broken(FRIEND, STRANGER)) as trial:
        assert not trial.job.plan().needed


def test_what_ec2_tells_in_no_order_is_read_in_one() -> None:
    with staged(broken()) as trial, Stubber(trial.job.client) as stub:
        shares = [{"UserId": STRANGER}, {"Group": "all"}, {"UserId": FRIEND}]
        expected = {"SnapshotId": trial.job.target["snapshot"], "Attribute": "createVolumePermission"}
        stub.add_response("describe_snapshot_attribute", {"CreateVolumePermissions": shares}, expected)
        assert trial.job.read() == [FRIEND, STRANGER, "all"]


def test_a_snapshot_that_is_not_there_is_an_error_not_a_private_one() -> None:
    with staged(broken("all")) as trial:
        trial.job.client.delete_snapshot(SnapshotId=trial.job.target["snapshot"])
        with pytest.raises(ClientError, match=r"InvalidSnapshot\.NotFound"):
            trial.job.read()
