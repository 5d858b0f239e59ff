"""What the deployment keeps, under which key, for how long, and what of it outlives the stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from remediator.core.seeds import RING
from tests.infra.deployed import ACCOUNT, KEY, RECEIPTS_TABLE, Deployed, arn

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.xdist_group("synth")

TABLE = "AWS::DynamoDB::Table"


def policy_of(deployed: Deployed, kind: str) -> list[dict[str, Any]]:
    (found,) = deployed.of_type(kind).values()
    statements: list[dict[str, Any]] = found["PolicyDocument"]["Statement"]
    return statements


@pytest.mark.parametrize("name", ["remediator-state", RECEIPTS_TABLE])
def test_tables_are_encrypted_recoverable_and_paid_by_request(deployed: Deployed, name: str) -> None:
    table = deployed.one(TABLE, TableName=name)
    assert table["SSESpecification"] == {"KMSMasterKeyId": KEY, "SSEEnabled": True, "SSEType": "KMS"}
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}


def test_the_tables_have_the_keys_that_the_adapters_use(deployed: Deployed) -> None:
    schemas = {table["TableName"]: table["KeySchema"] for table in deployed.of_type(TABLE).values()}
    assert schemas == {
        "remediator-state": [{"AttributeName": "pk", "KeyType": "HASH"}],
        RECEIPTS_TABLE: [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
    }


def test_receipts_and_their_key_outlive_the_stack_and_nothing_else_does(deployed: Deployed) -> None:
    kept = [
        resource["Type"]
        for resource in deployed.template["Resources"].values()
        if resource.get("DeletionPolicy", "Delete") != "Delete"
        or resource.get("UpdateReplacePolicy", "Delete") != "Delete"
    ]
    assert sorted(kept) == ["AWS::DynamoDB::Table", "AWS::KMS::Key"]
    receipts = deployed.resource(TABLE, TableName=RECEIPTS_TABLE)
    assert receipts["DeletionPolicy"] == receipts["UpdateReplacePolicy"] == "Retain"
    assert receipts["Properties"]["DeletionProtectionEnabled"] is True


def test_each_deployment_has_a_receipts_table_of_its_own_so_that_the_next_one_finds_its_name_free(
    deployed: Deployed,
) -> None:
    (table,) = [
        one
        for one in deployed.template["Resources"].values()
        if one.get("DeletionPolicy") == "Retain" and one["Type"] == TABLE
    ]
    stack_id = {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}
    assert table["Properties"]["TableName"] == {"Fn::Join": ["", ["remediator-receipts-", stack_id]]}


def test_nothing_else_that_stays_has_a_name_that_the_next_deployment_needs(deployed: Deployed) -> None:
    assert not {"KeyName", "Name", "AliasName"} & deployed.one("AWS::KMS::Key").keys()
    assert deployed.resource("AWS::KMS::Alias").get("DeletionPolicy", "Delete") == "Delete"


def test_a_table_from_before_can_keep_its_name(deployed_with: Callable[..., Deployed]) -> None:
    synthesized = deployed_with(receipts_table="remediator-receipts")
    assert synthesized.outputs["ReceiptsTable"] == "remediator-receipts"
    keeps = synthesized.statement("remediator", "KeepReceipts")["Resource"]
    assert keeps == [arn("dynamodb", "table/remediator-receipts")]


def test_the_outputs_say_what_stays(deployed: Deployed) -> None:
    kept = deployed.outputs["Kept"].split(" ")
    assert kept == [arn("dynamodb", f"table/{RECEIPTS_TABLE}"), KEY]


def test_a_wrong_principal_fails_the_deployment_before_there_is_a_table_that_stays(deployed: Deployed) -> None:
    waits_for = deployed.resource(TABLE, TableName=RECEIPTS_TABLE)["DependsOn"]
    kinds = {deployed.template["Resources"][name]["Properties"].get("RoleName") for name in waits_for}
    assert {"remediator-reader", "remediator-operator"} <= kinds


def test_the_seed_ring_has_six_secrets_without_a_value(deployed: Deployed) -> None:
    secrets = deployed.of_type("AWS::SecretsManager::Secret").values()
    assert [secret["Name"] for secret in secrets] == [f"remediator/seed/{slot}" for slot in range(RING)]
    for secret in secrets:
        assert secret["KmsKeyId"] == KEY
        assert not {"SecretString", "GenerateSecretString"} & secret.keys()


def test_the_key_rotates_and_has_its_name(deployed: Deployed) -> None:
    assert deployed.one("AWS::KMS::Key")["EnableKeyRotation"] is True
    alias = deployed.one("AWS::KMS::Alias")
    assert (alias["AliasName"], alias["TargetKeyId"]) == ("alias/remediator", KEY)


def test_of_services_only_logs_and_alarms_use_the_key_and_only_for_ours(deployed: Deployed) -> None:
    statements = deployed.one("AWS::KMS::Key")["KeyPolicy"]["Statement"]
    by_service = {one["Principal"]["Service"]: one["Condition"] for one in statements if "Service" in one["Principal"]}
    assert by_service == {
        "logs.eu-west-1.amazonaws.com": {
            "ArnLike": {"kms:EncryptionContext:aws:logs:arn": arn("logs", "log-group:/aws/lambda/remediator-*")}
        },
        "cloudwatch.amazonaws.com": {
            "StringEquals": {"aws:SourceAccount": ACCOUNT},
            "ArnLike": {"aws:SourceArn": arn("cloudwatch", "alarm:remediator-*")},
        },
    }
    others = [one["Principal"] for one in statements if "Service" not in one["Principal"]]
    assert others == [{"AWS": f"arn:aws:iam::{ACCOUNT}:root"}], "this account's own IAM decides on the rest"


def test_dead_letters_are_encrypted_kept_for_two_weeks_and_only_sent_over_tls(deployed: Deployed) -> None:
    queue = deployed.one("AWS::SQS::Queue")
    assert queue["QueueName"] == "remediator-dead-letters"
    assert queue["KmsMasterKeyId"] == KEY
    assert queue["MessageRetentionPeriod"] == 14 * 86_400
    (statement,) = policy_of(deployed, "AWS::SQS::QueuePolicy")
    assert (statement["Effect"], statement["Action"], statement["Principal"]) == ("Deny", "sqs:*", {"AWS": "*"})
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_only_our_own_alarms_publish_and_only_over_tls(deployed: Deployed) -> None:
    topic = deployed.one("AWS::SNS::Topic")
    assert topic["TopicName"] == "remediator-alarms"
    assert topic["KmsMasterKeyId"] == KEY
    tls, alarms = policy_of(deployed, "AWS::SNS::TopicPolicy")
    assert tls["Effect"] == "Deny"
    assert tls["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert (alarms["Principal"], alarms["Action"]) == ({"Service": "cloudwatch.amazonaws.com"}, "sns:Publish")
    assert alarms["Condition"]["ArnLike"] == {"aws:SourceArn": arn("cloudwatch", "alarm:remediator-*")}


def test_alarms_are_mailed_only_where_an_address_was_given(
    deployed: Deployed, deployed_with: Callable[..., Deployed]
) -> None:
    kind = "AWS::SNS::Subscription"
    assert deployed.of_type(kind) == {}
    mailed = deployed_with(alarm_email="alarms@example.com").one(kind)
    assert (mailed["Protocol"], mailed["Endpoint"]) == ("email", "alarms@example.com")


@pytest.mark.parametrize(("days", "kept"), [(400, 400), (401, 545), (30, 30), (31, 60), (3653, 3653)])
def test_logs_are_encrypted_and_kept_at_least_as_long_as_receipts(
    deployed_with: Callable[..., Deployed], days: int, kept: int
) -> None:
    synthesized = deployed_with(retention_days=days)
    groups = synthesized.of_type("AWS::Logs::LogGroup").values()
    assert {group["LogGroupName"] for group in groups} == {
        "/aws/lambda/remediator-rotate",
        "/aws/lambda/remediator-remediate",
        "/aws/lambda/remediator-watch",
    }
    assert {(group["RetentionInDays"], group["KmsKeyId"]) for group in groups} == {(kept, KEY)}
    function = synthesized.one("AWS::Lambda::Function", FunctionName="remediator-remediate")
    assert function["Environment"]["Variables"]["RETENTION_DAYS"] == str(days)
