"""Make the bucket that the story is about: nothing is blocked for it, empty and private as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from live.story import AS_IT_WAS, CLOSED
from remediator.vendor import Finding

if TYPE_CHECKING:
    from live.aws.workshop import AwsWorkshop

FIX: Final = "aws.s3.block-public-access"


@dataclass(frozen=True, slots=True)
class Bucket:
    """Hold the workshop that the bucket is made in."""

    shop: AwsWorkshop

    def make(self) -> Finding:
        """Make it, and return what a scanner would find."""
        s3, name, region = self.shop.customer.client("s3"), self.shop.name("bucket"), self.shop.region
        self.shop.say(f"creating bucket {name}")
        place: dict[str, Any] = (
            {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        )
        s3.create_bucket(Bucket=name, **place)
        s3.delete_public_access_block(Bucket=name)
        return Finding(fix=FIX, target={"arn": f"arn:aws:s3:::{name}", "region": region})

    def setting(self) -> str:
        """Return whether public access is blocked."""
        s3 = self.shop.customer.client("s3")
        try:
            found = s3.get_public_access_block(Bucket=self.shop.name("bucket"))["PublicAccessBlockConfiguration"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchPublicAccessBlockConfiguration":
                raise
            return AS_IT_WAS
        return CLOSED if all(found.values()) else f"{found}"

    def remove(self) -> None:
        """Take it away, if it was made."""
        s3 = self.shop.customer.client("s3")
        try:
            s3.delete_bucket(Bucket=self.shop.name("bucket"))
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchBucket":
                raise
