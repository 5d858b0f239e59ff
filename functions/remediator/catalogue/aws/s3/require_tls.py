"""Refuse unencrypted requests to a bucket."""

from __future__ import annotations

import re
from itertools import chain, count
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

from remediator.catalogue.aws.resources import S3_BUCKET
from remediator.catalogue.aws.s3 import policy
from remediator.catalogue.aws.statements import listed
from remediator.catalogue.errors import NotApplicable
from remediator.catalogue.spec import Example, Fix, NoParameters, Severity, allow, ids

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from remediator.catalogue.spec import JSON, Target

State: TypeAlias = dict[str, Any]
"""The bucket's ARN, and its policy or None."""

LIMIT: Final = 20 * 1024
"""The most bytes that a bucket policy may have (S3 user guide, "Bucket policies")."""

SID: Final = "RequireTls"
ARN: Final = S3_BUCKET.example["arn"]


def deny_without_tls(arn: str, sid: str) -> dict[str, JSON]:
    """Return the statement that denies everybody everything that doesn't come over TLS."""
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


PUBLIC_READ: Final = {
    "Sid": SID,
    "Effect": "Allow",
    "Principal": {"AWS": "*"},
    "Action": ["s3:GetObject"],
    "Resource": f"{ARN}/*",
    "Condition": {"Bool": {"aws:SecureTransport": "true"}},
}
OLD_TLS: Final = deny_without_tls(ARN, "OldTls") | {"Condition": {"NumericLessThan": {"s3:TlsVersion": "1.2"}}}
KEPT: Final = {"Version": "2008-10-17", "Id": "kept", "Statement": [PUBLIC_READ, OLD_TLS]}


class RequireTls(Fix["S3Client", "State", NoParameters]):
    """Refuse unencrypted requests to a bucket.

    A statement that denies everything without TLS is added to the bucket policy, which is created if there is none. The
    other statements stay as they are. Clients that use plain HTTP, static website endpoints among them, are refused.

    S3 refuses every change of a policy that is public while the bucket blocks public policies: such a bucket's policy
    has to be mended first.
    """

    id = "aws.s3.require-tls"
    target = S3_BUCKET
    severity = Severity.MEDIUM
    service = "s3"
    reads = allow("s3:GetBucketPolicy")
    writes = allow("s3:PutBucketPolicy", "s3:DeleteBucketPolicy")
    answers: ClassVar = {
        "cloudsploit": ids("bucketEncryptionInTransit"),
        "prowler": ids("s3_bucket_secure_transport_policy"),
        "security-hub": ids("S3.5"),
    }
    examples = (
        Example(
            broken={"arn": ARN, "policy": None},
            fixed={"arn": ARN, "policy": {"Version": "2012-10-17", "Statement": [deny_without_tls(ARN, SID)]}},
            others=({"arn": ARN, "policy": {"Version": "2012-10-17", "Statement": [PUBLIC_READ]}},),
        ),
        Example(
            broken={"arn": ARN, "policy": KEPT},
            fixed={
                "arn": ARN,
                "policy": KEPT | {"Statement": [PUBLIC_READ, OLD_TLS, deny_without_tls(ARN, f"{SID}2")]},
            },
            others=({"arn": ARN, "policy": None},),
        ),
    )

    def read(self, client: S3Client, target: Target) -> State:
        """Return the bucket's ARN and its policy, None where there is none."""
        return {"arn": target.id, "policy": policy.read(client, target)}

    def desired(self, current: State, parameters: NoParameters) -> State:  # noqa: ARG002 - takes none
        """Return the policy with the Deny, unless it has an equivalent one; raise `NotApplicable` if it has no room."""
        found = current["policy"] or {"Version": "2012-10-17", "Statement": []}
        statements = listed(found["Statement"])
        if any(_denies_without_tls(statement, current["arn"]) for statement in statements):
            return current
        denied = deny_without_tls(current["arn"], _free_sid(statements))
        after = found | {"Statement": [*statements, denied]}
        size = len(policy.text(after).encode())
        if size > LIMIT:
            raise NotApplicable(f"the bucket policy would have {size} bytes, {LIMIT} are allowed: shorten it first")
        return {"arn": current["arn"], "policy": after}

    def write(self, client: S3Client, target: Target, before: State, after: State) -> None:  # noqa: ARG002 - a policy is written whole
        """Put the policy, or take it away where there was none."""
        policy.write(client, target, after["policy"])


def _denies_without_tls(statement: dict[str, JSON], arn: str) -> bool:
    """Tell whether a statement denies everybody everything on the bucket and its objects that comes without TLS."""
    return (
        statement["Effect"] == "Deny"
        and _everybody(statement.get("Principal"))
        and any(action.lower() in ("*", "s3:*") for action in listed(statement.get("Action")))
        and all(_covered(name, listed(statement.get("Resource"))) for name in (arn, f"{arn}/*"))
        and _only_without_tls(statement.get("Condition", {}))
    )


def _everybody(principal: JSON) -> bool:
    return principal == "*" or (isinstance(principal, dict) and "*" in listed(principal.get("AWS")))


def _covered(name: str, patterns: list[str]) -> bool:
    """Tell whether a pattern matches all that `name` matches: `*` in a pattern stands for anything, `*` too."""
    return any(re.fullmatch(re.escape(one).replace(r"\*", ".*"), name, re.DOTALL) for one in patterns)


def _only_without_tls(condition: dict[str, dict[str, JSON]]) -> bool:
    """Tell whether a condition holds for every request without TLS: nothing else may narrow it."""
    if len(condition) != 1:
        return False
    ((operator, keys),) = condition.items()
    if operator.lower() not in ("bool", "boolifexists") or len(keys) != 1:
        return False
    ((key, values),) = keys.items()
    return key.lower() == "aws:securetransport" and [str(one).lower() for one in listed(values)] == ["false"]


def _free_sid(statements: list[dict[str, JSON]]) -> str:
    taken = {statement.get("Sid") for statement in statements}
    numbered = (f"{SID}{number}" for number in count(2))
    return next(sid for sid in chain([SID], numbered) if sid not in taken)
