"""Make the address that the vendor calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_lambda as lambda_

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import aws_iam as iam
    from constructs import Construct


def make_endpoint(
    scope: Construct, function: lambda_.CfnFunction, callers: Mapping[str, iam.CfnRole]
) -> lambda_.CfnUrl:
    """Make the function URL and let the callers' roles, and nobody else, through.

    AWS wants two grants for a URL. The second is bound to calls by URL: a plain Invoke could carry a forged event.
    """
    url = lambda_.CfnUrl(
        scope, "Endpoint", auth_type="AWS_IAM", invoke_mode="BUFFERED", target_function_arn=function.attr_arn
    )
    for name, role in callers.items():
        lambda_.CfnPermission(
            scope,
            f"{name}CallsEndpoint",
            action="lambda:InvokeFunctionUrl",
            function_name=function.ref,
            principal=role.attr_arn,
            function_url_auth_type="AWS_IAM",
        )
        lambda_.CfnPermission(
            scope,
            f"{name}InvokesByUrlOnly",
            action="lambda:InvokeFunction",
            function_name=function.ref,
            principal=role.attr_arn,
            invoked_via_function_url=True,
        )
    return url
