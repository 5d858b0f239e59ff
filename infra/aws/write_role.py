"""Make the role behind the gate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from infra.aws import names
from infra.aws.callers import SESSION_SECONDS
from infra.aws.statements import document, inline
from remediator.catalogue.policies import (
    boundary_statements,
    managed_policies,
    write_role_denies,
    write_role_statements,
)
from remediator.catalogue.registry import load
from remediator.catalogue.spec import Home

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from constructs import Construct

    from infra.aws.own_resources import OwnResources


def make_write_role(
    scope: Construct, trust: Mapping[str, Any], own: OwnResources, fix_ids: Sequence[str], regions: Sequence[str]
) -> iam.CfnRole:
    """Make the write role: what it may do follows from the enabled fixes, who passes its gate from its trust policy.

    The policies have no description: changing one means a new policy, whose fixed name would be taken.
    """
    fixes = [load(fix_id) for fix_id in fix_ids]
    grants = write_role_statements(fixes, Home(Aws.PARTITION, Aws.ACCOUNT_ID), regions)
    boundary = iam.CfnManagedPolicy(
        scope,
        "WriteBoundary",
        managed_policy_name=names.WRITE_BOUNDARY,
        policy_document=document(boundary_statements(fixes, own.patterns(), regions)),
    )
    return iam.CfnRole(
        scope,
        "WriteRole",
        role_name=names.WRITE_ROLE,
        description="Remediator: the enabled fixes' permissions; opened by the rotator for one window at a time",
        assume_role_policy_document=trust,
        permissions_boundary=boundary.ref,
        max_session_duration=SESSION_SECONDS,
        managed_policy_arns=[
            _grant(scope, number, policy).ref for number, policy in enumerate(managed_policies(grants))
        ],
        policies=[inline("never", write_role_denies(own.patterns()))],
    )


def _grant(scope: Construct, number: int, policy: dict[str, object]) -> iam.CfnManagedPolicy:
    return iam.CfnManagedPolicy(
        scope,
        f"WriteGrant{number}",
        managed_policy_name=f"{names.WRITE_ROLE}-{number}",
        policy_document=policy,
    )
