"""List the resource types that the embedded account knows; every other one is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from remediator.local.cloudformation.types import (
    cdk,
    cloudwatch,
    dynamodb,
    ecr,
    events,
    iam,
    kms,
    lambda_,
    logs,
    s3,
    scheduler,
    secretsmanager,
    sns,
    sqs,
    ssm,
)

if TYPE_CHECKING:
    from remediator.local.cloudformation.resource import ResourceType

_TYPES: Final[tuple[type[ResourceType], ...]] = (
    *(cdk.Metadata, cloudwatch.Alarm, cloudwatch.Dashboard, dynamodb.Table, ecr.Repository, events.Rule),
    *(iam.InlinePolicy, iam.ManagedPolicy, iam.Role, kms.Alias, kms.Key),
    *(lambda_.EventInvokeConfig, lambda_.Function, lambda_.Permission, lambda_.Url),
    *(logs.LogGroup, s3.Bucket, s3.BucketPolicy, scheduler.Schedule, secretsmanager.Secret),
    *(sns.Subscription, sns.Topic, sns.TopicPolicy, sqs.Queue, sqs.QueuePolicy, ssm.Parameter),
)
TYPES: Final[dict[str, ResourceType]] = {kind.name: kind() for kind in _TYPES}
