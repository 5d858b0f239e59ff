"""Show the watcher what CloudTrail sees done to the write role."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_

from infra.aws import names
from infra.aws.arns import global_arn, role_arn

if TYPE_CHECKING:
    from constructs import Construct

OPENINGS: Final = ("AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity")
ROLE_CHANGES: Final = (
    "AttachRolePolicy",
    "DeleteRole",
    "DeleteRolePermissionsBoundary",
    "DeleteRolePolicy",
    "DetachRolePolicy",
    "PutRolePermissionsBoundary",
    "PutRolePolicy",
    "UpdateAssumeRolePolicy",
    "UpdateRole",
)
POLICY_CHANGES: Final = ("CreatePolicyVersion", "DeletePolicy", "DeletePolicyVersion", "SetDefaultPolicyVersion")


def pattern() -> dict[str, Any]:
    """Return what the rule lets through: the write role assumed, changed, or one of its policies changed."""
    policies = global_arn("iam", f"policy/{names.WRITE_ROLE}")
    return {
        "source": ["aws.sts", "aws.iam"],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {
            "$or": [
                {"eventName": list(OPENINGS), "requestParameters": {"roleArn": [role_arn(names.WRITE_ROLE)]}},
                {"eventName": list(ROLE_CHANGES), "requestParameters": {"roleName": [names.WRITE_ROLE]}},
                {"eventName": list(POLICY_CHANGES), "requestParameters": {"policyArn": [{"prefix": policies}]}},
            ]
        },
    }


def show(scope: Construct, watch: lambda_.CfnFunction) -> None:
    """Send the watcher each such call. Assuming a role counts as reading, which a rule must ask for."""
    rule = events.CfnRule(
        scope,
        "WatchRule",
        name=names.WATCH_RULE,
        description="Remediator: let the watcher judge what is done to the write role",
        event_pattern=pattern(),
        state="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
        targets=[events.CfnRule.TargetProperty(id="watch", arn=watch.attr_arn)],
    )
    lambda_.CfnPermission(
        scope,
        "RuleInvokesWatch",
        action="lambda:InvokeFunction",
        function_name=watch.ref,
        principal="events.amazonaws.com",
        source_arn=rule.attr_arn,
    )
