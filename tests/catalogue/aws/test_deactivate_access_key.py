from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from remediator.catalogue import policies
from remediator.catalogue.aws.iam.deactivate_access_key import DeactivateAccessKey
from remediator.catalogue.engine import Outcome
from remediator.catalogue.errors import NotApplicable
from remediator.catalogue.spec import Example
from remediator.service.problems import Refused
from remediator.service.requests import read_remediation
from tests.laws.trials import AT_ONCE, HOME, Case, Trial, staged

FIX = DeactivateAccessKey()
USER = str(FIX.target.example["arn"])
KEYS = ("AKIAIOSFODNN7EXAMPLE", "AKIAI44QH8DHBEXAMPLE")
ACTIVE = Case(FIX, Example(broken=True, fixed=False))


def statuses(trial: Trial) -> dict[str, str]:
    found = trial.job.client.list_access_keys(UserName="invoices")["AccessKeyMetadata"]
    return {key["AccessKeyId"]: key["Status"] for key in found}


def listing(*statuses: tuple[str, str]) -> dict[str, Any]:
    keys = [{"UserName": "invoices", "AccessKeyId": key, "Status": status} for key, status in statuses]
    return {"AccessKeyMetadata": keys, "IsTruncated": False}


def request(*keys: str) -> bytes:
    findings = [
        {"finding": "prowler:iam_user_accesskey_unused", "target": {"arn": USER, "access_key": key}} for key in keys
    ]
    return json.dumps({"mode": "plan", "findings": findings}).encode()


def refusal(body: bytes) -> str:
    with pytest.raises(Refused) as refused:
        read_remediation(body, HOME)
    return str(refused.value.detail)


def test_the_users_other_key_stays_active() -> None:
    with staged(ACTIVE) as trial:
        ours = trial.job.target["access_key"]
        trial.apply()
        found = statuses(trial)
        assert found.pop(ours) == "Inactive"
        assert list(found.values()) == ["Active"]


def test_the_user_is_called_by_its_name_without_the_path() -> None:
    with staged(ACTIVE) as trial:
        with trial.recording() as calls:
            change, _ = trial.apply()
            trial.job.roll_back(change, pauses=AT_ONCE)
        named = {"UserName": "invoices", "AccessKeyId": trial.job.target["access_key"]}
        changes = [request for name, request in calls.made if name == "iam:UpdateAccessKey"]
        assert changes == [{**named, "Status": "Inactive"}, {**named, "Status": "Active"}]
        assert all(request["UserName"] == "invoices" for _, request in calls.made)


def test_a_key_that_was_deleted_is_not_taken_for_an_inactive_one() -> None:
    with staged(ACTIVE) as trial:
        change, _ = trial.apply()
        trial.job.client.delete_access_key(UserName="invoices", AccessKeyId=trial.job.target["access_key"])
        for act in (trial.job.plan, lambda: trial.job.roll_back(change, pauses=AT_ONCE)):
            with pytest.raises(NotApplicable, match="no access key of that id"):
                act()


@pytest.mark.parametrize(("status", "active"), [("Active", True), ("Inactive", False), ("Expired", False)])
def test_only_an_active_key_is_active(status: str, active: bool) -> None:  # noqa: FBT001 - a table
    with staged(ACTIVE) as trial, Stubber(trial.job.client) as stub:
        key = trial.job.target["access_key"]
        stub.add_response("list_access_keys", listing((KEYS[0], "Active"), (key, status)), {"UserName": "invoices"})
        assert trial.job.read() is active


def test_a_user_that_is_not_there_is_an_error() -> None:
    with staged(ACTIVE) as trial, Stubber(trial.job.client) as stub:
        stub.add_client_error("list_access_keys", "NoSuchEntity")
        with pytest.raises(ClientError, match="NoSuchEntity"):
            trial.job.read()


def test_somebody_who_activated_the_key_again_is_not_overruled_by_going_on_with_an_old_receipt() -> None:
    with staged(ACTIVE) as trial:
        change, _ = trial.apply()
        trial.change_to(True)
        assert trial.job.roll_back(change, pauses=AT_ONCE) is Outcome.ALREADY_ROLLED_BACK


def test_a_session_is_held_to_the_user_and_is_not_told_the_key() -> None:
    target = FIX.target.parse(FIX.target.example, HOME)
    policy = policies.compact(policies.session_policy(FIX, [target], deadline=1_900_000_000, write=True))
    assert json.loads(policy)["Statement"][0]["Resource"] == [USER]
    assert target["access_key"] not in policy


def test_two_keys_of_one_user_are_two_findings_and_one_key_twice_is_refused() -> None:
    assert len(read_remediation(request(*KEYS), HOME).findings) == 2
    assert "asks for the same" in refusal(request(KEYS[0], KEYS[0]))


def test_a_finding_that_names_the_user_alone_is_refused() -> None:
    body = {"mode": "plan", "findings": [{"fix": FIX.id, "target": {"arn": USER}}]}
    assert "access_key" in refusal(json.dumps(body).encode())
