from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from remediator.catalogue.aws.s3.require_tls import ARN, LIMIT, SID, RequireTls, deny_without_tls
from remediator.catalogue.errors import NotApplicable
from remediator.catalogue.spec import Example, NoParameters
from tests.catalogue.toys import unhurried
from tests.laws.trials import AT_ONCE, Case, staged

FIX = RequireTls()
DENY = deny_without_tls(ARN, SID)
ALLOW = {
    "Sid": "Cdn",
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    "Action": "s3:GetObject",
    "Resource": f"{ARN}/*",
}


def state(*statements: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"arn": ARN, "policy": {"Version": "2012-10-17", **more, "Statement": list(statements)}}


def desired(current: dict[str, Any]) -> dict[str, Any]:
    return FIX.desired(current, NoParameters())


EQUIVALENT = {
    "as we write it": {},
    "an old name": {"Sid": "AllowSSLRequestsOnly"},
    "no name": {"Sid": None},
    "everybody as an AWS principal": {"Principal": {"AWS": "*"}},
    "everybody in a list": {"Principal": {"AWS": ["*"]}},
    "all actions": {"Action": "*"},
    "actions in a list": {"Action": ["s3:*"]},
    "actions in capitals": {"Action": "S3:*"},
    "resources the other way round": {"Resource": [f"{ARN}/*", ARN]},
    "one pattern for both resources": {"Resource": f"{ARN}*"},
    "all resources": {"Resource": "*"},
    "a list of values": {"Condition": {"Bool": {"aws:SecureTransport": ["false"]}}},
    "a JSON boolean": {"Condition": {"Bool": {"aws:SecureTransport": False}}},
    "another spelling of the key": {"Condition": {"Bool": {"AWS:securetransport": "False"}}},
    "where the key is missing too": {"Condition": {"BoolIfExists": {"aws:SecureTransport": "false"}}},
}

NARROWER = {
    "an allow": {"Effect": "Allow"},
    "one principal": {"Principal": {"AWS": "arn:aws:iam::111122223333:root"}},
    "all but one principal": {"Principal": None, "NotPrincipal": {"AWS": "arn:aws:iam::111122223333:root"}},
    "a service": {"Principal": {"Service": "*"}},
    "one action": {"Action": "s3:GetObject"},
    "all but one action": {"Action": None, "NotAction": "s3:GetObject"},
    "objects alone": {"Resource": f"{ARN}/*"},
    "the bucket alone": {"Resource": [ARN]},
    "one folder": {"Resource": [ARN, f"{ARN}/public/*"]},
    "single characters": {"Resource": [ARN, f"{ARN}/?"]},
    "all but one resource": {"Resource": None, "NotResource": [f"{ARN}/x"]},
    "another bucket": {"Resource": [f"{ARN}-2", f"{ARN}-2/*"]},
    "TLS before 1.2": {"Condition": {"NumericLessThan": {"s3:TlsVersion": "1.2"}}},
    "requests that do come over TLS": {"Condition": {"Bool": {"aws:SecureTransport": "true"}}},
    "one more condition": {"Condition": {"Bool": {"aws:SecureTransport": "false", "aws:ViaAWSService": "false"}}},
    "one more operator": {
        "Condition": {"Bool": {"aws:SecureTransport": "false"}, "StringEquals": {"aws:SourceVpc": "vpc-1"}}
    },
    "another operator": {"Condition": {"Null": {"aws:SecureTransport": "false"}}},
    "another key": {"Condition": {"Bool": {"aws:ViaAWSService": "false"}}},
    "both values": {"Condition": {"Bool": {"aws:SecureTransport": ["false", "true"]}}},
}


def statement(change: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (DENY | change).items() if value is not None}


@pytest.mark.parametrize("change", EQUIVALENT.values(), ids=EQUIVALENT)
def test_a_statement_that_refuses_the_same_is_recognised(change: dict[str, Any]) -> None:
    current = state(ALLOW, statement(change))
    assert desired(current) == current


@pytest.mark.parametrize("change", NARROWER.values(), ids=NARROWER)
def test_a_statement_that_refuses_less_is_not_enough(change: dict[str, Any]) -> None:
    current = state(statement(change))
    after = desired(current)["policy"]["Statement"]
    assert after[0] == statement(change)
    assert after[1] == deny_without_tls(ARN, f"{SID}2")
    assert len(after) == 2


def test_a_statement_that_refuses_everything_is_no_reason_to_leave_ours_out() -> None:
    current = state(statement({"Condition": None}))
    assert len(desired(current)["policy"]["Statement"]) == 2


def test_a_bucket_without_a_policy_gets_one() -> None:
    assert desired({"arn": ARN, "policy": None}) == {
        "arn": ARN,
        "policy": {"Version": "2012-10-17", "Statement": [DENY]},
    }


def test_a_policy_with_a_single_statement_keeps_it() -> None:
    current = {"arn": ARN, "policy": {"Version": "2012-10-17", "Statement": ALLOW}}
    assert desired(current)["policy"]["Statement"] == [ALLOW, DENY]


def test_the_statement_takes_a_name_that_is_free() -> None:
    taken = [ALLOW | {"Sid": sid} for sid in (SID, f"{SID}2", f"{SID}4")]
    assert desired(state(*taken))["policy"]["Statement"][-1]["Sid"] == f"{SID}3"


def test_the_statement_is_for_the_bucket_in_its_own_partition() -> None:
    arn = "arn:aws-cn:s3:::other"
    after = desired({"arn": arn, "policy": None})["policy"]
    assert after["Statement"][0]["Resource"] == [arn, f"{arn}/*"]


def padded(size: int) -> dict[str, Any]:
    """Return a state whose policy, with the statement added, has `size` bytes."""
    bare = desired(state(ALLOW, Id=""))["policy"]
    missing = size - len(json.dumps(bare, separators=(",", ":")))
    return state(ALLOW, Id="x" * missing)


def test_a_policy_may_grow_to_what_s3_takes() -> None:
    after = desired(padded(LIMIT))["policy"]
    assert len(json.dumps(after, separators=(",", ":"))) == LIMIT == 20_480


def test_a_policy_without_room_is_not_touched_and_the_caller_told() -> None:
    with pytest.raises(NotApplicable, match="20481 bytes, 20480 are allowed"):
        desired(padded(LIMIT + 1))


def test_size_is_counted_in_bytes() -> None:
    current = padded(LIMIT)
    current["policy"]["Id"] = "é" + current["policy"]["Id"][1:]
    with pytest.raises(NotApplicable):
        desired(current)


CHANGES: list[Any] = [*EQUIVALENT.values(), *NARROWER.values()]

statements = st.one_of(
    st.sampled_from(CHANGES).map(statement),
    st.just(ALLOW),
    st.sampled_from([SID, f"{SID}2"]).map(lambda sid: ALLOW | {"Sid": sid}),
)
policies = st.none() | st.builds(
    lambda found, more: {**more, "Statement": found},
    st.lists(statements, max_size=6) | statements,
    st.fixed_dictionaries({}, optional={"Version": st.just("2008-10-17"), "Id": st.text(max_size=5)}),
)


@unhurried
@given(policies)
def test_whatever_stands_in_the_policy_stays_and_once_is_enough(policy: dict[str, Any] | None) -> None:
    current = {"arn": ARN, "policy": policy}
    kept = copy.deepcopy(current)
    after = desired(current)
    assert current == kept
    assert desired(after) == after
    before = [] if policy is None else policy["Statement"]
    before = before if isinstance(before, list) else [before]
    now = after["policy"]["Statement"]
    now = now if isinstance(now, list) else [now]
    assert now[: len(before)] == before
    assert len(now) <= len(before) + 1
    assert {name: value for name, value in after["policy"].items() if name != "Statement"} == (
        {"Version": "2012-10-17"}
        if policy is None
        else {name: value for name, value in policy.items() if name != "Statement"}
    )


def broken(policy: dict[str, Any] | None) -> Case:
    return Case(FIX, Example(broken={"arn": ARN, "policy": policy}, fixed=None))


def test_other_statements_are_sent_as_they_came() -> None:
    policy = {"Version": "2012-10-17", "Id": "café", "Statement": [ALLOW]}
    with staged(broken(policy)) as trial:
        with trial.recording() as calls:
            trial.apply()
        ((_, sent),) = [call for call in calls.made if call[0] == "s3:PutBucketPolicy"]
        assert json.loads(sent["Policy"]) == policy | {"Statement": [ALLOW, DENY]}
        assert "café" in sent["Policy"]


def test_going_back_to_no_policy_deletes_it() -> None:
    with staged(broken(None)) as trial:
        change, _ = trial.apply()
        trial.job.roll_back(change, pauses=AT_ONCE)
        with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
            trial.job.client.get_bucket_policy(Bucket=trial.job.target["bucket"])


def test_going_back_never_deletes_a_policy_that_was_there() -> None:
    policy = {"Version": "2012-10-17", "Statement": [ALLOW]}
    with staged(broken(policy)) as trial:
        change, _ = trial.apply()
        with trial.recording() as calls:
            trial.job.roll_back(change, pauses=AT_ONCE)
        assert "s3:DeleteBucketPolicy" not in calls.operations
        found = trial.job.client.get_bucket_policy(Bucket=trial.job.target["bucket"])["Policy"]
        assert json.loads(found) == policy


def test_a_bucket_that_is_not_there_is_an_error_not_a_bucket_without_a_policy() -> None:
    with staged(broken(None)) as trial:
        trial.job.client.delete_bucket(Bucket=trial.job.target["bucket"])
        with pytest.raises(ClientError, match="NoSuchBucket"):
            trial.job.read()
