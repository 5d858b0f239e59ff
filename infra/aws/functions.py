"""Make functions, each with its log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aws_cdk import RemovalPolicy, aws_s3_assets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

from infra.aws import names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kms as kms
    from constructs import Construct

    from infra.assets.build import Asset
    from infra.aws.parameters import Parameters

PYTHON: Final = "3.13"
MEMORY_MB: Final = 512
_RETENTIONS: Final = (30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)


@dataclass(frozen=True, slots=True)
class Program:
    """Describe one function: what it is called, what runs, as whom, for how long and in how many copies."""

    construct_id: str
    name: str
    handler: str
    service: str
    timeout_seconds: int
    concurrency: int
    asset: Asset


def make_function(  # noqa: PLR0913, PLR0917 - what makes a function
    scope: Construct,
    program: Program,
    role: iam.CfnRole,
    key: kms.Key,
    parameters: Parameters,
    environment: Mapping[str, str],
) -> lambda_.CfnFunction:
    """Make a function with a log group of its own. No tracing: it would cost 150 ms of every cold start."""
    asset = aws_s3_assets.Asset(
        scope,
        f"{program.construct_id}Code",
        path=str(program.asset.path),
        asset_hash=program.asset.digest,
    )
    function = lambda_.CfnFunction(
        scope,
        program.construct_id,
        function_name=program.name,
        role=role.attr_arn,
        runtime=f"python{PYTHON}",
        handler=program.handler,
        code=lambda_.CfnFunction.CodeProperty(s3_bucket=asset.s3_bucket_name, s3_key=asset.s3_object_key),
        architectures=[parameters.architecture],
        memory_size=MEMORY_MB,
        timeout=program.timeout_seconds,
        reserved_concurrent_executions=program.concurrency if parameters.reserved_concurrency else None,
        environment=lambda_.CfnFunction.EnvironmentProperty(
            variables={**environment, **_powertools(program.service)},
        ),
    )
    asset.add_resource_metadata(function, "Code")
    function.node.add_dependency(_log_group(scope, program, key, parameters.retention_days))
    return function


def _powertools(service: str) -> dict[str, str]:
    return {
        "POWERTOOLS_SERVICE_NAME": service,
        "POWERTOOLS_METRICS_NAMESPACE": names.METRICS_NAMESPACE,
        "POWERTOOLS_LOG_LEVEL": "INFO",
    }


def _log_group(scope: Construct, program: Program, key: kms.Key, retention_days: int) -> logs.CfnLogGroup:
    group = logs.CfnLogGroup(
        scope,
        f"{program.construct_id}Logs",
        log_group_name=names.log_group(program.name),
        kms_key_id=key.key_arn,
        retention_in_days=next(days for days in _RETENTIONS if days >= retention_days),
    )
    group.apply_removal_policy(RemovalPolicy.DESTROY)
    return group
