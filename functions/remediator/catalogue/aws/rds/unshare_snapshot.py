"""Stop sharing an RDS snapshot with everybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

from remediator.catalogue.aws.resources import RDS_SNAPSHOT
from remediator.catalogue.spec import Example, Fix, Severity, allow, ids, parameter

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mypy_boto3_rds import RDSClient

    from remediator.catalogue.spec import Target

Shares: TypeAlias = list[str]
"""The accounts that may restore the snapshot, sorted, and `all` where everybody may."""

EVERYBODY: Final = "all"
RESTORE: Final = "restore"
CLUSTER: Final = {"arn": "arn:aws:rds:eu-west-1:123456789012:cluster-snapshot:before-upgrade"}


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


class UnshareSnapshot(Fix["RDSClient", "Shares", Outsiders]):
    """Stop sharing an RDS snapshot with everybody.

    Strangers can't copy or restore the snapshot any more; copies that they made stay theirs. Accounts that it is shared
    with by name keep their access, unless they are named too. Snapshots of clusters, of Aurora, DocumentDB and Neptune
    alike, are handled as well.
    """

    id = "aws.rds.unshare-snapshot"
    target = RDS_SNAPSHOT
    severity = Severity.CRITICAL
    service = "rds"
    parameters = Outsiders
    reads = allow("rds:DescribeDBSnapshotAttributes", "rds:DescribeDBClusterSnapshotAttributes")
    writes = allow("rds:ModifyDBSnapshotAttribute", "rds:ModifyDBClusterSnapshotAttribute")
    answers: ClassVar = {
        "cloudsploit": ids("rdsSnapshotPubliclyAccessible"),
        "prowler": ids(
            "documentdb_cluster_public_snapshot", "neptune_cluster_public_snapshot", "rds_snapshots_public_access"
        ),
        "security-hub": ids("DocumentDB.3", "Neptune.3", "RDS.1"),
    }
    examples = (
        Example(
            broken=["111122223333", "444455556666", EVERYBODY],
            fixed=["111122223333", "444455556666"],
            others=(["111122223333"], []),
        ),
        Example(
            target=CLUSTER,
            parameters={"accounts": ["444455556666", "777788889999"]},
            broken=["111122223333", "444455556666", EVERYBODY],
            fixed=["111122223333"],
            others=(["111122223333", EVERYBODY],),
        ),
    )

    def read(self, client: RDSClient, target: Target) -> Shares:
        """Return with whom the snapshot is shared, sorted."""
        if _is_of_cluster(target):
            answer = client.describe_db_cluster_snapshot_attributes(DBClusterSnapshotIdentifier=target["name"])
            return _shares(answer["DBClusterSnapshotAttributesResult"]["DBClusterSnapshotAttributes"])
        result = client.describe_db_snapshot_attributes(DBSnapshotIdentifier=target["name"])
        return _shares(result["DBSnapshotAttributesResult"]["DBSnapshotAttributes"])

    def desired(self, current: Shares, parameters: Outsiders) -> Shares:
        """Return those it is shared with, without everybody and the accounts that are named."""
        return [one for one in current if one != EVERYBODY and one not in parameters.accounts]

    def write(self, client: RDSClient, target: Target, before: Shares, after: Shares) -> None:
        """Add and remove the difference alone."""
        change = {"ValuesToAdd": sorted({*after} - {*before}), "ValuesToRemove": sorted({*before} - {*after})}
        values = {name: accounts for name, accounts in change.items() if accounts}
        if _is_of_cluster(target):
            client.modify_db_cluster_snapshot_attribute(
                DBClusterSnapshotIdentifier=target["name"], AttributeName=RESTORE, **values
            )
            return
        client.modify_db_snapshot_attribute(DBSnapshotIdentifier=target["name"], AttributeName=RESTORE, **values)


def _is_of_cluster(target: Target) -> bool:
    return target["type"] == "cluster-snapshot"


def _shares(attributes: Iterable[Any]) -> Shares:
    return sorted(
        value for one in attributes if one["AttributeName"] == RESTORE for value in one.get("AttributeValues", [])
    )
