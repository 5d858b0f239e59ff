"""Say why a right is there that a whole run doesn't use."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from tests.permissions.granted import Right

Reasons: TypeAlias = "dict[tuple[str, str, str], str]"
"""(role, statement, action) → why; in the first two and the last, `*` stands for anything."""

_KEY: Final = "DynamoDB asks for it in the caller's name; the embedded one asks for less"
_QUEUE: Final = "only when every retry has failed"
_LAWS: Final = "the mess has no such case; the laws use it (`tests/laws`)"

_LOGS: Final = "the runtime writes the log; the embedded one asks for the right, but doesn't note it as a call"

UNUSED_ON_AWS: Final[Reasons] = {
    **{
        ("remediator*", "UseTableKey", f"kms:{action}"): _KEY
        for action in ("DescribeKey", "Encrypt", "ReEncryptFrom", "ReEncryptTo")
    },
    ("remediator", "UseTableKey", "kms:GenerateDataKey"): _KEY,
    ("remediator-operator", "WriteEncryptedState", "*"): _KEY,
    ("remediator*", "WriteLogs", "*"): _LOGS,
    ("remediator-rotator", "GiveUp", "*"): _QUEUE,
    ("remediator-scheduler", "GiveUp", "*"): _QUEUE,
    ("remediator-scheduler", "UseQueueKey", "*"): _QUEUE,
    ("remediator-write", "*", "iam:DeleteAccountPasswordPolicy"): _LAWS,
    ("remediator-write", "*", "rds:DescribeDBClusterSnapshotAttributes"): _LAWS,
    ("remediator-write", "*", "rds:ModifyDBClusterSnapshotAttribute"): _LAWS,
    ("remediator-write", "*", "s3:DeleteBucketPolicy"): _LAWS,
}

_HOST: Final = "the Functions host works with its own storage account; the embedded host has none"
_TELEMETRY: Final = "the Functions host sends telemetry; the embedded one doesn't"
_BUILT_IN: Final = "part of a role of Azure's own, which is assigned on this one resource"
_SUBSCRIPTION: Final = (
    "asked for at the subscription, while the role is held in a resource group: refused, and the resource itself is "
    "read instead; of use where the scope is the subscription"
)
_WINDOWS: Final = "Storage Table Data Contributor, remediatorwindows"
_EXPIRY: Final = "finds and deletes receipts that have expired; the whole run lasts for a day (`tests/azure`)"
_LINKED: Final = "only where a rule names an application security group, or an account a subnet; the laws use it"

UNUSED_ON_AZURE: Final[Reasons] = {
    ("Remediator", "*", "Microsoft.Compute/locations/diskOperations/read"): _SUBSCRIPTION,
    ("Remediator", "*", "Microsoft.DBforPostgreSQL/locations/azureAsyncOperation/read"): _SUBSCRIPTION,
    ("Remediator", "*", "Microsoft.Network/locations/operations/read"): _SUBSCRIPTION,
    ("Remediator", "*", "Microsoft.Network/applicationSecurityGroups/joinNetworkSecurityRule/action"): _LINKED,
    ("Remediator", "*", "Microsoft.Network/virtualNetworks/subnets/joinViaServiceEndpoint/action"): _LINKED,
    ("remediator-remediate", "EventGrid Data Sender, *", "*/read"): _BUILT_IN,
    ("*", "Key Vault Secrets User, *", "*/readMetadata/action"): _BUILT_IN,
    ("remediator-rotate", "Key Vault Secrets Officer, *", "*/read"): _BUILT_IN,
    ("*", "Storage Table Data Reader, *", "*/tables/read"): _BUILT_IN,
    ("remediator-rotate", _WINDOWS, "*/tables/read"): _BUILT_IN,
    ("remediator-rotate", _WINDOWS, "*/tables/write"): _BUILT_IN,
    ("remediator-rotate", _WINDOWS, "*/tables/delete"): _BUILT_IN,
    ("remediator-rotate", _WINDOWS, "*/entities/write"): _BUILT_IN,
    ("remediator-rotate", "Storage Table Data Contributor, remediatorreceipts", "*"): _EXPIRY,
    ("remediator-r*", "Monitoring Metrics Publisher, *", "*"): _TELEMETRY,
    ("remediator-r*", "Storage Blob Data Owner, *", "*"): _HOST,
    ("remediator-r*", "Storage Queue Data Contributor, *", "*"): _HOST,
    ("remediator-r*", "Storage Table Data Contributor, remediatorr[eo]", "*"): _HOST,
}

_ROWS: Final = "finds and deletes admissions that have expired; the run lasts for a day (`tests/azure`)"

UNUSED_BY_HAND_ON_AZURE: Final[Reasons] = {
    ("remediator-rotate", "Storage Table Data Contributor, remediatoradmissions", "*"): _ROWS,
}
"""What is left besides where codes are passed on by hand."""


def reason(right: Right, reasons: Reasons) -> str | None:
    """Return why a right isn't used, or None if nobody said so."""
    told = (right.role, right.statement, right.action)
    for pattern, why in reasons.items():
        if all(fnmatchcase(*pair) for pair in zip(told, pattern, strict=True)):
            return why
    return None
