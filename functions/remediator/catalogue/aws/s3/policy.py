"""Read a bucket's policy, and write it whole."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from remediator.catalogue.spec import Target

Policy: TypeAlias = dict[str, Any]


def read(client: S3Client, target: Target) -> Policy | None:
    """Return the bucket's policy, None where there is none."""
    try:
        answer = client.get_bucket_policy(Bucket=target["bucket"], ExpectedBucketOwner=target.account)
    except client.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucketPolicy":
            raise
        return None
    policy: Policy = json.loads(answer["Policy"])
    return policy


def write(client: S3Client, target: Target, policy: Policy | None) -> None:
    """Put the policy, or take it away."""
    if policy is None:
        client.delete_bucket_policy(Bucket=target["bucket"], ExpectedBucketOwner=target.account)
        return
    client.put_bucket_policy(Bucket=target["bucket"], ExpectedBucketOwner=target.account, Policy=text(policy))


def text(policy: Policy) -> str:
    """Return a policy as S3 is sent it, in the fewest characters."""
    return json.dumps(policy, separators=(",", ":"), ensure_ascii=False)
