"""The probes that moto's own enforcement gets wrong in 14 of 31 cases: here all of them must be right."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.local.iam.iam_account import ACCOUNT, REGION, Account, Keys, allow, deny, document, refused, trust

TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/probed"


@pytest.fixture(scope="module", autouse=True)
def _resources(account: Account) -> None:
    account.client("dynamodb").create_table(
        TableName="probed",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for bucket in ("probed", "other"):
        account.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})


def tables(account: Account, keys: Keys) -> Any:
    return lambda: account.client("dynamodb", keys).list_tables()


def table(account: Account, keys: Keys) -> Any:
    return lambda: account.client("dynamodb", keys).describe_table(TableName="probed")


def test_what_an_identity_policy_allows_is_allowed(account: Account) -> None:
    tables(account, account.user(allow("dynamodb:ListTables")))()


def test_what_no_policy_allows_is_refused(account: Account) -> None:
    assert refused(table(account, account.user(allow("dynamodb:ListTables")))) == "AccessDeniedException"


def test_an_unknown_key_is_refused(account: Account) -> None:
    stranger = Keys("", "AKIAIOSFODNN7EXAMPLE", "secret")
    assert refused(tables(account, stranger)) == "UnrecognizedClientException"


def test_a_wrong_secret_is_refused(account: Account) -> None:
    user = account.user(allow("*"))
    assert refused(tables(account, Keys(user.arn, user.access_key, "wrong"))) == "InvalidSignatureException"


def test_an_explicit_deny_wins(account: Account) -> None:
    user = account.user(allow("dynamodb:*"), deny("dynamodb:DescribeTable"))
    assert refused(table(account, user)) == "AccessDeniedException"


def test_a_wildcard_action_is_allowed(account: Account) -> None:
    tables(account, account.user(allow("dynamodb:*"), deny("dynamodb:DescribeTable")))()


def test_a_statement_on_the_right_table_allows(account: Account) -> None:
    table(account, account.user(allow("dynamodb:DescribeTable", TABLE)))()


def test_a_statement_on_another_table_does_not(account: Account) -> None:
    user = account.user(allow("dynamodb:DescribeTable", TABLE + "-other"))
    assert refused(table(account, user)) == "AccessDeniedException"


def test_a_statement_on_the_right_bucket_allows(account: Account) -> None:
    user = account.user(allow("s3:ListBucket", "arn:aws:s3:::probed"))
    account.client("s3", user).list_objects_v2(Bucket="probed")


def test_a_statement_on_another_bucket_does_not(account: Account) -> None:
    s3 = account.client("s3", account.user(allow("s3:ListBucket", "arn:aws:s3:::probed")))
    assert refused(lambda: s3.list_objects_v2(Bucket="other")) == "AccessDenied"


def test_public_access_blocks_are_allowed_by_the_name_that_iam_gives_them(account: Account) -> None:
    s3 = account.client("s3", account.user(allow("s3:PutBucketPublicAccessBlock", "arn:aws:s3:::probed")))
    s3.put_public_access_block(Bucket="probed", PublicAccessBlockConfiguration={"BlockPublicAcls": True})


def test_an_allow_with_an_unmet_condition_does_not_allow(account: Account) -> None:
    elsewhere = {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}
    user = account.user(allow("dynamodb:ListTables", Condition=elsewhere))
    assert refused(tables(account, user)) == "AccessDeniedException"


def test_a_deny_with_an_unmet_condition_does_not_deny(account: Account) -> None:
    elsewhere = {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}
    tables(account, account.user(allow("dynamodb:ListTables"), deny("dynamodb:ListTables", Condition=elsewhere)))()


def test_a_users_boundary_limits(account: Account) -> None:
    user = account.user(allow("dynamodb:*"), boundary=document(allow("s3:*")))
    assert refused(tables(account, user)) == "AccessDeniedException"


def test_a_roles_boundary_limits(account: Account) -> None:
    caller = account.user()
    role = account.role(trust({"AWS": caller.arn}), allow("dynamodb:*"), boundary=document(allow("s3:*")))
    assert refused(tables(account, account.assume(caller, role))) == "AccessDeniedException"


def test_the_trusted_principal_may_assume(account: Account) -> None:
    caller = account.user(allow("sts:AssumeRole"))
    account.assume(caller, account.role(trust({"AWS": caller.arn})))


def test_another_principal_may_not_assume(account: Account) -> None:
    caller, trusted = account.user(allow("sts:AssumeRole")), account.user()
    role = account.role(trust({"AWS": trusted.arn}))
    assert refused(lambda: account.assume(caller, role)) == "AccessDenied"


def test_trust_in_the_account_lets_its_iam_decide(account: Account) -> None:
    role = account.role(trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}))
    account.assume(account.user(allow("sts:AssumeRole", role)), role)
    assert refused(lambda: account.assume(account.user(allow("s3:*")), role)) == "AccessDenied"


@pytest.mark.parametrize("given", [{"ExternalId": "wrong"}, {}], ids=["wrong", "missing"])
def test_a_wrong_or_missing_external_id_is_refused(account: Account, given: dict[str, str]) -> None:
    caller = account.user()
    role = account.role(trust({"AWS": caller.arn}, Condition={"StringEquals": {"sts:ExternalId": "right"}}))
    account.assume(caller, role, ExternalId="right")
    assert refused(lambda: account.assume(caller, role, **given)) == "AccessDenied"


def test_a_session_name_that_the_trust_does_not_like_is_refused(account: Account) -> None:
    caller = account.user()
    role = account.role(trust({"AWS": caller.arn}, Condition={"StringLike": {"sts:RoleSessionName": "good-*"}}))
    account.assume(caller, role, RoleSessionName="good-1")
    assert refused(lambda: account.assume(caller, role, RoleSessionName="bad")) == "AccessDenied"


def test_a_trust_that_only_denies_trusts_nobody(account: Account) -> None:
    caller = account.user(allow("sts:AssumeRole"))
    role = account.role(document({"Effect": "Deny", "Principal": {"AWS": caller.arn}, "Action": "sts:AssumeRole"}))
    assert refused(lambda: account.assume(caller, role)) == "AccessDenied"


def test_a_role_for_a_service_is_not_for_a_user(account: Account) -> None:
    caller = account.user(allow("sts:AssumeRole"))
    role = account.role(trust({"Service": "lambda.amazonaws.com"}))
    assert refused(lambda: account.assume(caller, role)) == "AccessDenied"


def test_a_role_that_does_not_exist_cannot_be_assumed(account: Account) -> None:
    caller = account.user(allow("sts:AssumeRole"))
    assert refused(lambda: account.assume(caller, f"arn:aws:iam::{ACCOUNT}:role/ghost")) == "AccessDenied"


def test_a_session_may_what_its_role_may_and_no_more(account: Account) -> None:
    keys = account.session(allow("dynamodb:ListTables"))
    tables(account, keys)()
    assert refused(table(account, keys)) == "AccessDeniedException"


def test_a_session_policy_narrows(account: Account) -> None:
    keys = account.session(allow("dynamodb:ListTables"), Policy=json.dumps(document(allow("s3:*"))))
    assert refused(tables(account, keys)) == "AccessDeniedException"


def test_a_bucket_policys_deny_with_an_unmet_condition_does_not_deny(account: Account) -> None:
    someone = {"StringEquals": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:user/someone"}}
    statement = deny("s3:PutObject", "arn:aws:s3:::probed/*", Principal="*", Condition=someone)
    account.client("s3").put_bucket_policy(Bucket="probed", Policy=json.dumps(document(statement)))
    user = account.user(allow("s3:PutObject", "arn:aws:s3:::probed/*"))
    account.client("s3", user).put_object(Bucket="probed", Key="key", Body=b"1")


def decisions(reply: Any) -> list[str]:
    return [result["EvalDecision"] for result in reply["EvaluationResults"]]


def test_a_principals_policies_can_be_simulated(account: Account) -> None:
    user = account.user(allow("s3:*", "arn:aws:s3:::probed"), deny("s3:DeleteBucket"))
    reply = account.client("iam").simulate_principal_policy(
        PolicySourceArn=user.arn,
        ActionNames=["s3:ListBucket", "s3:DeleteBucket", "s3:ListAllMyBuckets"],
        ResourceArns=["arn:aws:s3:::probed"],
    )
    assert decisions(reply) == ["allowed", "explicitDeny", "allowed"]
    elsewhere = account.client("iam").simulate_principal_policy(PolicySourceArn=user.arn, ActionNames=["s3:ListBucket"])
    assert decisions(elsewhere) == ["implicitDeny"]


def test_a_given_policy_can_be_simulated_with_its_context(account: Account) -> None:
    policy = json.dumps(document(allow("s3:ListBucket", Condition={"StringEquals": {"aws:RequestedRegion": REGION}})))
    region = {"ContextKeyName": "aws:RequestedRegion", "ContextKeyType": "string"}
    outcomes = [
        decisions(
            account.client("iam").simulate_custom_policy(
                PolicyInputList=[policy],
                ActionNames=["s3:ListBucket"],
                ContextEntries=[{**region, "ContextKeyValues": [value]}],
            )
        )
        for value in (REGION, "us-east-1")
    ]
    assert outcomes == [["allowed"], ["implicitDeny"]]


def test_a_users_boundary_can_be_taken_away_and_put_back(account: Account) -> None:
    iam, user = account.client("iam"), account.user(allow("dynamodb:*"), boundary=document(allow("s3:*")))
    name = user.arn.rpartition("/")[2]
    boundary = iam.get_user(UserName=name)["User"]["PermissionsBoundary"]["PermissionsBoundaryArn"]
    iam.delete_user_permissions_boundary(UserName=name)
    tables(account, user)()
    iam.put_user_permissions_boundary(UserName=name, PermissionsBoundary=boundary)
    assert refused(tables(account, user)) == "AccessDeniedException"
