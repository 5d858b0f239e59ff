"""The role behind the gate: closed as deployed, and no wider than the enabled fixes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from aws_cdk import aws_iam as iam

from infra.aws.policy_sizes import PolicyTooLong, policy_lengths, require_policies_fit
from infra.aws.trust_size import PARTITIONS, TRUST_POLICY_LIMIT, TrustPolicyTooLong, require_trust_fits, trust_length
from remediator.catalogue.policies import FORBIDDEN_ACTIONS, READ_TAGS
from remediator.catalogue.registry import all_fixes
from remediator.local.iam.evaluator import Policies, Request, evaluate
from remediator.local.iam.policy import Policy
from remediator.local.iam.principal import Principal
from tests.infra.deployed import (
    ACCOUNT,
    DEAD_LETTERS,
    KEY,
    OPERATOR,
    RECEIPTS,
    REMEDIATE,
    SECRETS,
    STATE,
    VENDOR,
    Deployed,
    arn,
    role_arn,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_cdk import App, Stack

pytestmark = pytest.mark.xdist_group("synth")

WRITE = "remediator-write"
BUCKET = "arn:aws:s3:::customers-bucket"
HERE = {"aws__RequestedRegion": "eu-west-1", "aws__ResourceAccount": ACCOUNT}
OWN = [
    STATE,
    RECEIPTS,
    KEY,
    REMEDIATE,
    DEAD_LETTERS,
    *SECRETS,
    role_arn("remediator"),
    role_arn(WRITE),
    role_arn("remediator-rotator"),
    f"arn:aws:iam::{ACCOUNT}:policy/remediator-write-boundary",
    arn("sns", "remediator-alarms"),
    arn("kms", "alias/remediator"),
    arn("scheduler", "schedule/default/remediator-rotate"),
    arn("logs", "log-group:/aws/lambda/remediator-rotate:log-stream:any"),
    arn("logs", "log-group:/aws/lambda/remediator-remediate"),
    arn("cloudwatch", "alarm:remediator-wrong-code"),
    arn("cloudformation", "stack/Remediator/any"),
    f"arn:aws:s3:::cdk-hnb659fds-assets-{ACCOUNT}-eu-west-1",
    f"arn:aws:s3:::cdk-hnb659fds-assets-{ACCOUNT}-eu-west-1/code.zip",
    VENDOR,
    OPERATOR,
]


def test_the_gate_is_deployed_closed(deployed: Deployed) -> None:
    trust = deployed.roles[WRITE]["AssumeRolePolicyDocument"]
    (statement,) = trust["Statement"]
    assert statement["Principal"] == {"AWS": role_arn("remediator")}
    assert statement["Condition"]["DateLessThan"] == {"aws:CurrentTime": "2000-01-01T00:00:01Z"}
    value = statement["Condition"]["StringEquals"]["sts:ExternalId"]
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/remediator/any"
    caller = Principal(role_arn("remediator"), session, ACCOUNT, "AROAremediator:any", "ASIA", None)
    knock = Request(
        caller,
        "sts:AssumeRole",
        role_arn(WRITE),
        ACCOUNT,
        {"aws:CurrentTime": "2026-11-23T12:00:00Z", "sts:ExternalId": value},
    )
    identity = [Policy.parse("work", {"Version": "2012-10-17", "Statement": deployed.statements("remediator")})]
    assert not evaluate(knock, Policies(identity=identity, resource=Policy.parse("trust", trust))).allowed


def test_every_enabled_fix_is_granted_what_it_declares_and_nothing_more(deployed: Deployed) -> None:
    grants = [grant for fix in all_fixes("aws") for grant in (*fix.reads, *fix.writes)]
    declared = {action for grant in (*grants, *READ_TAGS) for action in grant.actions}
    granted = {
        action
        for name in deployed.roles[WRITE]["ManagedPolicyArns"]
        for statement in deployed.managed(name)["Statement"]
        for action in statement["Action"]
    }
    assert granted == declared
    boundary = deployed.managed(deployed.roles[WRITE]["PermissionsBoundary"])
    bounded = {action for one in boundary["Statement"] if one["Effect"] == "Allow" for action in one["Action"]}
    assert bounded == declared


def test_a_fix_that_is_not_enabled_is_neither_granted_nor_within_the_boundary(
    deployed_with: Callable[..., Deployed],
) -> None:
    narrow = deployed_with(fixes="aws.s3.block-public-access")
    assert narrow.asks(WRITE, "s3:PutBucketPublicAccessBlock", BUCKET, **HERE).allowed
    for action in ("s3:PutBucketPolicy", "ec2:AuthorizeSecurityGroupIngress", "iam:UpdateAccountPasswordPolicy"):
        assert not narrow.asks(WRITE, action, "*", **HERE).allowed
        assert f'"{action}"' not in str(narrow.of_type("AWS::IAM::ManagedPolicy")).replace("'", '"')
    environment = narrow.one("AWS::Lambda::Function", FunctionName="remediator-remediate")["Environment"]["Variables"]
    assert environment["FIXES"] == "aws.s3.block-public-access"


@pytest.mark.parametrize("region", ["eu-central-1", "us-east-1"])
def test_regional_settings_are_repaired_in_the_chosen_regions_alone(
    deployed_with: Callable[..., Deployed], region: str
) -> None:
    chosen = deployed_with(regions="eu-central-1,eu-west-3")
    asked = chosen.asks(
        WRITE, "s3:PutBucketPublicAccessBlock", BUCKET, aws__RequestedRegion=region, aws__ResourceAccount=ACCOUNT
    )
    assert asked.allowed is (region == "eu-central-1")


def test_the_chosen_regions_default_to_the_stacks(deployed: Deployed) -> None:
    assert deployed.asks(WRITE, "s3:PutBucketPublicAccessBlock", BUCKET, **HERE).allowed
    elsewhere = HERE | {"aws__RequestedRegion": "eu-west-2"}
    assert not deployed.asks(WRITE, "s3:PutBucketPublicAccessBlock", BUCKET, **elsewhere).allowed


@pytest.mark.parametrize("resource", OWN)
def test_no_action_on_the_deployment_itself_passes_the_write_role(deployed: Deployed, resource: str) -> None:
    service = resource.split(":")[2]
    for action in (f"{service}:Any", "s3:PutBucketPolicy", "kms:EnableKeyRotation", "kms:GetKeyRotationStatus"):
        assert deployed.asks(WRITE, action, resource, **HERE).explicit


@pytest.mark.parametrize("action", [*FORBIDDEN_ACTIONS, "sts:AssumeRole"])
def test_the_write_role_never_sees_later_gate_values_nor_goes_on_to_another_role(
    deployed: Deployed, action: str
) -> None:
    assert deployed.asks(WRITE, action.replace("*", "Some"), "*", **HERE).explicit
    assert deployed.asks(WRITE, action.replace("*", "Some"), role_arn("administrator"), **HERE).explicit


def test_boundary_and_inline_policy_deny_the_same(deployed: Deployed) -> None:
    boundary = deployed.managed(deployed.roles[WRITE]["PermissionsBoundary"])
    denied = [one for one in boundary["Statement"] if one["Effect"] == "Deny"]
    assert denied == deployed.statements(WRITE)


def test_the_function_knows_the_same_own_resources_as_the_write_role_denies(deployed: Deployed) -> None:
    environment = deployed.one("AWS::Lambda::Function", FunctionName="remediator-remediate")["Environment"]["Variables"]
    (denied,) = [one["Resource"] for one in deployed.statements(WRITE) if one["Action"] == "*"]
    assert sorted(json.loads(environment["OWN_RESOURCES"])) == sorted(denied)


def test_everything_with_a_name_in_the_stack_is_one_of_its_own_resources(deployed: Deployed) -> None:
    named = {
        "AWS::DynamoDB::Table": ("dynamodb", "table/{TableName}"),
        "AWS::Lambda::Function": ("lambda", "function:{FunctionName}"),
        "AWS::SecretsManager::Secret": ("secretsmanager", "secret:{Name}-AbCdEf"),
        "AWS::SQS::Queue": ("sqs", "{QueueName}"),
        "AWS::SNS::Topic": ("sns", "{TopicName}"),
        "AWS::Scheduler::Schedule": ("scheduler", "schedule/default/{Name}"),
        "AWS::Logs::LogGroup": ("logs", "log-group:{LogGroupName}"),
        "AWS::CloudWatch::Alarm": ("cloudwatch", "alarm:{AlarmName}"),
        "AWS::KMS::Alias": ("kms", "{AliasName}"),
        "AWS::Events::Rule": ("events", "rule/{Name}"),
    }
    unnamed = {
        "AWS::KMS::Key",
        "AWS::Lambda::EventInvokeConfig",
        "AWS::Lambda::Permission",
        "AWS::Lambda::Url",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
    }
    everywhere = {
        "AWS::IAM::Role": "iam::{account}:role/{RoleName}",
        "AWS::IAM::ManagedPolicy": "iam::{account}:policy/{ManagedPolicyName}",
        "AWS::CloudWatch::Dashboard": "cloudwatch::{account}:dashboard/{DashboardName}",
    }
    for kind in {resource["Type"] for resource in deployed.template["Resources"].values()} - unnamed:
        for properties in deployed.of_type(kind).values():
            if kind in everywhere:
                name = f"arn:aws:{everywhere[kind].format(account=ACCOUNT, **properties)}"
            else:
                service, form = named[kind]
                name = arn(service, form.format(**properties))
            assert deployed.asks(WRITE, "any:Action", name).explicit, name


def test_five_windows_fit_into_the_trust_policy_in_every_partition() -> None:
    lengths = {partition: trust_length("remediator", partition) for partition in PARTITIONS}
    assert lengths["aws"] == 1783, "protocol.md says so"
    assert max(lengths.values()) <= TRUST_POLICY_LIMIT


def test_a_role_name_that_leaves_no_room_for_five_windows_is_refused_with_the_numbers() -> None:
    room = (TRUST_POLICY_LIMIT - trust_length("", "aws-us-gov")) // 5
    require_trust_fits("r" * room)
    with pytest.raises(TrustPolicyTooLong, match=r"5 windows take 20[0-9]{2} of 2048 characters.*use a shorter name"):
        require_trust_fits("r" * (room + 1))


@pytest.fixture
def stack(app_with: Callable[..., App]) -> Stack:
    found: Stack = app_with().node.find_child("Remediator")  # type: ignore[assignment]  # the app's only stack
    return found


def test_all_policies_fit_and_are_all_measured(stack: Stack, deployed: Deployed) -> None:
    lengths = {name: (length, limit) for name, length, limit in policy_lengths(stack)}
    assert len(lengths) == len(deployed.roles) + len(deployed.of_type("AWS::IAM::ManagedPolicy"))
    assert all(0 < length < limit for length, limit in lengths.values())


def test_a_policy_is_measured_no_shorter_than_it_will_be(stack: Stack, deployed: Deployed) -> None:
    lengths = {name: length for name, length, _ in policy_lengths(stack)}
    logical = {"Reader": "remediator-reader", "Rotator": "remediator-rotator", "RemediatorRole": "remediator"}
    for construct, role in logical.items():
        real = sum(
            len(json.dumps(one["PolicyDocument"], separators=(",", ":"))) for one in deployed.roles[role]["Policies"]
        )
        assert real <= lengths[construct] <= real * 1.3


def test_a_policy_that_iam_would_refuse_is_refused_at_synth(stack: Stack) -> None:
    iam.CfnManagedPolicy(
        stack,
        "TooMuch",
        policy_document={
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": [f"arn:aws:s3:::{'x' * 6100}"]}],
        },
    )
    with pytest.raises(PolicyTooLong, match=r"TooMuch: 6,2[0-9]{2} of 6,144 characters"):
        require_policies_fit(stack)
