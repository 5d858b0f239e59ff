"""List what belongs to the deployment itself, which nothing reached through the gate may touch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import Aws, DefaultStackSynthesizer

from infra.aws import names
from infra.aws.arns import function_arn, global_arn, regional_arn, role_arn, table_arn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_kms as kms


@dataclass(frozen=True, slots=True)
class OwnResources:
    """Hold ARN patterns of IAM; sub-resources (streams, versions, secrets' random endings) are covered by their `*`.

    Apart from `others`, they are what the remediator's own role needs in part.
    """

    roles: tuple[str, ...]
    tables: tuple[str, ...]
    keys: tuple[str, ...]
    logs: tuple[str, ...]
    others: tuple[str, ...]

    def patterns(self) -> list[str]:
        """Return all of them, sorted."""
        return sorted((*self.roles, *self.tables, *self.keys, *self.logs, *self.others))


def own_resources(key: kms.Key, trusted: Sequence[str]) -> OwnResources:
    """Return everything in the deployment, the bucket that its functions' code comes from, and whom its roles trust.

    Who could deactivate the operators' keys would keep them from rolling back.
    """
    return OwnResources(
        roles=(role_arn(names.REMEDIATOR_ROLE), role_arn("remediator-*")),
        tables=(table_arn("remediator-*"),),
        keys=(key.key_arn,),
        logs=(regional_arn("logs", f"log-group:{names.log_group(names.REMEDIATE_FUNCTION)}*"),),
        others=(
            global_arn("iam", "policy/remediator-*"),
            function_arn("remediator-*"),
            regional_arn("secretsmanager", f"secret:{names.SEED_SECRET}/*"),
            regional_arn("secretsmanager", f"secret:{names.GATE_SECRET}/*"),
            regional_arn("kms", names.KEY_ALIAS),
            regional_arn("sqs", "remediator-*"),
            regional_arn("sns", "remediator-*"),
            regional_arn("scheduler", "schedule/*/remediator-*"),
            regional_arn("events", "rule/remediator-*"),
            global_arn("cloudwatch", f"dashboard/{names.DASHBOARD}"),
            regional_arn("logs", f"log-group:{names.log_group(names.ROTATE_FUNCTION)}*"),
            regional_arn("logs", f"log-group:{names.log_group(names.WATCH_FUNCTION)}*"),
            regional_arn("cloudwatch", "alarm:remediator-*"),
            regional_arn("cloudformation", f"stack/{names.STACK}/*"),
            *_code_bucket(),
            *trusted,
        ),
    )


def _code_bucket() -> tuple[str, str]:
    """Return the bootstrap's bucket: who writes there decides what the next deployment runs."""
    qualifier = DefaultStackSynthesizer.DEFAULT_QUALIFIER
    bucket = f"arn:{Aws.PARTITION}:s3:::cdk-{qualifier}-assets-{Aws.ACCOUNT_ID}-{Aws.REGION}"
    return bucket, f"{bucket}/*"
