"""Take a database instance's public address away."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from remediator.catalogue.aws.resources import DB_INSTANCE
from remediator.catalogue.errors import NotApplicable, Underway
from remediator.catalogue.spec import Example, Fix, NoParameters, Severity, allow, ids

if TYPE_CHECKING:
    from mypy_boto3_rds import RDSClient

    from remediator.catalogue.spec import Target


class DisablePublicAccess(Fix["RDSClient", "bool", NoParameters]):
    """Take a database instance's public address away.

    The instance's name leads to its private address from then on: clients outside of its VPC, and of what is connected
    to it, lose the database, and connections that stand over the public address end. RDS does so within minutes and
    without a restart. Security groups and subnets stay as they are; so do other changes that wait for the maintenance
    window, none of which is brought forward. Read replicas and the other instances of an Aurora cluster have addresses
    of their own, and are findings of their own.
    """

    id = "aws.rds.disable-public-access"
    target = DB_INSTANCE
    severity = Severity.CRITICAL
    service = "rds"
    asynchronous = True
    reads = allow("rds:DescribeDBInstances")
    writes = allow("rds:ModifyDBInstance")
    answers: ClassVar = {
        "cloudsploit": ids("rdsPubliclyAccessible"),
        "prowler": ids("rds_instance_no_public_access"),
        "security-hub": ids("RDS.2"),
    }
    examples = (Example(broken=True, fixed=False),)

    def read(self, client: RDSClient, target: Target) -> bool:
        """Return whether the instance has a public address; raise `Underway` while RDS modifies it.

        Raises `NotApplicable` if it is being deleted.
        """
        instance = client.describe_db_instances(DBInstanceIdentifier=target["name"])["DBInstances"][0]
        if instance["DBInstanceStatus"] == "modifying":
            raise Underway("RDS is modifying the instance")
        if instance["DBInstanceStatus"] == "deleting":
            raise NotApplicable("the instance is being deleted")
        return instance.get("PubliclyAccessible", False)

    def desired(self, current: bool, parameters: NoParameters) -> bool:  # noqa: ARG002, FBT001 - a switch, and takes none
        """Return that it has none."""
        return False

    def write(self, client: RDSClient, target: Target, before: bool, after: bool) -> None:  # noqa: ARG002, FBT001 - a switch
        """Ask for it, and for nothing else.

        Never with `ApplyImmediately`: RDS changes this setting at once without it, and with it brings forward all that
        waits for the maintenance window, restarts included ("Modifying an Amazon RDS DB instance", RDS user guide).
        """
        client.modify_db_instance(DBInstanceIdentifier=target["name"], PubliclyAccessible=after)
