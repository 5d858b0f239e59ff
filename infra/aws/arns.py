"""Write the names of resources as ARNs of the account and region that the stack will be deployed into."""

from __future__ import annotations

from aws_cdk import Aws

from infra.aws import names


def global_arn(service: str, resource: str) -> str:
    """Return the ARN of a resource of a service that has no regions, such as IAM."""
    return f"arn:{Aws.PARTITION}:{service}::{Aws.ACCOUNT_ID}:{resource}"


def regional_arn(service: str, resource: str) -> str:
    """Return the ARN of a resource in the stack's region."""
    return f"arn:{Aws.PARTITION}:{service}:{Aws.REGION}:{Aws.ACCOUNT_ID}:{resource}"


def role_arn(name: str) -> str:
    """Return the ARN of a role of this account."""
    return global_arn("iam", f"role/{name}")


def function_arn(name: str) -> str:
    """Return the ARN of a function."""
    return regional_arn("lambda", f"function:{name}")


def table_arn(name: str) -> str:
    """Return the ARN of a table."""
    return regional_arn("dynamodb", f"table/{name}")


def log_streams_arn(function: str) -> str:
    """Return the ARN pattern of a function's log streams."""
    return regional_arn("logs", f"log-group:{names.log_group(function)}:*")


def service_host(service: str) -> str:
    """Return the name under which a service of the region calls KMS for its caller (`kms:ViaService`)."""
    return f"{service}.{Aws.REGION}.{Aws.URL_SUFFIX}"
