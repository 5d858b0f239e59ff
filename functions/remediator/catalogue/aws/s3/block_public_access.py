"""Block every form of public access to a bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, TypeAlias

from remediator.catalogue.aws.resources import S3_BUCKET
from remediator.catalogue.spec import Example, Fix, NoParameters, Severity, allow, ids

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from remediator.catalogue.spec import Target

Switches: TypeAlias = dict[str, bool]

SWITCHES: Final = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
ALL_ON: Final = dict.fromkeys(SWITCHES, True)


class BlockPublicAccess(Fix["S3Client", "Switches | None", NoParameters]):
    """Block every form of public access to a bucket.

    Public ACLs and public policies stop working at once: static websites and anonymous downloads that are served
    straight from the bucket break, and so does access that a public policy gives to other accounts. ACLs and the policy
    themselves stay as they are.
    """

    id = "aws.s3.block-public-access"
    target = S3_BUCKET
    severity = Severity.HIGH
    service = "s3"
    reads = allow("s3:GetBucketPublicAccessBlock")
    writes = allow("s3:PutBucketPublicAccessBlock")
    answers: ClassVar = {
        "cloudsploit": ids("bucketPublicAccessBlock"),
        "prowler": ids("s3_bucket_level_public_access_block", "s3_bucket_public_access"),
        "security-hub": ids("CloudTrail.6", "S3.2", "S3.3", "S3.8"),
    }
    examples = (
        Example(broken=None, fixed=ALL_ON, others=(ALL_ON | {"IgnorePublicAcls": False},)),
        Example(broken=ALL_ON | {"BlockPublicPolicy": False}, fixed=ALL_ON, others=(None,)),
    )

    def read(self, client: S3Client, target: Target) -> Switches | None:
        """Return the four switches, or None where the bucket has no such setting."""
        try:
            answer = client.get_public_access_block(Bucket=target["bucket"], ExpectedBucketOwner=target.account)
        except client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchPublicAccessBlockConfiguration":
                raise
            return None
        found = answer["PublicAccessBlockConfiguration"]
        return {switch: bool(found.get(switch, False)) for switch in SWITCHES}

    def desired(self, current: Switches | None, parameters: NoParameters) -> Switches | None:  # noqa: ARG002 - takes none
        """Return all switches on."""
        return current if current == ALL_ON else dict(ALL_ON)

    def write(self, client: S3Client, target: Target, before: Switches | None, after: Switches | None) -> None:  # noqa: ARG002 - the setting is written whole
        """Put the four switches, or take the setting away where there was none."""
        if after is None:
            client.delete_public_access_block(Bucket=target["bucket"], ExpectedBucketOwner=target.account)
            return
        client.put_public_access_block(
            Bucket=target["bucket"],
            ExpectedBucketOwner=target.account,
            PublicAccessBlockConfiguration={
                "BlockPublicAcls": after["BlockPublicAcls"],
                "IgnorePublicAcls": after["IgnorePublicAcls"],
                "BlockPublicPolicy": after["BlockPublicPolicy"],
                "RestrictPublicBuckets": after["RestrictPublicBuckets"],
            },
        )
