"""Show what kinds of encryption a bucket refuses: moto takes them and tells nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult
from moto.s3.responses import S3Response

if TYPE_CHECKING:
    from remediator.local.emulator.hooks import Hooks


def install(hooks: Hooks) -> None:
    """Repair moto's GetBucketEncryption.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_ServerSideEncryptionRule.html
    """

    def get_bucket_encryption(self: S3Response) -> Any:  # noqa: ANN401 - moto's own
        kept = (self.backend.get_bucket_encryption(self.bucket_name) or {}).get("Rule", {})
        if "BlockedEncryptionTypes" not in kept:
            return show(self)
        kinds = kept["BlockedEncryptionTypes"]["EncryptionType"]
        rule = {
            "ApplyServerSideEncryptionByDefault": kept["ApplyServerSideEncryptionByDefault"],
            "BucketKeyEnabled": kept.get("BucketKeyEnabled") == "true",
            "BlockedEncryptionTypes": {"EncryptionType": kinds if isinstance(kinds, list) else [kinds]},
        }
        self.data["Action"] = "GetBucketEncryption"
        return self.serialized(ActionResult({"ServerSideEncryptionConfiguration": {"Rules": [rule]}}))

    show = hooks.replace(S3Response, "get_bucket_encryption", get_bucket_encryption)
