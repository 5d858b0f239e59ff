"""A small CDK app: what the tests of deploying deploy."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs


def main() -> None:
    app = cdk.App(analytics_reporting=False)
    stack = cdk.Stack(app, "Sample")
    function = lambda_.Function(
        stack,
        "Function",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=lambda_.Code.from_inline(f"def handler(event, context): return '{app.node.get_context('says')}'"),
    )
    queue = sqs.Queue(stack, "Queue", visibility_timeout=cdk.Duration.seconds(40))
    queue.grant_send_messages(function)
    if app.node.try_get_context("broken"):
        policy = iam.CfnPolicy(
            stack,
            "Broken",
            policy_name="broken",
            policy_document={"Version": "2012-10-17", "Statement": []},
            roles=["no-such-role"],
        )
        policy.node.add_dependency(queue)
    cdk.CfnOutput(stack, "Name", value=function.function_name)
    cdk.CfnOutput(stack, "QueueUrl", value=queue.queue_url)
    app.synth()


main()
