"""Make where alarms and lost events go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Aws, Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs

from infra.aws import names
from infra.aws.arns import regional_arn

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from constructs import Construct


def make_dead_letters(scope: Construct, key: kms.Key) -> sqs.Queue:
    """Make the queue for rotations that were given up; an alarm rings as soon as one is in it."""
    return sqs.Queue(
        scope,
        "DeadLetters",
        queue_name=names.DEAD_LETTERS,
        encryption=sqs.QueueEncryption.KMS,
        encryption_master_key=key,
        data_key_reuse=Duration.hours(1),
        enforce_ssl=True,
        retention_period=Duration.days(14),
    )


def make_alarm_topic(scope: Construct, key: kms.Key, email: str | None) -> sns.Topic:
    """Make the topic that alarms go to; only this account's own alarms may publish to it."""
    topic = sns.Topic(
        scope, "Alarms", topic_name=names.ALARM_TOPIC, display_name="Remediator", master_key=key, enforce_ssl=True
    )
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            sid="PublishOwnAlarms",
            principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
            conditions={
                "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
                "ArnLike": {"aws:SourceArn": regional_arn("cloudwatch", "alarm:remediator-*")},
            },
        )
    )
    if email is not None:
        topic.add_subscription(subscriptions.EmailSubscription(email))
    return topic
