"""What the vendor's reader and the customer's operators may do, and how they get in."""

from __future__ import annotations

import json

import pytest
from moto.iam.aws_managed_policies import aws_managed_policies_data

from remediator.local.iam.evaluator import Policies, Request, evaluate
from remediator.local.iam.matching import action_matches
from remediator.local.iam.policy import Policy
from remediator.local.iam.principal import Principal
from remediator.operator.aws.freeze import POLICY
from tests.infra.deployed import (
    ACCOUNT,
    EXTERNAL_ID,
    FORMER_RECEIPTS,
    KEY,
    OPERATOR,
    RECEIPTS,
    REMEDIATE,
    ROTATE,
    SECRETS,
    STATE,
    VENDOR,
    Deployed,
    arn,
    role_arn,
)

pytestmark = pytest.mark.xdist_group("synth")

CALLERS = ("remediator-reader", "remediator-operator")
VIA_SECRETS = {"kms__ViaService": "secretsmanager.eu-west-1.amazonaws.com"}
VIA_TABLES = {"kms__ViaService": "dynamodb.eu-west-1.amazonaws.com"}
BY_URL = {"lambda__InvokedViaFunctionUrl": "true", "lambda__FunctionUrlAuthType": "AWS_IAM"}


def test_the_reader_is_the_vendors_principal_with_the_external_id(deployed: Deployed) -> None:
    assert deployed.roles["remediator-reader"]["AssumeRolePolicyDocument"]["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"AWS": VENDOR},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
        }
    ]


def test_the_operator_is_the_principal_that_the_customer_named(deployed: Deployed) -> None:
    assert deployed.roles["remediator-operator"]["AssumeRolePolicyDocument"]["Statement"] == [
        {"Effect": "Allow", "Principal": {"AWS": OPERATOR}, "Action": "sts:AssumeRole"}
    ]


def test_the_reader_has_the_security_audit_and_no_other_managed_policy(deployed: Deployed) -> None:
    assert deployed.roles["remediator-reader"]["ManagedPolicyArns"] == ["arn:aws:iam::aws:policy/SecurityAudit"]
    assert "ManagedPolicyArns" not in deployed.roles["remediator-operator"]


def test_what_the_security_audit_reads_of_ours_holds_no_secret_no_decryption_and_no_item() -> None:
    """Pin the managed policy: a version of it that allows one of these needs a decision, not just an update."""
    document = json.loads(aws_managed_policies_data)["SecurityAudit"]["Document"]
    allowed = tuple(action for one in document["Statement"] for action in one["Action"])
    never = (
        "dynamodb:BatchGetItem",
        "dynamodb:GetItem",
        "dynamodb:GetRecords",
        "dynamodb:PartiQLSelect",
        "dynamodb:Query",
        "dynamodb:Scan",
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "kms:ReEncryptFrom",
        "lambda:InvokeFunction",
        "lambda:InvokeFunctionUrl",
        "logs:FilterLogEvents",
        "logs:GetLogEvents",
        "s3:GetObject",
        "secretsmanager:BatchGetSecretValue",
        "secretsmanager:GetSecretValue",
        "secretsmanager:PutSecretValue",
        "sqs:ReceiveMessage",
        "sts:AssumeRole",
    )
    assert [action for action in never if action_matches(allowed, action)] == []
    assert action_matches(allowed, "iam:GetRole"), "the threat model says that the reader sees gate values"


@pytest.mark.parametrize("role", CALLERS)
@pytest.mark.parametrize("secret", SECRETS)
def test_callers_read_every_seed_record(deployed: Deployed, role: str, secret: str) -> None:
    assert deployed.asks(role, "secretsmanager:GetSecretValue", secret).allowed
    assert deployed.asks(role, "kms:Decrypt", KEY, **VIA_SECRETS).allowed


@pytest.mark.parametrize("role", CALLERS)
def test_callers_read_no_other_secret_and_write_none(deployed: Deployed, role: str) -> None:
    other = arn("secretsmanager", "secret:payroll-AbCdEf")
    assert not deployed.asks(role, "secretsmanager:GetSecretValue", other).allowed
    assert not deployed.asks(role, "secretsmanager:PutSecretValue", SECRETS[0]).allowed


@pytest.mark.parametrize("role", CALLERS)
def test_callers_call_the_endpoint_signed(deployed: Deployed, role: str) -> None:
    assert deployed.asks(role, "lambda:InvokeFunctionUrl", REMEDIATE, **BY_URL).allowed
    assert deployed.asks(role, "lambda:InvokeFunction", REMEDIATE, **BY_URL).allowed


@pytest.mark.parametrize("role", CALLERS)
def test_callers_do_not_invoke_the_remediator_past_its_url(deployed: Deployed, role: str) -> None:
    assert not deployed.asks(role, "lambda:InvokeFunction", REMEDIATE).allowed
    past = {"lambda__InvokedViaFunctionUrl": "false"}
    assert not deployed.asks(role, "lambda:InvokeFunction", REMEDIATE, **past).allowed
    unsigned = {"lambda__FunctionUrlAuthType": "NONE"}
    assert not deployed.asks(role, "lambda:InvokeFunctionUrl", REMEDIATE, **unsigned).allowed


FORMER_KEY = arn("kms", "key/a-former-deployments")
OF_RECEIPTS = {"kms__EncryptionContext:aws:dynamodb:tableName": "remediator-receipts-of-a-former-deployment"}


def test_the_operator_reads_what_former_deployments_left_and_the_key_opens_nothing_else(deployed: Deployed) -> None:
    for action in ("dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"):
        assert deployed.asks("remediator-operator", action, FORMER_RECEIPTS).allowed
    assert not deployed.asks("remediator-operator", "dynamodb:PutItem", FORMER_RECEIPTS).allowed
    assert not deployed.asks("remediator-operator", "dynamodb:GetItem", arn("dynamodb", "table/payroll")).allowed
    of_others = {"kms__EncryptionContext:aws:dynamodb:tableName": "payroll"}
    for context, allowed in (
        (VIA_TABLES | OF_RECEIPTS, True),
        (VIA_TABLES, False),
        (OF_RECEIPTS, False),
        (VIA_TABLES | of_others, False),
    ):
        assert deployed.asks("remediator-operator", "kms:Decrypt", FORMER_KEY, **context).allowed is allowed


@pytest.mark.parametrize("table", [STATE, RECEIPTS, FORMER_RECEIPTS, f"{STATE}/stream/2026", f"{RECEIPTS}/index/any"])
@pytest.mark.parametrize("action", ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:GetRecords"])
def test_the_reader_is_denied_every_item_whatever_else_may_allow_it(
    deployed: Deployed, table: str, action: str
) -> None:
    assert deployed.asks("remediator-reader", action, table).explicit


def test_the_reader_decrypts_seed_records_and_nothing_else(deployed: Deployed) -> None:
    assert deployed.asks("remediator-reader", "kms:Decrypt", KEY, **VIA_TABLES).explicit
    assert deployed.asks("remediator-reader", "kms:Decrypt", KEY).explicit


def test_the_reader_neither_rotates_nor_assumes(deployed: Deployed) -> None:
    assert not deployed.asks("remediator-reader", "lambda:InvokeFunction", ROTATE).allowed
    assert not deployed.asks("remediator-reader", "sts:AssumeRole", role_arn("remediator-write")).allowed


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("dynamodb:GetItem", STATE),
        ("dynamodb:Query", RECEIPTS),
        ("dynamodb:Scan", RECEIPTS),
        ("cloudformation:DescribeStacks", arn("cloudformation", "stack/Remediator/any")),
        ("iam:GetRole", role_arn("remediator-write")),
        ("cloudwatch:DescribeAlarms", arn("cloudwatch", "alarm:*")),
        ("lambda:InvokeFunction", ROTATE),
    ],
)
def test_the_operator_looks_and_rotates(deployed: Deployed, action: str, resource: str) -> None:
    assert deployed.asks("remediator-operator", action, resource).allowed


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("dynamodb:PutItem", STATE),
        ("dynamodb:UpdateItem", STATE),
        ("dynamodb:TransactWriteItems", STATE),
        ("dynamodb:DeleteItem", RECEIPTS),
        ("iam:UpdateAssumeRolePolicy", role_arn("remediator-write")),
        ("iam:PutRolePolicy", role_arn("remediator-write")),
        ("lambda:UpdateFunctionCode", REMEDIATE),
        ("sts:AssumeRole", role_arn("remediator-write")),
        ("kms:CreateGrant", KEY),
    ],
)
def test_the_operator_changes_nothing_by_hand(deployed: Deployed, action: str, resource: str) -> None:
    assert not deployed.asks("remediator-operator", action, resource, **VIA_TABLES).allowed


def test_the_operator_encrypts_with_the_key_through_dynamodb_alone(deployed: Deployed) -> None:
    assert deployed.asks("remediator-operator", "kms:GenerateDataKey", KEY, **VIA_TABLES).allowed
    assert not deployed.asks("remediator-operator", "kms:GenerateDataKey", KEY, **VIA_SECRETS).allowed
    assert not deployed.asks("remediator-operator", "kms:Encrypt", KEY).allowed


BOUNDED = {"iam__PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/remediator-write-boundary"}
WRITE_ROLE = role_arn("remediator-write")


def test_the_operator_sets_the_state_and_writes_no_other_item_of_the_table(deployed: Deployed) -> None:
    for key, allowed in (("control", True), ("window/1", False), ("lease", False), ("cap/x", False)):
        asked = deployed.asks("remediator-operator", "dynamodb:UpdateItem", STATE, dynamodb__LeadingKeys=[key])
        assert asked.allowed is allowed, key
    both = deployed.asks(
        "remediator-operator", "dynamodb:UpdateItem", STATE, dynamodb__LeadingKeys=["control", "window/1"]
    )
    assert not both.allowed
    assert not deployed.asks(
        "remediator-operator", "dynamodb:UpdateItem", RECEIPTS, dynamodb__LeadingKeys=["control"]
    ).allowed


def test_the_operator_puts_a_policy_into_the_write_role_while_it_is_bounded_and_into_no_other(
    deployed: Deployed,
) -> None:
    def puts(role: str, **context: str) -> bool:
        return deployed.asks("remediator-operator", "iam:PutRolePolicy", role_arn(role), **context).allowed

    assert puts("remediator-write", **BOUNDED)
    assert not puts("remediator-write")
    assert not puts("remediator-write", iam__PermissionsBoundary=f"arn:aws:iam::{ACCOUNT}:policy/another")
    for role in (*deployed.roles, "Admin"):
        assert puts(role, **BOUNDED) is (role == "remediator-write")


@pytest.mark.parametrize(
    "action",
    [
        "iam:UpdateAssumeRolePolicy",
        "iam:DeleteRolePolicy",
        "iam:AttachRolePolicy",
        "iam:DetachRolePolicy",
        "iam:PutRolePermissionsBoundary",
        "iam:DeleteRolePermissionsBoundary",
        "iam:PassRole",
        "sts:AssumeRole",
    ],
)
def test_the_operator_opens_nothing_with_the_write_role(deployed: Deployed, action: str) -> None:
    assert not deployed.asks("remediator-operator", action, WRITE_ROLE, **BOUNDED).allowed


def test_what_an_operator_puts_into_the_write_role_lifts_nothing_above_its_boundary(deployed: Deployed) -> None:
    everything = Policy.parse(
        "frozen", {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    )
    boundary = Policy.parse("boundary", deployed.managed(f"arn:aws:iam::{ACCOUNT}:policy/remediator-write-boundary"))
    principal = Principal(WRITE_ROLE, f"{WRITE_ROLE}/s", ACCOUNT, "AROAwrite:s", "ASIA", None)
    for action, resource in (
        ("iam:CreateUser", f"arn:aws:iam::{ACCOUNT}:user/me"),
        ("iam:UpdateAssumeRolePolicy", WRITE_ROLE),
        ("sts:AssumeRole", role_arn("Admin")),
        ("s3:GetObject", "arn:aws:s3:::payroll/june"),
        ("dynamodb:PutItem", RECEIPTS),
        ("secretsmanager:GetSecretValue", SECRETS[0]),
    ):
        request = Request(principal, action, resource, ACCOUNT, {"aws:RequestedRegion": "eu-west-1"})
        assert not evaluate(request, Policies(identity=[everything], boundary=boundary)).allowed, action


def test_the_template_knows_nothing_of_the_deny_so_that_no_deployment_takes_it_away(deployed: Deployed) -> None:
    assert POLICY not in [one["PolicyName"] for one in deployed.roles["remediator-write"]["Policies"]]


def test_the_endpoint_lets_the_two_callers_through_and_nobody_else(deployed: Deployed) -> None:
    grants = sorted(
        (one["Principal"], one["Action"], one.get("FunctionUrlAuthType"), one.get("InvokedViaFunctionUrl"))
        for one in deployed.of_type("AWS::Lambda::Permission").values()
        if one["FunctionName"] == "remediator-remediate"
    )
    assert grants == sorted(
        grant
        for role in CALLERS
        for grant in (
            (role_arn(role), "lambda:InvokeFunctionUrl", "AWS_IAM", None),
            (role_arn(role), "lambda:InvokeFunction", None, True),
        )
    )


def test_nobody_is_granted_a_plain_invoke_of_the_remediator(deployed: Deployed) -> None:
    for permission in deployed.of_type("AWS::Lambda::Permission").values():
        if permission["FunctionName"] != "remediator-remediate":
            continue
        assert permission["Action"] != "lambda:InvokeFunction" or permission["InvokedViaFunctionUrl"] is True
    for role in deployed.roles:
        assert not deployed.asks(role, "lambda:InvokeFunction", REMEDIATE).allowed, role
