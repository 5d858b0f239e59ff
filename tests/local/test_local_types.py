"""Every resource type, with every property that it can set: made, compared, changed, compared, removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from remediator.local.cloudformation.registry import TYPES
from remediator.local.cloudformation.resource import Missing
from remediator.local.emulator.cloudformation_service import hosted
from remediator.local.emulator.identities import CUSTOMER_ACCOUNT
from remediator.local.witness import Unfaithful, confirm
from tests.local.stacks import allows, deploy, function_resources, resource, trusts

if TYPE_CHECKING:
    from remediator.local.account import EmbeddedAccount

Resources = dict[str, Any]
TAGS = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
OTHER_TAGS = [{"Key": "b", "Value": "3"}, {"Key": "c", "Value": "4"}]
ECHO = "def handler(event, context): return event"


def statement(**more: Any) -> dict[str, Any]:
    principal = {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}}
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": principal, "Resource": "*", **more}],
    }


def arn(logical_id: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [logical_id, "Arn"]}


def ref(logical_id: str) -> dict[str, Any]:
    return {"Ref": logical_id}


KEY = resource("AWS::KMS::Key", KeyPolicy=statement(Action="kms:*"))
QUEUE = resource("AWS::SQS::Queue")
TOPIC = resource("AWS::SNS::Topic")
FUNCTION = function_resources(ECHO)
ROLE = resource("AWS::IAM::Role", AssumeRolePolicyDocument=trusts("lambda.amazonaws.com"))
BOUNDARY = resource("AWS::IAM::ManagedPolicy", PolicyDocument=allows("*"))


def _function(source: str, **properties: Any) -> dict[str, Any]:
    whole = function_resources(source, **properties)
    whole["Function"]["Properties"].pop("Handler")
    return dict(whole["Function"])


# What each type is made from, what it is changed to, and what it needs beside it.
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], Resources]] = {
    "AWS::CDK::Metadata": ({"Analytics": "v2:x"}, {"Analytics": "v2:y"}, {}),
    "AWS::CloudWatch::Dashboard": (
        {"DashboardName": "board-of-types", "DashboardBody": '{"widgets": []}'},
        {"DashboardName": "board-of-types", "DashboardBody": '{"widgets": [], "start": "-PT6H"}'},
        {},
    ),
    "AWS::Events::Rule": (
        {
            "Description": "one",
            "EventPattern": {"source": ["remediator"], "detail": {"outcome": ["fixed", "pending"]}},
            "Name": "rule-of-types",
            "State": "DISABLED",
            "Targets": [
                {"Arn": ref("T"), "Id": "a", "RoleArn": arn("R")},
                {
                    "Arn": ref("T"),
                    "Id": "b",
                    "RoleArn": arn("R"),
                    "InputTransformer": {"InputPathsMap": {"x": "$.detail.x"}, "InputTemplate": '"<x>"'},
                },
            ],
        },
        {
            "EventPattern": {"source": ["other"]},
            "Name": "rule-of-types",
            "State": "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
            "Targets": [{"Arn": ref("T"), "Id": "b", "RoleArn": arn("R")}],
        },
        {"T": TOPIC, "R": resource("AWS::IAM::Role", AssumeRolePolicyDocument=trusts("events.amazonaws.com"))},
    ),
    "AWS::CloudWatch::Alarm": (
        {
            "ActionsEnabled": True,
            "AlarmActions": [ref("T")],
            "AlarmDescription": "one",
            "AlarmName": "alarm-of-types",
            "ComparisonOperator": "LessThanThreshold",
            "DatapointsToAlarm": 1,
            "Dimensions": [{"Name": "service", "Value": "x"}],
            "EvaluationPeriods": 1,
            "InsufficientDataActions": [ref("T")],
            "MetricName": "M",
            "Namespace": "N",
            "OKActions": [ref("T")],
            "Period": 60,
            "Statistic": "Sum",
            "Threshold": 1,
            "TreatMissingData": "breaching",
            "Unit": "Count",
        },
        {
            "AlarmName": "alarm-of-types",
            "ComparisonOperator": "GreaterThanThreshold",
            "EvaluationPeriods": 3,
            "ExtendedStatistic": "p99",
            "MetricName": "M2",
            "Namespace": "N",
            "Period": 300,
            "Threshold": 2.5,
            "TreatMissingData": "notBreaching",
        },
        {"T": TOPIC},
    ),
    "AWS::DynamoDB::Table": (
        {
            "AttributeDefinitions": [
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            "BillingMode": "PAY_PER_REQUEST",
            "DeletionProtectionEnabled": True,
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
            "SSESpecification": {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": arn("K")},
            "TableName": "table-of-types",
            "Tags": TAGS,
            "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": True},
        },
        {
            "AttributeDefinitions": [
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            "BillingMode": "PAY_PER_REQUEST",
            "DeletionProtectionEnabled": False,
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": False},
            "SSESpecification": {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": arn("K")},
            "TableName": "table-of-types",
            "Tags": OTHER_TAGS,
        },
        {"K": KEY},
    ),
    "AWS::ECR::Repository": (
        {
            "ImageTagMutability": "IMMUTABLE",
            "LifecyclePolicy": {
                "LifecyclePolicyText": '{"rules": [{"rulePriority": 1, "selection": {"tagStatus": "untagged", '
                '"countType": "imageCountMoreThan", "countNumber": 3}, "action": {"type": "expire"}}]}'
            },
            "RepositoryName": "repository-of-types",
            "RepositoryPolicyText": {
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "ecr:BatchGetImage"}
                ],
            },
        },
        {"ImageTagMutability": "MUTABLE", "RepositoryName": "repository-of-types"},
        {},
    ),
    "AWS::IAM::ManagedPolicy": (
        {
            "Description": "d",
            "ManagedPolicyName": "managed-of-types",
            "Path": "/p/",
            "PolicyDocument": allows("s3:*"),
            "Roles": [ref("R")],
        },
        {
            "Description": "d",
            "ManagedPolicyName": "managed-of-types",
            "Path": "/p/",
            "PolicyDocument": allows("sqs:*"),
            "Roles": [ref("R2")],
        },
        {"R": ROLE, "R2": ROLE},
    ),
    "AWS::IAM::Policy": (
        {"PolicyDocument": allows("s3:*"), "PolicyName": "inline-of-types", "Roles": [ref("R"), ref("R2")]},
        {"PolicyDocument": allows("sqs:*"), "PolicyName": "inline-of-types", "Roles": [ref("R2")]},
        {"R": ROLE, "R2": ROLE},
    ),
    "AWS::IAM::Role": (
        {
            "AssumeRolePolicyDocument": trusts("lambda.amazonaws.com"),
            "Description": "one",
            "ManagedPolicyArns": ["arn:aws:iam::aws:policy/SecurityAudit"],
            "MaxSessionDuration": 7200,
            "Path": "/p/",
            "PermissionsBoundary": ref("B"),
            "Policies": [{"PolicyName": "a", "PolicyDocument": allows("s3:*")}],
            "RoleName": "role-of-types",
            "Tags": TAGS,
        },
        {
            "AssumeRolePolicyDocument": trusts("events.amazonaws.com"),
            "Description": "two",
            "ManagedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
            "MaxSessionDuration": 3600,
            "Path": "/p/",
            "Policies": [{"PolicyName": "b", "PolicyDocument": allows("sqs:*")}],
            "RoleName": "role-of-types",
            "Tags": OTHER_TAGS,
        },
        {"B": BOUNDARY},
    ),
    "AWS::KMS::Alias": (
        {"AliasName": "alias/of-types", "TargetKeyId": arn("K")},
        {"AliasName": "alias/of-types", "TargetKeyId": ref("K2")},
        {"K": KEY, "K2": KEY},
    ),
    "AWS::KMS::Key": (
        {
            "Description": "one",
            "EnableKeyRotation": True,
            "Enabled": True,
            "KeyPolicy": statement(Action="kms:*"),
            "KeySpec": "SYMMETRIC_DEFAULT",
            "KeyUsage": "ENCRYPT_DECRYPT",
            "MultiRegion": False,
            "Tags": TAGS,
        },
        {
            "Description": "two",
            "EnableKeyRotation": False,
            "Enabled": True,
            "KeyPolicy": statement(Action=["kms:*"]),
            "KeySpec": "SYMMETRIC_DEFAULT",
            "KeyUsage": "ENCRYPT_DECRYPT",
            "MultiRegion": False,
            "Tags": TAGS,
        },
        {},
    ),
    "AWS::Lambda::EventInvokeConfig": (
        {
            "DestinationConfig": {"OnFailure": {"Destination": arn("Q")}},
            "FunctionName": ref("Function"),
            "MaximumEventAgeInSeconds": 120,
            "MaximumRetryAttempts": 1,
            "Qualifier": "$LATEST",
        },
        {
            "FunctionName": ref("Function"),
            "MaximumEventAgeInSeconds": 60,
            "MaximumRetryAttempts": 0,
            "Qualifier": "$LATEST",
        },
        {**FUNCTION, "Q": QUEUE},
    ),
    "AWS::Lambda::Function": (
        {
            "Architectures": ["arm64"],
            "Code": {"ZipFile": ECHO},
            "DeadLetterConfig": {"TargetArn": arn("Q")},
            "Description": "one",
            "Environment": {"Variables": {"A": "1"}},
            "EphemeralStorage": {"Size": 1024},
            "FunctionName": "function-of-types",
            "Handler": "index.handler",
            "KmsKeyArn": arn("K"),
            "LoggingConfig": {"LogFormat": "JSON", "LogGroup": "/own/group"},
            "MemorySize": 256,
            "PackageType": "Zip",
            "ReservedConcurrentExecutions": 2,
            "Role": arn("R"),
            "Runtime": "python3.13",
            "Tags": TAGS,
            "Timeout": 7,
            "TracingConfig": {"Mode": "PassThrough"},
        },
        {
            "Architectures": ["arm64"],
            "Code": {"ZipFile": ECHO + "\n"},
            "Environment": {"Variables": {"B": "2"}},
            "FunctionName": "function-of-types",
            "Handler": "index.other",
            "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/other/group"},
            "MemorySize": 128,
            "PackageType": "Zip",
            "Role": arn("R2"),
            "Runtime": "python3.12",
            "Tags": OTHER_TAGS,
            "Timeout": 9,
            "TracingConfig": {"Mode": "Active"},
        },
        {"R": ROLE, "R2": ROLE, "Q": QUEUE, "K": KEY},
    ),
    "AWS::Lambda::Permission": (
        {
            "Action": "lambda:InvokeFunctionUrl",
            "FunctionName": ref("Function"),
            "FunctionUrlAuthType": "AWS_IAM",
            "Principal": ref("AWS::AccountId"),
            "SourceAccount": ref("AWS::AccountId"),
        },
        {
            "Action": "lambda:InvokeFunction",
            "EventSourceToken": "token",
            "FunctionName": ref("Function"),
            "InvokedViaFunctionUrl": True,
            "Principal": arn("Role"),
            "PrincipalOrgID": "o-1234567890",
            "SourceArn": "arn:aws:s3:::x",
        },
        FUNCTION,
    ),
    "AWS::Lambda::Url": (
        {"AuthType": "AWS_IAM", "InvokeMode": "BUFFERED", "TargetFunctionArn": arn("Function")},
        {"AuthType": "NONE", "InvokeMode": "BUFFERED", "TargetFunctionArn": arn("Function")},
        FUNCTION,
    ),
    "AWS::Logs::LogGroup": (
        {"KmsKeyId": arn("K"), "LogGroupName": "/group/of/types", "RetentionInDays": 30, "Tags": TAGS},
        {"KmsKeyId": arn("K"), "LogGroupName": "/group/of/types", "RetentionInDays": 60, "Tags": TAGS},
        {"K": KEY},
    ),
    "AWS::S3::Bucket": (
        {
            "AccessControl": "Private",
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [
                    {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn("K")}}
                ]
            },
            "BucketName": "bucket-of-types",
            "LifecycleConfiguration": {
                "Rules": [
                    {"Id": "old", "Status": "Enabled", "NoncurrentVersionExpiration": {"NoncurrentDays": 30}},
                ]
            },
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]},
            "PublicAccessBlockConfiguration": {"BlockPublicAcls": True, "BlockPublicPolicy": False},
            "Tags": TAGS,
            "VersioningConfiguration": {"Status": "Enabled"},
        },
        {
            "AccessControl": "Private",
            "BucketName": "bucket-of-types",
            "VersioningConfiguration": {"Status": "Suspended"},
        },
        {"K": KEY},
    ),
    "AWS::S3::BucketPolicy": (
        {"Bucket": ref("Bucket"), "PolicyDocument": statement(Action="s3:GetObject")},
        {"Bucket": ref("Bucket"), "PolicyDocument": statement(Action="s3:ListBucket")},
        {"Bucket": resource("AWS::S3::Bucket")},
    ),
    "AWS::SNS::Subscription": (
        {"Endpoint": "one@example.com", "Protocol": "email", "TopicArn": ref("T")},
        {"Endpoint": arn("Q"), "Protocol": "sqs", "TopicArn": ref("T")},
        {"T": TOPIC, "Q": QUEUE},
    ),
    "AWS::SNS::Topic": (
        {
            "DisplayName": "One",
            "KmsMasterKeyId": arn("K"),
            "Tags": TAGS,
            "TopicName": "topic-of-types",
        },
        {
            "DisplayName": "Two",
            "KmsMasterKeyId": ref("K2"),
            "Tags": OTHER_TAGS,
            "TopicName": "topic-of-types",
        },
        {"K": KEY, "K2": KEY},
    ),
    "AWS::SNS::TopicPolicy": (
        {"PolicyDocument": statement(Action="sns:Publish"), "Topics": [ref("T"), ref("T2")]},
        {"PolicyDocument": statement(Action="sns:Subscribe"), "Topics": [ref("T")]},
        {"T": TOPIC, "T2": TOPIC},
    ),
    "AWS::SQS::Queue": (
        {
            "DelaySeconds": 1,
            "KmsDataKeyReusePeriodSeconds": 3600,
            "KmsMasterKeyId": arn("K"),
            "MaximumMessageSize": 2048,
            "MessageRetentionPeriod": 1209600,
            "QueueName": "queue-of-types",
            "ReceiveMessageWaitTimeSeconds": 2,
            "RedrivePolicy": {"deadLetterTargetArn": arn("Q"), "maxReceiveCount": 3},
            "Tags": TAGS,
            "VisibilityTimeout": 40,
        },
        {
            "DelaySeconds": 2,
            "MaximumMessageSize": 4096,
            "MessageRetentionPeriod": 60,
            "QueueName": "queue-of-types",
            "ReceiveMessageWaitTimeSeconds": 3,
            "Tags": OTHER_TAGS,
            "VisibilityTimeout": 50,
        },
        {"K": KEY, "Q": QUEUE},
    ),
    "AWS::SQS::QueuePolicy": (
        {"PolicyDocument": statement(Action="sqs:SendMessage"), "Queues": [ref("Q"), ref("Q2")]},
        {"PolicyDocument": statement(Action="sqs:ReceiveMessage"), "Queues": [ref("Q")]},
        {"Q": QUEUE, "Q2": QUEUE},
    ),
    "AWS::SSM::Parameter": (
        {"Description": "one", "Name": "/of/types", "Type": "String", "Value": "1"},
        {"Description": "two", "Name": "/of/types", "Type": "String", "Value": "2"},
        {},
    ),
    "AWS::Scheduler::Schedule": (
        {
            "Description": "one",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "GroupName": "default",
            "KmsKeyArn": arn("K"),
            "Name": "schedule-of-types",
            "ScheduleExpression": "cron(2/5 * * * ? *)",
            "State": "ENABLED",
            "Target": {
                "Arn": arn("Function"),
                "DeadLetterConfig": {"Arn": arn("Q")},
                "Input": "{}",
                "RetryPolicy": {"MaximumEventAgeInSeconds": 120, "MaximumRetryAttempts": 2},
                "RoleArn": arn("Role"),
            },
        },
        {
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "GroupName": "default",
            "KmsKeyArn": arn("K"),
            "Name": "schedule-of-types",
            "ScheduleExpression": "rate(1 hour)",
            "State": "DISABLED",
            "Target": {"Arn": arn("Function"), "Input": '{"a":1}', "RoleArn": arn("Role")},
        },
        {**FUNCTION, "Q": QUEUE, "K": KEY},
    ),
    "AWS::SecretsManager::Secret": (
        {"Description": "one", "KmsKeyId": arn("K"), "Name": "secret/of/types", "SecretString": "s", "Tags": TAGS},
        {
            "Description": "two",
            "KmsKeyId": ref("K2"),
            "Name": "secret/of/types",
            "SecretString": "t",
            "Tags": OTHER_TAGS,
        },
        {"K": KEY, "K2": KEY},
    ),
}
# Settable, but no case can hold them beside the others.
ELSEWHERE = {
    ("AWS::CloudWatch::Alarm", "EvaluateLowSampleCountPercentile"),
    ("AWS::CloudWatch::Alarm", "Metrics"),
    ("AWS::CloudWatch::Alarm", "ThresholdMetricId"),
    ("AWS::DynamoDB::Table", "GlobalSecondaryIndexes"),
    ("AWS::DynamoDB::Table", "LocalSecondaryIndexes"),
    ("AWS::DynamoDB::Table", "ProvisionedThroughput"),
    ("AWS::DynamoDB::Table", "TableClass"),
    ("AWS::KMS::Key", "RotationPeriodInDays"),
    ("AWS::Lambda::Function", "VpcConfig"),
    ("AWS::SNS::Topic", "SignatureVersion"),
    ("AWS::SNS::Topic", "TracingConfig"),
    ("AWS::SecretsManager::Secret", "GenerateSecretString"),
    ("AWS::SQS::Queue", "FifoQueue"),
    ("AWS::SQS::Queue", "SqsManagedSseEnabled"),
}


@pytest.mark.parametrize("kind", sorted(CASES))
def test_a_type_keeps_what_it_is_given_changes_and_goes(embedded: EmbeddedAccount, kind: str) -> None:
    first, second, beside = CASES[kind]
    stack = deploy(embedded, {**beside, "Tried": resource(kind, **first)})
    assert stack.status == "CREATE_COMPLETE", stack.reason
    assert confirm(stack.services, stack.name) >= len(first)
    assert stack.update({**beside, "Tried": resource(kind, **second)}) == "UPDATE_COMPLETE", stack.events[-12:]
    assert confirm(stack.services, stack.name) >= len(second)
    made = hosted(CUSTOMER_ACCOUNT, embedded.region, stack.name).engine.resources["Tried"]
    assert stack.update({**beside, "Filler": resource("AWS::CDK::Metadata")}) == "UPDATE_COMPLETE"
    assert ("Tried", "DELETE_COMPLETE") in stack.events[-6:], stack.events[-6:]
    if kind in ("AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy"):  # topic and queue stand, their policy is the default
        live = TYPES[kind].read(stack.services, made.physical_id, made.properties)
        assert live.properties["PolicyDocument"] != made.properties["PolicyDocument"]
    elif kind != "AWS::CDK::Metadata":
        with pytest.raises(Missing):
            TYPES[kind].read(stack.services, made.physical_id, made.properties)
    stack.delete()


def test_there_is_a_case_for_every_type_and_every_property() -> None:
    assert CASES.keys() == TYPES.keys()
    tried = {(kind, name) for kind, (first, second, _) in CASES.items() for name in (*first, *second)}
    settable = {(kind, name) for kind, made in TYPES.items() for name in made.settable}
    assert settable - tried - ELSEWHERE == set()
    assert settable - tried >= ELSEWHERE


TABLE = {
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
}


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        (
            "AWS::DynamoDB::Table",
            {
                "AttributeDefinitions": [
                    {"AttributeName": "pk", "AttributeType": "S"},
                    {"AttributeName": "x", "AttributeType": "N"},
                ],
                "GlobalSecondaryIndexes": [
                    {
                        "IndexName": "index",
                        "KeySchema": [{"AttributeName": "x", "KeyType": "HASH"}],
                        "Projection": {"ProjectionType": "ALL"},
                        "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
                    }
                ],
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 2},
            },
        ),
        ("AWS::SQS::Queue", {"FifoQueue": True, "QueueName": "of-types.fifo"}),
        ("AWS::SQS::Queue", {"SqsManagedSseEnabled": True}),
    ],
)
def test_what_no_case_can_hold_is_kept_too(embedded: EmbeddedAccount, kind: str, properties: dict[str, Any]) -> None:
    stack = deploy(embedded, {"Tried": resource(kind, **properties)})
    assert stack.status == "CREATE_COMPLETE", stack.reason
    assert confirm(stack.services, stack.name) == len(properties)


@pytest.mark.parametrize(
    ("kind", "properties", "dropped"),
    [
        (
            "AWS::DynamoDB::Table",
            {**TABLE, "BillingMode": "PAY_PER_REQUEST"},
            {"TableClass": "STANDARD_INFREQUENT_ACCESS"},
        ),
        (
            "AWS::KMS::Key",
            {"EnableKeyRotation": True, "KeyPolicy": statement(Action="kms:*")},
            {"RotationPeriodInDays": 90},
        ),
        ("AWS::SNS::Topic", {}, {"SignatureVersion": "2", "TracingConfig": "Active"}),
    ],
)
def test_what_the_emulator_drops_is_found_out(
    embedded: EmbeddedAccount, kind: str, properties: dict[str, Any], dropped: dict[str, Any]
) -> None:
    stack = deploy(embedded, {"Tried": resource(kind, **properties, **dropped)})
    assert stack.status == "CREATE_COMPLETE", stack.reason
    with pytest.raises(Unfaithful) as unfaithful:
        confirm(stack.services, stack.name)
    assert [lie.logical_id for lie in unfaithful.value.lies] == ["Tried"] * len(dropped)
    assert all(name in str(unfaithful.value) for name in dropped)


def test_a_secret_without_a_value_has_none(embedded: EmbeddedAccount) -> None:
    stack = deploy(embedded, {"S": resource("AWS::SecretsManager::Secret", Name="empty")})
    client = stack.client("secretsmanager")
    assert client.describe_secret(SecretId="empty").get("VersionIdsToStages", {}) == {}
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_secret_value(SecretId="empty")
