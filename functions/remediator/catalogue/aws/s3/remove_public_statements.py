"""Take everybody out of a bucket's policy."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Final

from remediator.catalogue.aws.resources import S3_BUCKET
from remediator.catalogue.aws.s3 import policy
from remediator.catalogue.aws.statements import NARROWING, fixed, listed, without_everybody
from remediator.catalogue.spec import Example, Fix, NoParameters, Severity, allow, ids

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from remediator.catalogue.aws.s3.policy import Policy
    from remediator.catalogue.aws.statements import Narrowing
    from remediator.catalogue.spec import JSON, Target

ARN: Final = S3_BUCKET.example["arn"]
PARTNER: Final = "arn:aws:iam::111122223333:root"


def of_one_account(value: str) -> bool:
    """Tell whether an ARN is that of an access point, or of all access points, of a fixed account."""
    return re.fullmatch(r"arn:[a-z-]+:s3:[a-z0-9-]*:[0-9]{12}:accesspoint/.+", value) is not None


KEYS: Final[Narrowing] = {
    **NARROWING,
    "s3:dataaccesspointarn": of_one_account,
    "s3:dataaccesspointaccount": fixed,
    "s3:x-amz-server-side-encryption-aws-kms-key-id": fixed,
}
"""S3's own keys beside those of every service; source: S3 user guide, "The meaning of public"."""


def allow_read(sid: str, principal: JSON, **more: JSON) -> dict[str, JSON]:
    """Return a statement that lets somebody read the objects, for the examples."""
    who = {} if principal is None else {"Principal": principal}
    return {"Sid": sid, "Effect": "Allow", **who, "Action": "s3:GetObject", "Resource": f"{ARN}/*", **more}


KEPT: Final = (
    allow_read("Partner", {"AWS": PARTNER, "Service": "cloudfront.amazonaws.com"}),
    allow_read("Offices", "*", Condition={"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8::/32"]}}),
    allow_read(
        "AccessPoints",
        {"AWS": "*"},
        Condition={"StringLike": {"s3:DataAccessPointArn": "arn:aws:s3:eu-west-1:123456789012:accesspoint/*"}},
    ),
    allow_read("PlainHttp", "*", Effect="Deny", Condition={"Bool": {"aws:SecureTransport": "false"}}),
)
HEAD: Final = {"Version": "2008-10-17", "Id": "kept"}
PUBLIC: Final = allow_read("Website", "*")


class RemovePublicStatements(Fix["S3Client", "Policy | None", NoParameters]):
    """Take everybody out of a bucket's policy.

    What the policy allows to the whole world ends at once: anonymous downloads and static websites that are served
    straight from the bucket break. A statement that is for everybody alone goes; one that names others too is left to
    them. Denials, statements for named principals and those that hold only for a fixed network, account, organization
    or access point stay as they are. A policy with nothing left in it is deleted. What is public is decided as S3
    decides it; a condition with a wildcard, such as `vpc-*`, doesn't make a statement private.

    A bucket whose public policy was overruled by "restrict public buckets" gives other accounts the access again that
    the rest of its policy names. While the bucket blocks public policies, S3 refuses the rollback, which would write
    one.
    """

    id = "aws.s3.remove-public-statements"
    target = S3_BUCKET
    severity = Severity.CRITICAL
    service = "s3"
    reads = allow("s3:GetBucketPolicy")
    writes = allow("s3:PutBucketPolicy", "s3:DeleteBucketPolicy")
    answers: ClassVar = {
        "cloudsploit": ids("bucketAllUsersPolicy"),
        "prowler": ids("s3_bucket_policy_public_write_access"),
    }
    examples = (
        Example(
            broken={
                **HEAD,
                "Statement": [
                    PUBLIC,
                    *KEPT,
                    allow_read("ButOne", None, NotPrincipal={"AWS": PARTNER}),
                    allow_read("AnyNetwork", "*", Condition={"StringLike": {"aws:SourceVpc": "vpc-*"}}),
                    allow_read("Everybody", {"AWS": ["*", PARTNER]}),
                ],
            },
            fixed={**HEAD, "Statement": [*KEPT, allow_read("Everybody", {"AWS": PARTNER})]},
            others=(None, {**HEAD, "Statement": [*KEPT]}),
        ),
        Example(broken={**HEAD, "Statement": [PUBLIC]}, fixed=None, others=({**HEAD, "Statement": [*KEPT]},)),
    )

    def read(self, client: S3Client, target: Target) -> Policy | None:
        """Return the bucket's policy, None where there is none."""
        return policy.read(client, target)

    def desired(self, current: Policy | None, parameters: NoParameters) -> Policy | None:  # noqa: ARG002 - takes none
        """Return the policy without what it allows to everybody, None if that was all."""
        if current is None:
            return None
        statements = listed(current["Statement"])
        left = without_everybody(statements, KEYS)
        if left == statements:
            return current
        return {**current, "Statement": left} if left else None

    def write(self, client: S3Client, target: Target, before: Policy | None, after: Policy | None) -> None:  # noqa: ARG002 - a policy is written whole
        """Put the policy, or take it away where nothing is left or there was none."""
        policy.write(client, target, after)
