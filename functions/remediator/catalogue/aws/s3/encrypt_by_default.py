"""Encrypt what is stored in a bucket, unless its writer says how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

from remediator.catalogue.aws.resources import KMS_KEY, S3_BUCKET
from remediator.catalogue.errors import NotApplicable
from remediator.catalogue.spec import Example, Fix, Severity, allow, ids, parameter

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from remediator.catalogue.spec import Target

State: TypeAlias = dict[str, Any]
"""The bucket's `region`, and its `rule`: `algorithm`, `key`, `bucket_key`, and the encryption that is `blocked`.

The rule is None where there is none, which is so in emulators and in partitions that don't encrypt everything yet.
"""

S3_MANAGED: Final = "AES256"
KMS: Final = "aws:kms"


@dataclass(frozen=True, slots=True)
class Cipher:
    """Say how to encrypt."""

    algorithm: str = parameter(
        "S3's own keys (AES256), or KMS; a bucket that is encrypted with KMS already stays as it is.",
        default=S3_MANAGED,
        type="string",
        enum=[S3_MANAGED, KMS],
    )
    kms_key: str | None = parameter(
        "The ARN of the KMS key, in the bucket's region; null for the one that AWS manages for S3.",
        default=None,
        type=["string", "null"],
        maxLength=512,
        pattern=f"{KMS_KEY.schema()['properties']['arn']['pattern']}",
    )


def rule(algorithm: str, key: str | None = None, *, bucket_key: bool = False, blocked: tuple[str, ...] = ()) -> State:
    """Return a rule."""
    return {"algorithm": algorithm, "key": key, "bucket_key": bucket_key, "blocked": [*blocked]}


REGION: Final = S3_BUCKET.example["region"]
KEY: Final = KMS_KEY.example["arn"]


def state(found: State | None) -> State:
    """Return the state of a bucket with a rule, for the examples."""
    return {"region": REGION, "rule": found}


class EncryptByDefault(Fix["S3Client", State, Cipher]):
    """Encrypt what is stored in a bucket from now on.

    Objects that are there already stay as they are. Since 2023 S3 encrypts everything with keys of its own at the
    least, so what is left to choose is KMS: then whoever writes or reads needs the key's permission too, requests to
    KMS are charged, and a bucket that other buckets write their access logs to stops receiving them. S3 doesn't look
    whether the key exists: with one that is disabled or that its writers may not use, every upload fails.

    A bucket that is encrypted with KMS already, whatever the key, stays as it is; and so do everywhere the use of a
    bucket key and what kinds of encryption the bucket refuses.
    """

    id = "aws.s3.encrypt-by-default"
    target = S3_BUCKET
    severity = Severity.MEDIUM
    service = "s3"
    parameters = Cipher
    reads = allow("s3:GetEncryptionConfiguration")
    writes = allow("s3:PutEncryptionConfiguration")
    answers: ClassVar = {
        "cloudsploit": ids("bucketEncryption"),
        "prowler": ids("s3_bucket_default_encryption") | {"s3_bucket_kms_encryption": {"algorithm": KMS}},
        "security-hub": ids("S3.4") | {"S3.17": {"algorithm": KMS}},
    }
    examples = (
        Example(broken=state(None), fixed=state(rule(S3_MANAGED)), others=(state(rule(KMS)),)),
        Example(
            broken=state(rule(S3_MANAGED, bucket_key=True, blocked=("SSE-C",))),
            fixed=state(rule(KMS, KEY, bucket_key=True, blocked=("SSE-C",))),
            parameters={"algorithm": KMS, "kms_key": KEY},
            others=(state(None), state(rule(KMS, bucket_key=True, blocked=("SSE-C",)))),
        ),
    )

    def read(self, client: S3Client, target: Target) -> State:
        """Return the bucket's region and its rule."""
        try:
            answer = client.get_bucket_encryption(Bucket=target["bucket"], ExpectedBucketOwner=target.account)
        except client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "ServerSideEncryptionConfigurationNotFoundError":
                raise
            return {"region": target.region, "rule": None}
        found: Any = answer["ServerSideEncryptionConfiguration"]["Rules"][0]
        default = found.get("ApplyServerSideEncryptionByDefault", {})
        return {
            "region": target.region,
            "rule": {
                "algorithm": default.get("SSEAlgorithm"),
                "key": default.get("KMSMasterKeyID"),
                "bucket_key": bool(found.get("BucketKeyEnabled")),
                "blocked": found.get("BlockedEncryptionTypes", {}).get("EncryptionType", []),
            },
        }

    def desired(self, current: State, parameters: Cipher) -> State:
        """Return the rule as it is asked, except where it's KMS already; raise `NotApplicable` for a key of no use."""
        found = current["rule"] or rule(S3_MANAGED)
        obstacle = _obstacle(parameters, current["region"])
        if obstacle is not None:
            raise NotApplicable(obstacle)
        if found["algorithm"] in (None, S3_MANAGED):
            found = found | {"algorithm": parameters.algorithm, "key": parameters.kms_key}
        return current | {"rule": found}

    def write(self, client: S3Client, target: Target, before: State, after: State) -> None:  # noqa: ARG002 - a rule is written whole
        """Put the whole rule, or take it away where there was none."""
        if after["rule"] is None:
            client.delete_bucket_encryption(Bucket=target["bucket"], ExpectedBucketOwner=target.account)
            return
        client.put_bucket_encryption(
            Bucket=target["bucket"],
            ExpectedBucketOwner=target.account,
            ServerSideEncryptionConfiguration={"Rules": [_whole(after["rule"])]},
        )


def _obstacle(asked: Cipher, region: str) -> str | None:
    """Return why what is asked would stop every upload, or can't be written, or None."""
    if asked.kms_key is None:
        return None
    if asked.algorithm != KMS:
        return f"{asked.algorithm} takes no key: ask for {KMS}, or leave the key out"
    if asked.kms_key.split(":")[3] != region:
        return f"the key is in {asked.kms_key.split(':')[3]}, the bucket in {region}: S3 could use it for no upload"
    return None


def _whole(found: State) -> Any:  # noqa: ANN401 - S3's ServerSideEncryptionRule, whose names of algorithms are literals
    default = {"SSEAlgorithm": found["algorithm"], "KMSMasterKeyID": found["key"]}
    said = {name: value for name, value in default.items() if value is not None}
    blocked = {"BlockedEncryptionTypes": {"EncryptionType": found["blocked"]}} if found["blocked"] else {}
    applied = {"ApplyServerSideEncryptionByDefault": said} if said else {}
    return {**applied, "BucketKeyEnabled": found["bucket_key"], **blocked}
