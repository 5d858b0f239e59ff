"""Encrypt every new EBS volume of an account in one region."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from remediator.catalogue.aws.resources import ACCOUNT_IN_REGION
from remediator.catalogue.spec import Example, Fix, NoParameters, Severity, allow_on_all, ids

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

    from remediator.catalogue.spec import Target


class EncryptEbsByDefault(Fix["EC2Client", "bool", NoParameters]):
    """Encrypt new EBS volumes of an account in one region.

    Volumes and copies of snapshots that are made from now on are encrypted, with the account's default key for EBS;
    those that exist stay as they are. Where that key is one of the customer's own, whoever starts instances needs the
    right to use it, and service-linked roles, such as that of Auto Scaling, need a grant on it. A snapshot that is
    encrypted with AWS's own key can't be shared with other accounts, and the oldest types of instances take no
    encrypted volumes. Which key is the default isn't changed.
    """

    id = "aws.ec2.encrypt-ebs-by-default"
    target = ACCOUNT_IN_REGION
    severity = Severity.MEDIUM
    service = "ec2"
    reads = allow_on_all("ec2:GetEbsEncryptionByDefault")
    writes = allow_on_all("ec2:EnableEbsEncryptionByDefault", "ec2:DisableEbsEncryptionByDefault")
    answers: ClassVar = {
        "cloudsploit": ids("ebsDefaultEncryptionEnabled"),
        "prowler": ids("ec2_ebs_default_encryption"),
        "security-hub": ids("EC2.7"),
    }
    examples = (Example(broken=False, fixed=True),)

    def read(self, client: EC2Client, target: Target) -> bool:  # noqa: ARG002 - the client's account and region are the target
        """Return whether new volumes are encrypted."""
        return client.get_ebs_encryption_by_default()["EbsEncryptionByDefault"]

    def desired(self, current: bool, parameters: NoParameters) -> bool:  # noqa: ARG002, FBT001 - a switch, and takes none
        """Return that they are."""
        return True

    def write(self, client: EC2Client, target: Target, before: bool, after: bool) -> None:  # noqa: ARG002, FBT001 - a switch
        """Switch it on or off."""
        if after:
            client.enable_ebs_encryption_by_default()
            return
        client.disable_ebs_encryption_by_default()
