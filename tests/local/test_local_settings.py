"""What moto forgets of settings, and the embedded account keeps."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from remediator.local import mess_parts
from remediator.local.emulator import bucket_settings, lambda_policies
from remediator.local.emulator.hooks import Hooks

if TYPE_CHECKING:
    from collections.abc import Iterator

INVOKE = {"Action": "lambda:InvokeFunction", "Principal": "*"}


@pytest.fixture
def session() -> Iterator[Any]:
    hooks = Hooks()
    lambda_policies.install(hooks)
    bucket_settings.install(hooks)
    with mock_aws():
        yield boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1")
    hooks.remove()


@pytest.fixture
def functions(session: Any) -> Any:
    client = session.client("lambda")
    mess_parts.function(client, "f", mess_parts.role(session.client("iam"), "r"), {"s": INVOKE})
    client.create_alias(FunctionName="f", Name="live", FunctionVersion="$LATEST")
    client.publish_version(FunctionName="f")
    return client


def statements(client: Any, **named: Any) -> list[tuple[str, str]]:
    try:
        policy = json.loads(client.get_policy(FunctionName="f", **named)["Policy"])
    except client.exceptions.ResourceNotFoundException as error:
        if error.response["Error"]["Message"] != "The resource you requested does not exist.":
            raise
        return []
    return [(one["Sid"], one["Resource"].partition(":function:")[2]) for one in policy["Statement"]]


@pytest.mark.parametrize("qualifier", ["live", "1"])
def test_versions_and_aliases_have_policies_of_their_own(functions: Any, qualifier: str) -> None:
    assert statements(functions, Qualifier=qualifier) == []
    functions.add_permission(FunctionName="f", Qualifier=qualifier, StatementId="s", **INVOKE)
    assert statements(functions) == [("s", "f")]
    assert statements(functions, Qualifier=qualifier) == [("s", f"f:{qualifier}")]
    with pytest.raises(functions.exceptions.ResourceConflictException):
        functions.add_permission(FunctionName="f", Qualifier=qualifier, StatementId="s", **INVOKE)
    functions.remove_permission(FunctionName="f", Qualifier=qualifier, StatementId="s")
    assert (statements(functions), statements(functions, Qualifier=qualifier)) == ([("s", "f")], [])


def test_a_function_may_be_named_by_an_arn_with_its_alias(functions: Any) -> None:
    arn = functions.get_function(FunctionName="f")["Configuration"]["FunctionArn"]
    functions.add_permission(FunctionName=f"{arn}:live", StatementId="t", **INVOKE)
    assert statements(functions, Qualifier="live") == [("t", "f:live")]
    functions.remove_permission(FunctionName="f:live", StatementId="t")
    assert statements(functions, Qualifier="live") == []


def test_a_policy_is_changed_only_at_the_revision_that_is_named(functions: Any) -> None:
    revision = functions.get_policy(FunctionName="f")["RevisionId"]
    functions.add_permission(FunctionName="f", StatementId="t", RevisionId=revision, **INVOKE)
    assert functions.get_policy(FunctionName="f")["RevisionId"] != revision
    with pytest.raises(functions.exceptions.PreconditionFailedException):
        functions.add_permission(FunctionName="f", StatementId="u", RevisionId=revision, **INVOKE)
    with pytest.raises(functions.exceptions.PreconditionFailedException):
        functions.remove_permission(FunctionName="f", StatementId="t", RevisionId=revision)
    assert [sid for sid, _ in statements(functions)] == ["s", "t"]
    now = functions.get_policy(FunctionName="f")["RevisionId"]
    functions.remove_permission(FunctionName="f", StatementId="t", RevisionId=now)
    assert functions.get_policy(FunctionName="f")["RevisionId"] != now


def test_what_is_not_there_can_not_be_removed(functions: Any) -> None:
    for named in (
        {"StatementId": "t"},
        {"StatementId": "s", "Qualifier": "live"},
        {"StatementId": "s", "Qualifier": "x"},
    ):
        with pytest.raises(functions.exceptions.ResourceNotFoundException):
            functions.remove_permission(FunctionName="f", **named)
    assert statements(functions) == [("s", "f")]


@pytest.mark.parametrize("kinds", [["SSE-C"], ["NONE"], None])
def test_a_bucket_shows_what_encryption_it_refuses(session: Any, kinds: list[str] | None) -> None:
    s3 = session.client("s3")
    s3.create_bucket(Bucket="reports")
    with pytest.raises(ClientError, match="ServerSideEncryptionConfigurationNotFoundError"):
        s3.get_bucket_encryption(Bucket="reports")
    rule: dict[str, Any] = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}
    if kinds:
        rule["BlockedEncryptionTypes"] = {"EncryptionType": kinds}
    s3.put_bucket_encryption(Bucket="reports", ServerSideEncryptionConfiguration={"Rules": [rule]})
    assert s3.get_bucket_encryption(Bucket="reports")["ServerSideEncryptionConfiguration"]["Rules"] == [rule]
