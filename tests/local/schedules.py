"""A function with a schedule, to be deployed."""

from __future__ import annotations

from typing import Any

from tests.local.stacks import allows, function_resources, resource, trusts

GROUP = "arn:aws:scheduler:*:*:schedule-group/default"


def scheduled(source: str = "def handler(event, context): return event", **changes: Any) -> dict[str, Any]:
    """Return a function with a schedule, a role for it, and a queue for what can't be delivered."""
    trust = trusts("scheduler.amazonaws.com")
    trust["Statement"][0]["Condition"] = {"ArnLike": {"aws:SourceArn": changes.pop("trusted_group", GROUP)}}
    rights = changes.pop("rights", ("lambda:InvokeFunction", "sqs:SendMessage"))
    role = resource(
        "AWS::IAM::Role",
        AssumeRolePolicyDocument=trust,
        Policies=[{"PolicyName": "own", "PolicyDocument": allows(*rights)}],
    )
    target = {
        "Arn": {"Fn::GetAtt": ["Function", "Arn"]},
        "RoleArn": {"Fn::GetAtt": ["Firing", "Arn"]},
        "Input": '{"at": "<aws.scheduler.scheduled-time>", "attempt": "<aws.scheduler.attempt-number>"}',
        "DeadLetterConfig": {"Arn": {"Fn::GetAtt": ["Dead", "Arn"]}},
        "RetryPolicy": {"MaximumRetryAttempts": 1, "MaximumEventAgeInSeconds": 600},
        **changes.pop("target", {}),
    }
    settings: dict[str, Any] = {
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "ScheduleExpression": "cron(2/5 * * * ? *)",
        "Target": target,
        **changes,
    }
    return {
        **function_resources(source),
        "Firing": role,
        "Dead": resource("AWS::SQS::Queue"),
        "Schedule": resource("AWS::Scheduler::Schedule", **settings),
    }
