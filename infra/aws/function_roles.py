"""Make the roles that the functions run as, and the one that starts the rotator."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from infra.aws import admissions, names, uses
from infra.aws.announcing import announce
from infra.aws.arns import function_arn, log_streams_arn, regional_arn, role_arn, service_host, table_arn
from infra.aws.callers import SESSION_SECONDS
from infra.aws.statements import allow, deny, deny_all_but, deny_elsewhere, inline, trust
from remediator.catalogue.policies import forbidden_deny

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_sqs as sqs
    from constructs import Construct

    from infra.aws.callers import Seeds
    from infra.aws.own_resources import OwnResources
    from infra.aws.sealed import SealedValue
    from infra.aws.statements import Statement

WRITE_LOGS: Final = ("logs:CreateLogStream", "logs:PutLogEvents")
USE_TABLE_KEY: Final = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
"""What DynamoDB does with a table's key in the name of who reads and writes items."""

WRITE_ENCRYPTED: Final = ("kms:Decrypt", "kms:GenerateDataKey")
"""What Secrets Manager and SQS do with the key in the name of who puts a value or sends a message."""


def make_rotator_role(
    scope: Construct, seeds: Seeds, dead_letters: sqs.Queue, *, sealed: SealedValue | None, by_hand: bool
) -> iam.CfnRole:
    """Make the rotator's role: it writes seeds, verifiers and the gate, and knows nothing of receipts.

    With a sealed gate it has no right on IAM at all.
    """
    return _function_role(
        scope,
        "Rotator",
        names.ROTATOR_ROLE,
        "Remediator: what the rotator may do: make seeds, stage windows, move the gate",
        [
            *_items("Stage", uses.ROTATOR_STATE, table_arn(names.STATE_TABLE)),
            *(admissions.clear_deposits() if by_hand else ()),
            _use_key("UseTableKey", USE_TABLE_KEY, seeds.key, "dynamodb"),
            allow("KeepSeeds", _keep_seeds(), seeds.secrets),
            allow("FetchSeedsAtOnce", ["secretsmanager:BatchGetSecretValue"], ["*"]),
            _use_key("UseSeedKey", WRITE_ENCRYPTED, seeds.key, "secretsmanager"),
            *(sealed.move() if sealed else (allow("MoveGate", uses.ROTATOR_GATE, [role_arn(names.WRITE_ROLE)]),)),
            *_send(dead_letters, seeds.key),
            allow("WriteLogs", WRITE_LOGS, [log_streams_arn(names.ROTATE_FUNCTION)]),
            deny("NoReceipts", ["dynamodb:*"], [table_arn(f"{names.RECEIPTS_TABLE}*")]),
        ],
    )


def make_remediator_role(
    scope: Construct, key_arn: str, own: OwnResources, receipts: str, *, by_hand: bool
) -> iam.CfnRole:
    """Make the remediator's own role: two tables, its log, and a request to the gate; nothing of the customer's."""
    return _function_role(
        scope,
        "RemediatorRole",
        names.REMEDIATOR_ROLE,
        "Remediator: what the remediator may do by itself: check requests, keep receipts, knock at the gate",
        [
            *_items("State", uses.REMEDIATOR_STATE, table_arn(names.STATE_TABLE)),
            *(admissions.count_attempts() if by_hand else ()),
            allow("KeepReceipts", uses.REMEDIATOR_RECEIPTS, [table_arn(receipts)]),
            _use_key("UseTableKey", USE_TABLE_KEY, key_arn, "dynamodb"),
            allow("PassGate", uses.REMEDIATOR_GATE, [role_arn(names.WRITE_ROLE)]),
            announce(),
            allow("WriteLogs", WRITE_LOGS, [log_streams_arn(names.REMEDIATE_FUNCTION)]),
            *_nothing_else_of_ours(own),
            forbidden_deny(),
        ],
    )


def make_watcher_role(scope: Construct, key_arn: str, receipts: str) -> iam.CfnRole:
    """Make the watcher's role: it looks requests up, and writes nothing but its log."""
    return _function_role(
        scope,
        "Watcher",
        names.WATCHER_ROLE,
        "Remediator: what the watcher may do: look requests up",
        [
            allow("LookUp", uses.WATCHER_RECEIPTS, [table_arn(receipts)]),
            _use_key("UseTableKey", ["kms:Decrypt", "kms:DescribeKey"], key_arn, "dynamodb"),
            allow("WriteLogs", WRITE_LOGS, [log_streams_arn(names.WATCH_FUNCTION)]),
        ],
    )


def make_scheduler_role(scope: Construct, dead_letters: sqs.Queue, key_arn: str) -> iam.CfnRole:
    """Make the role that starts the rotator."""
    return iam.CfnRole(
        scope,
        "Scheduler",
        role_name=names.SCHEDULER_ROLE,
        description="Remediator: what the schedule may do: start the rotator",
        assume_role_policy_document=trust(
            {"Service": "scheduler.amazonaws.com"},
            when={
                "StringEquals": {
                    "aws:SourceAccount": Aws.ACCOUNT_ID,
                    "aws:SourceArn": regional_arn("scheduler", "schedule-group/default"),
                }
            },
        ),
        max_session_duration=SESSION_SECONDS,
        policies=[
            inline(
                "rotate",
                [
                    allow("Rotate", ["lambda:InvokeFunction"], [function_arn(names.ROTATE_FUNCTION)]),
                    *_send(dead_letters, key_arn),
                ],
            )
        ],
    )


def _function_role(
    scope: Construct, construct_id: str, name: str, description: str, statements: Sequence[Statement]
) -> iam.CfnRole:
    return iam.CfnRole(
        scope,
        construct_id,
        role_name=name,
        description=description,
        assume_role_policy_document=trust({"Service": "lambda.amazonaws.com"}),
        max_session_duration=SESSION_SECONDS,
        policies=[inline("work", statements)],
    )


def _items(sid: str, items: uses.Items, table: str) -> list[Statement]:
    """Allow actions on those items of a table whose partition keys they are used on.

    Without the second condition a request that names no key would pass the first one.
    """
    by_keys = sorted((tuple(sorted(keys)), action) for action, keys in items.items())
    return [
        allow(
            f"{sid}{number}",
            [action for _, action in same],
            [table],
            when={
                "ForAllValues:StringLike": {"dynamodb:LeadingKeys": list(keys)},
                "Null": {"dynamodb:LeadingKeys": "false"},
            },
        )
        for number, (keys, same) in enumerate(groupby(by_keys, key=lambda one: one[0]))
    ]


def _use_key(sid: str, actions: Sequence[str], key_arn: str, service: str) -> Statement:
    return allow(sid, actions, [key_arn], when={"StringEquals": {"kms:ViaService": service_host(service)}})


def _keep_seeds() -> list[str]:
    return [action for action in uses.ROTATOR_SEEDS if action != "secretsmanager:BatchGetSecretValue"]


def _send(queue: sqs.Queue, key_arn: str) -> list[Statement]:
    return [
        allow("GiveUp", ["sqs:SendMessage"], [queue.queue_arn]),
        _use_key("UseQueueKey", WRITE_ENCRYPTED, key_arn, "sqs"),
    ]


def _nothing_else_of_ours(own: OwnResources) -> list[Statement]:
    """Deny everything on the deployment's own resources but what is granted above."""
    items = {*uses.REMEDIATOR_STATE, *uses.REMEDIATOR_RECEIPTS}
    return [
        deny("NothingOfOurs", ["*"], own.others),
        deny_all_but("ItemsOnly", items, own.tables),
        deny_all_but("KeyForItemsOnly", USE_TABLE_KEY, own.keys),
        deny_all_but("WriteLogsOnly", WRITE_LOGS, own.logs),
        deny_all_but("AssumeOnly", uses.REMEDIATOR_GATE, own.roles),
        deny_elsewhere("AssumeWriteRoleOnly", uses.REMEDIATOR_GATE, [role_arn(names.WRITE_ROLE)]),
    ]
