"""Stop sharing an EBS snapshot with everybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

from remediator.catalogue.aws.resources import EBS_SNAPSHOT
from remediator.catalogue.spec import Example, Fix, Severity, allow, ids, parameter

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from mypy_boto3_ec2 import EC2Client

    from remediator.catalogue.spec import Target

Shares: TypeAlias = list[str]
"""The accounts that may make volumes of the snapshot, sorted, and `all` where everybody may."""

EVERYBODY: Final = "all"


@dataclass(frozen=True, slots=True)
class Outsiders:
    """Say with whom, besides everybody, to stop sharing."""

    accounts: Sequence[str] = parameter(
        "Accounts to stop sharing with as well; all others keep their access.",
        default=(),
        type="array",
        maxItems=20,
        uniqueItems=True,
        items={"type": "string", "pattern": "^[0-9]{12}$"},
    )


class UnshareSnapshot(Fix["EC2Client", "Shares", Outsiders]):
    """Stop sharing an EBS snapshot with everybody.

    Strangers can't copy the snapshot or make volumes of it any more; copies and volumes that they made stay theirs.
    Accounts that it is shared with by name keep their access, unless they are named too. A rollback to everybody is
    refused by EC2 where the account blocks public snapshots by then.
    """

    id = "aws.ec2.unshare-snapshot"
    target = EBS_SNAPSHOT
    severity = Severity.CRITICAL
    service = "ec2"
    parameters = Outsiders
    reads = allow("ec2:DescribeSnapshotAttribute")
    writes = allow("ec2:ModifySnapshotAttribute")
    answers: ClassVar = {
        "cloudsploit": ids("ebsSnapshotPrivate", "ebsSnapshotPublic"),
        "prowler": ids("ec2_ebs_public_snapshot"),
        "security-hub": ids("EC2.1"),
    }
    examples = (
        Example(
            broken=["111122223333", "444455556666", EVERYBODY],
            fixed=["111122223333", "444455556666"],
            others=(["111122223333"], [], ["777788889999", EVERYBODY]),
        ),
        Example(
            parameters={"accounts": ["444455556666", "777788889999"]},
            broken=["111122223333", "444455556666"],
            fixed=["111122223333"],
            others=(["111122223333", EVERYBODY],),
        ),
    )

    def read(self, client: EC2Client, target: Target) -> Shares:
        """Return with whom the snapshot is shared, sorted."""
        answer = client.describe_snapshot_attribute(SnapshotId=target["snapshot"], Attribute="createVolumePermission")
        return sorted(one.get("UserId") or one["Group"] for one in answer["CreateVolumePermissions"])

    def desired(self, current: Shares, parameters: Outsiders) -> Shares:
        """Return those it is shared with, without everybody and the accounts that are named."""
        return [one for one in current if one != EVERYBODY and one not in parameters.accounts]

    def write(self, client: EC2Client, target: Target, before: Shares, after: Shares) -> None:
        """Add, then remove the difference alone: EC2 doesn't do both at once."""
        changes: tuple[tuple[Any, set[str]], ...] = (("add", {*after} - {*before}), ("remove", {*before} - {*after}))
        for operation, shares in changes:
            if shares:
                client.modify_snapshot_attribute(
                    SnapshotId=target["snapshot"],
                    Attribute="createVolumePermission",
                    OperationType=operation,
                    **_named(shares),
                )


def _named(shares: Collection[str]) -> dict[str, Any]:
    named = {"GroupNames": sorted({*shares} & {EVERYBODY}), "UserIds": sorted({*shares} - {EVERYBODY})}
    return {name: some for name, some in named.items() if some}
