"""Make the two roles that may call: the vendor's reader and the customer's operator.

That they may call the endpoint is said once, in the function's own resource policy (`endpoint.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from infra.aws import admissions, names
from infra.aws.arns import function_arn, global_arn, regional_arn, role_arn, service_host, table_arn
from infra.aws.statements import allow, deny, inline, trust
from remediator.operator.aws import policy as policy_item
from remediator.operator.aws.control import USES_STATE
from remediator.operator.aws.freeze import USES_WRITE_ROLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

    from infra.aws.parameters import Parameters
    from infra.aws.statements import Conditions, Statement

SESSION_SECONDS: Final = 3600
"""The shortest that IAM allows as a role's longest session."""

READ_ITEMS: Final = (
    "dynamodb:BatchGetItem",
    "dynamodb:ExportTableToPointInTime",
    "dynamodb:GetItem",
    "dynamodb:GetRecords",
    "dynamodb:PartiQLSelect",
    "dynamodb:Query",
    "dynamodb:Scan",
)
"""Every way to an item of a table."""

WRITE_ENCRYPTED_TABLE: Final = (
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
"""What DynamoDB may do with a table's key, besides decrypting, in the name of who writes items."""


@dataclass(frozen=True, slots=True)
class Seeds:
    """Hold the ARNs that it takes to read the seed records."""

    secrets: Sequence[str]
    key: str


def make_reader(scope: Construct, parameters: Parameters, seeds: Seeds) -> iam.CfnRole:
    """Make the vendor's role: a security audit, the endpoint and, unless codes are passed on by hand, the seed records.

    The external id has no default.
    """
    reading = _no_seeds(seeds) if parameters.by_hand else _read_seeds(seeds)
    return iam.CfnRole(
        scope,
        "Reader",
        role_name=names.READER_ROLE,
        description="Remediator: what the vendor may do here: audit, read seed records, call the endpoint",
        assume_role_policy_document=trust(
            {"AWS": parameters.vendor_principal_arn},
            when={"StringEquals": {"sts:ExternalId": parameters.external_id}},
        ),
        managed_policy_arns=[f"arn:{Aws.PARTITION}:iam::aws:policy/SecurityAudit"],
        max_session_duration=SESSION_SECONDS,
        policies=[inline("call", [*reading, *_no_other_look(seeds), *(_no_gate_value() if parameters.sealed else ())])],
    )


def make_operator(scope: Construct, parameters: Parameters, seeds: Seeds) -> iam.CfnRole:
    """Make the role of the customer's own operators: look, plan, roll back, rotate now, freeze, maybe admit codes."""
    admitting = admissions.admit() if parameters.by_hand else []
    return iam.CfnRole(
        scope,
        "Operator",
        role_name=names.OPERATOR_ROLE,
        description="Remediator: what the customer's operators may do: look, plan, roll back, rotate now, freeze",
        assume_role_policy_document=trust({"AWS": parameters.operator_principal_arn}),
        max_session_duration=SESSION_SECONDS,
        policies=[
            inline(
                "operate",
                [
                    *(*_read_seeds(seeds), *_read_tables(seeds), *_look(), *_examine()),
                    *(*_freeze(seeds), *_edit_policy(), *admitting),
                ],
            )
        ],
    )


def _read_seeds(seeds: Seeds) -> list[Statement]:
    through = {"StringEquals": {"kms:ViaService": service_host("secretsmanager")}}
    return [
        allow("ReadSeedRecords", ["secretsmanager:GetSecretValue"], seeds.secrets),
        allow("DecryptSeedRecords", ["kms:Decrypt"], [seeds.key], when=through),
    ]


def _no_seeds(seeds: Seeds) -> list[Statement]:
    """Keep what the managed policy may come to allow away from the seed records too."""
    reading = ("secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue")
    return [deny("NoSeedRecords", reading, seeds.secrets), deny("NoDecrypt", ["kms:Decrypt"], [seeds.key])]


def _no_other_look(seeds: Seeds) -> list[Statement]:
    """Keep what the managed policy may come to allow away from tables and key."""
    state = table_arn(names.STATE_TABLE)
    elsewhere = {"StringNotEquals": {"kms:ViaService": service_host("secretsmanager")}}
    return [
        deny("NoItems", READ_ITEMS, [state, f"{state}/*", table_arn(f"{names.RECEIPTS_TABLE}*")]),
        deny("NoOtherDecrypt", ["kms:Decrypt"], [seeds.key], when=elsewhere),
    ]


def _no_gate_value() -> list[Statement]:
    """Keep what the managed policy may come to allow away from a sealed gate's value."""
    reading = ("secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue")
    return [deny("NoGateValue", reading, [regional_arn("secretsmanager", f"secret:{names.GATE_SECRET}/*")])]


def _read_tables(seeds: Seeds) -> list[Statement]:
    receipts = table_arn(f"{names.RECEIPTS_TABLE}*")
    through = {"StringEquals": {"kms:ViaService": service_host("dynamodb")}}
    former = {"StringLike": {"kms:EncryptionContext:aws:dynamodb:tableName": f"{names.RECEIPTS_TABLE}*"}}
    return [
        allow("ReadStateAndReceipts", ["dynamodb:GetItem", "dynamodb:Query"], [table_arn(names.STATE_TABLE), receipts]),
        allow("LookThroughReceipts", ["dynamodb:Scan"], [receipts]),
        allow("DecryptStateAndReceipts", ["kms:Decrypt"], [seeds.key], when=through),
        allow("DecryptFormerReceipts", ["kms:Decrypt"], [regional_arn("kms", "key/*")], when=through | former),
    ]


def _look() -> list[Statement]:
    """Return what the command line needs to tell how the deployment is, and to rotate at once."""
    return [
        allow(
            "FindDeployment",
            ["cloudformation:DescribeStacks"],
            [regional_arn("cloudformation", f"stack/{names.STACK}/*")],
        ),
        allow("SeeGate", ["iam:GetRole"], [role_arn(names.WRITE_ROLE)]),
        allow("SeeAlarms", ["cloudwatch:DescribeAlarms"], [regional_arn("cloudwatch", "alarm:*")]),
        allow("RotateNow", ["lambda:InvokeFunction"], [function_arn(names.ROTATE_FUNCTION)]),
    ]


def _examine() -> list[Statement]:
    """Return what `doctor` needs besides: whether what stands around the gate is as it was deployed."""
    functions = [function_arn(names.ROTATE_FUNCTION), function_arn(names.REMEDIATE_FUNCTION)]
    grants = global_arn("iam", f"policy/{names.WRITE_ROLE}-*")
    dead_letters = ("sqs:GetQueueAttributes", "sqs:GetQueueUrl")
    return [
        allow(
            "SeeSchedule", ["scheduler:GetSchedule"], [regional_arn("scheduler", f"schedule/default/{names.SCHEDULE}")]
        ),
        allow("SeeFunctions", ["lambda:GetFunctionConfiguration"], functions),
        allow("SeeWhoIsTold", ["sns:ListSubscriptionsByTopic"], [regional_arn("sns", names.ALARM_TOPIC)]),
        allow("SeeDeadLetters", dead_letters, [regional_arn("sqs", names.DEAD_LETTERS)]),
        allow("SeeReader", ["iam:GetRolePolicy"], [role_arn(names.READER_ROLE)]),
        allow("SeeGrants", ["iam:ListAttachedRolePolicies"], [role_arn(names.WRITE_ROLE)]),
        allow("ReadGrants", ["iam:GetPolicy", "iam:GetPolicyVersion"], [grants]),
    ]


def _freeze(seeds: Seeds) -> list[Statement]:
    """Return what a freeze takes: the state, and a Deny in the write role. The gate is moved by the rotator alone.

    IAM can't limit what an inline policy says. So it may be put only while the role has its boundary, above which no
    policy lifts it; and who puts it can't let anybody assume the role. See decision 0016.
    """
    bounded = {"StringEquals": {"iam:PermissionsBoundary": global_arn("iam", f"policy/{names.WRITE_BOUNDARY}")}}
    (keys,) = USES_STATE.values()
    control: Conditions = {
        "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": list(keys)},
        "Null": {"dynamodb:LeadingKeys": "false"},
    }
    through = {"StringEquals": {"kms:ViaService": service_host("dynamodb")}}
    look, put = USES_WRITE_ROLE
    return [
        allow("SetState", USES_STATE, [table_arn(names.STATE_TABLE)], when=control),
        allow("WriteEncryptedState", WRITE_ENCRYPTED_TABLE, [seeds.key], when=through),
        allow("SeeDeny", [look], [role_arn(names.WRITE_ROLE)]),
        allow("PutDeny", [put], [role_arn(names.WRITE_ROLE)], when=bounded),
    ]


def _edit_policy() -> list[Statement]:
    """Return what it takes to put the customer's policy: its item, whole. The key to write it with is granted above."""
    (keys,) = policy_item.USES_STATE.values()
    policy: Conditions = {
        "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": list(keys)},
        "Null": {"dynamodb:LeadingKeys": "false"},
    }
    return [allow("EditPolicy", policy_item.USES_STATE, [table_arn(names.STATE_TABLE)], when=policy)]
