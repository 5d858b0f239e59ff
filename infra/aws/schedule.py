"""Run the rotator in the middle of each window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler

from infra.aws import names

if TYPE_CHECKING:
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_sqs as sqs
    from constructs import Construct

EXPRESSION: Final = "cron(2/5 * * * ? *)"
"""Minute 2 of every 5, by the clock: far from the windows' borders. `rate` would count from the deployment."""

MAX_EVENT_AGE: Final = 120
"""Seconds after which a rotation isn't tried any more: the next one is due, and does all that this one left."""


def make_schedule(
    scope: Construct, rotate: lambda_.CfnFunction, role: iam.CfnRole, dead_letters: sqs.Queue
) -> scheduler.CfnSchedule:
    """Schedule the rotator; what can't be delivered within two minutes goes to the dead letters."""
    return scheduler.CfnSchedule(
        scope,
        "Schedule",
        name=names.SCHEDULE,
        description="Remediator: stage the seeds, verifiers and gate of the next windows",
        schedule_expression=EXPRESSION,
        flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
        target=scheduler.CfnSchedule.TargetProperty(
            arn=rotate.attr_arn,
            role_arn=role.attr_arn,
            input="{}",
            retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                maximum_event_age_in_seconds=MAX_EVENT_AGE, maximum_retry_attempts=2
            ),
            dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=dead_letters.queue_arn),
        ),
    )


def bound_retries(
    scope: Construct, rotate: lambda_.CfnFunction, dead_letters: sqs.Queue
) -> lambda_.CfnEventInvokeConfig:
    """Bound Lambda's own retries, which come on top of the scheduler's: it would go on for six hours."""
    return lambda_.CfnEventInvokeConfig(
        scope,
        "RotateRetries",
        function_name=rotate.ref,
        qualifier="$LATEST",
        maximum_event_age_in_seconds=MAX_EVENT_AGE,
        maximum_retry_attempts=1,
        destination_config=lambda_.CfnEventInvokeConfig.DestinationConfigProperty(
            on_failure=lambda_.CfnEventInvokeConfig.OnFailureProperty(destination=dead_letters.queue_arn)
        ),
    )
