from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from remediator.catalogue.aws.s3.remove_public_statements import KEPT, PUBLIC, RemovePublicStatements, allow_read
from remediator.catalogue.spec import Example, NoParameters
from tests.laws.trials import AT_ONCE, Case, staged

FIX = RemovePublicStatements()
POINT = "arn:aws:s3:us-west-2:123456789012:accesspoint/"


def desired(*statements: Any, **more: Any) -> Any:
    return FIX.desired({"Version": "2012-10-17", **more, "Statement": [*statements]}, NoParameters())


def left(key: str, value: str, operator: str = "StringLike") -> bool:
    return desired(allow_read("Some", "*", Condition={operator: {key: value}})) is not None


@pytest.mark.parametrize(
    ("value", "private"),
    [
        (f"{POINT}reports", True),
        (f"{POINT}*", True),
        ("arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap", True),
        ("arn:aws-us-gov:s3:us-gov-west-1:123456789012:accesspoint/*", True),
        ("arn:aws:s3:*:123456789012:accesspoint/*", False),
        ("arn:aws:s3:us-west-2:*:accesspoint/reports", False),
        ("arn:aws:s3:us-west-2:12345678901?:accesspoint/reports", False),
        ("arn:aws:s3:us-west-2:123456789012:*", False),
        ("*", False),
    ],
)
def test_an_access_point_may_have_any_name_in_a_fixed_account(value: str, *, private: bool) -> None:
    assert left("s3:DataAccessPointArn", value) is private


@pytest.mark.parametrize(
    ("key", "value", "private"),
    [
        ("s3:DataAccessPointAccount", "123456789012", True),
        ("s3:DataAccessPointAccount", "*", False),
        ("s3:x-amz-server-side-encryption-aws-kms-key-id", "arn:aws:kms:eu-west-1:123456789012:key/1", True),
        ("s3:x-amz-server-side-encryption-aws-kms-key-id", "arn:aws:kms:*:123456789012:key/*", False),
        ("s3:x-amz-server-side-encryption", "aws:kms", False),
        ("s3:prefix", "public/", False),
        ("aws:SourceVpc", "vpc-91237329", True),
        ("aws:SourceArn", "arn:aws:cloudfront::123456789012:distribution/*", False),
    ],
)
def test_the_keys_that_s3_takes_for_narrowing_are_its_own_and_aws(key: str, value: str, *, private: bool) -> None:
    assert left(key, value) is private


def test_a_policy_without_everybody_is_the_same_policy() -> None:
    kept = {"Version": "2012-10-17", "Statement": KEPT[0]}
    assert FIX.desired(kept, NoParameters()) is kept
    assert FIX.desired(None, NoParameters()) is None


def test_a_single_statement_counts_without_a_list() -> None:
    assert FIX.desired({"Version": "2012-10-17", "Statement": PUBLIC}, NoParameters()) is None


def test_what_stands_around_the_statements_stays() -> None:
    assert desired(PUBLIC, KEPT[0], Id="mine") == {"Version": "2012-10-17", "Id": "mine", "Statement": [KEPT[0]]}


def test_denials_alone_are_a_policy_too() -> None:
    assert desired(PUBLIC, KEPT[-1])["Statement"] == [KEPT[-1]]


def broken(*statements: Any) -> Case:
    return Case(FIX, Example(broken={"Version": "2012-10-17", "Statement": [*statements]}, fixed=None))


def test_a_policy_that_was_nothing_but_public_is_deleted_and_comes_back() -> None:
    with staged(broken(PUBLIC)) as trial:
        change, _ = trial.apply()
        bucket = trial.job.target["bucket"]
        with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
            trial.job.client.get_bucket_policy(Bucket=bucket)
        trial.job.roll_back(change, pauses=AT_ONCE)
        assert json.loads(trial.job.client.get_bucket_policy(Bucket=bucket)["Policy"]) == change.before


def test_a_policy_with_something_left_is_never_deleted() -> None:
    with staged(broken(PUBLIC, KEPT[0])) as trial:
        with trial.recording() as calls:
            trial.apply()
        ((_, sent),) = [call for call in calls.made if call[0] != "s3:GetBucketPolicy"]
        assert json.loads(sent["Policy"])["Statement"] == [KEPT[0]]


def test_a_rollback_that_s3_refuses_for_being_public_is_a_failure_and_says_so() -> None:
    with staged(broken(PUBLIC)) as trial:
        change, _ = trial.apply()
        trial.job.client.meta.events.register_first("before-call.s3.PutBucketPolicy", _refuse)
        try:
            with pytest.raises(ClientError, match="BlockPublicPolicy"):
                trial.job.roll_back(change, pauses=AT_ONCE)
        finally:
            trial.job.client.meta.events.unregister("before-call.s3.PutBucketPolicy", _refuse)
        assert trial.job.read() is None


def _refuse(**_: Any) -> None:
    details = {"Error": {"Code": "AccessDenied", "Message": "public policies are blocked by BlockPublicPolicy"}}
    raise ClientError(details, "PutBucketPolicy")  # type: ignore[arg-type]  # as much of an answer as is looked at


def test_a_bucket_that_is_not_there_is_an_error_not_a_bucket_without_a_policy() -> None:
    with staged(broken(PUBLIC)) as trial:
        trial.job.client.delete_bucket(Bucket=trial.job.target["bucket"])
        with pytest.raises(ClientError, match="NoSuchBucket"):
            trial.job.read()
