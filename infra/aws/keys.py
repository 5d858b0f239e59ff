"""Make the key that everything at rest is encrypted under."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Aws, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from infra.aws import names
from infra.aws.arns import regional_arn, service_host

if TYPE_CHECKING:
    from constructs import Construct


def make_key(scope: Construct) -> kms.Key:
    """Make the key. It stays when the stack is destroyed: the receipts, which stay too, need it to be read."""
    key = kms.Key(
        scope,
        "Key",
        description="Remediator: seeds, state, receipts, dead letters, alarms, logs",
        enable_key_rotation=True,
        removal_policy=RemovalPolicy.RETAIN,
    )
    kms.CfnAlias(scope, "KeyAlias", alias_name=names.KEY_ALIAS, target_key_id=key.key_arn)
    key.add_to_resource_policy(_log_groups())
    key.add_to_resource_policy(_alarms())
    return key


def _log_groups() -> iam.PolicyStatement:
    """Let CloudWatch Logs encrypt our log groups, and no other."""
    groups = regional_arn("logs", "log-group:" + names.log_group("remediator-*"))
    return iam.PolicyStatement(
        sid="EncryptOwnLogGroups",
        principals=[iam.ServicePrincipal(service_host("logs"))],
        actions=["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
        resources=["*"],
        conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
    )


def _alarms() -> iam.PolicyStatement:
    """Let our alarms be published to the encrypted topic; without this they'd be dropped silently."""
    return iam.PolicyStatement(
        sid="PublishOwnAlarms",
        principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
        actions=["kms:Decrypt", "kms:GenerateDataKey*"],
        resources=["*"],
        conditions={
            "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
            "ArnLike": {"aws:SourceArn": regional_arn("cloudwatch", "alarm:remediator-*")},
        },
    )
