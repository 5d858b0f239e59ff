"""Make what remembers: the two tables and the ring of seed secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as ddb
from aws_cdk import aws_secretsmanager as secretsmanager

from infra.aws import names
from remediator.core.seeds import RING

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from constructs import Construct

_EXPIRY = "expires_at"


def make_state_table(scope: Construct, key: kms.Key) -> ddb.Table:
    """Make the table of windows, lease, counters and switches. It goes with the stack: nothing in it is evidence."""
    return _table(scope, "State", names.STATE_TABLE, key, removal_policy=RemovalPolicy.DESTROY)


def make_receipts_table(scope: Construct, name: str, key: kms.Key) -> ddb.Table:
    """Make the table of receipts. It is evidence: neither an update nor destroying the stack deletes it.

    So its name is the deployment's own: the next one finds it free. See decision 0021.
    """
    return _table(
        scope,
        "Receipts",
        name,
        key,
        sort_key=ddb.Attribute(name="sk", type=ddb.AttributeType.STRING),
        deletion_protection=True,
        removal_policy=RemovalPolicy.RETAIN,
    )


def make_seed_secrets(scope: Construct, key: kms.Key) -> tuple[secretsmanager.CfnSecret, ...]:
    """Make the ring's secrets, in the order of their slots and without a value: an empty secret means closed."""
    return tuple(
        secretsmanager.CfnSecret(
            scope,
            f"Seed{slot}",
            name=f"{names.SEED_SECRET}/{slot}",
            description=f"Seed record of every window whose number is {slot} modulo {RING}; written by the rotator",
            kms_key_id=key.key_arn,
        )
        for slot in range(RING)
    )


def _table(  # noqa: PLR0913 - the two tables differ in these
    scope: Construct,
    construct_id: str,
    name: str,
    key: kms.Key,
    *,
    removal_policy: RemovalPolicy,
    sort_key: ddb.Attribute | None = None,
    deletion_protection: bool = False,
) -> ddb.Table:
    return ddb.Table(
        scope,
        construct_id,
        table_name=name,
        partition_key=ddb.Attribute(name="pk", type=ddb.AttributeType.STRING),
        sort_key=sort_key,
        billing_mode=ddb.BillingMode.PAY_PER_REQUEST,
        encryption=ddb.TableEncryption.CUSTOMER_MANAGED,
        encryption_key=key,
        point_in_time_recovery_specification=ddb.PointInTimeRecoverySpecification(point_in_time_recovery_enabled=True),
        time_to_live_attribute=_EXPIRY,
        deletion_protection=deletion_protection,
        removal_policy=removal_policy,
    )
