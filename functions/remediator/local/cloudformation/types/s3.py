"""Know S3's resource types."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from botocore.exceptions import ClientError

from remediator.local.cloudformation.comparison import identical
from remediator.local.cloudformation.resource import Live, Naming, ResourceType, Services, missing_if, tag_list, tag_map

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.local.cloudformation.resource import Client
    from remediator.local.cloudformation.values import Properties, Value

_BY_DEFAULT = "ApplyServerSideEncryptionByDefault"
_CANNED = {"Private": "private"}
_UNSET = frozenset(
    (
        *("NoSuchPublicAccessBlockConfiguration", "ServerSideEncryptionConfigurationNotFoundError"),
        *("NoSuchLifecycleConfiguration", "NoSuchTagSet", "OwnershipControlsNotFoundError"),
    )
)


class Bucket(ResourceType):
    """A bucket."""

    name: ClassVar[str] = "AWS::S3::Bucket"
    settable: ClassVar[frozenset[str]] = frozenset(
        (
            *("AccessControl", "BucketEncryption", "BucketName", "LifecycleConfiguration", "OwnershipControls"),
            *("PublicAccessBlockConfiguration", "Tags", "VersioningConfiguration"),
        )
    )
    replacing: ClassVar[frozenset[str]] = frozenset({"BucketName"})

    def create(self, services: Services, naming: Naming, wanted: Properties) -> str:
        """Make the bucket; return its name."""
        s3 = services.client("s3")
        name = str(wanted.get("BucketName") or naming.generate(63).lower())
        place = {} if services.region == "us-east-1" else {"LocationConstraint": services.region}
        s3.create_bucket(Bucket=name, **({"CreateBucketConfiguration": place} if place else {}))
        self._configure(s3, name, wanted)
        return name

    def update(self, services: Services, physical_id: str, before: Properties, wanted: Properties) -> None:
        """Write the settings that the template holds, and take away those that it no longer does."""
        s3 = services.client("s3")
        for name, remove in (
            ("BucketEncryption", s3.delete_bucket_encryption),
            ("LifecycleConfiguration", s3.delete_bucket_lifecycle),
            ("OwnershipControls", s3.delete_bucket_ownership_controls),
            ("PublicAccessBlockConfiguration", s3.delete_public_access_block),
            ("Tags", s3.delete_bucket_tagging),
        ):
            if name in before and name not in wanted:
                remove(Bucket=physical_id)
        self._configure(s3, physical_id, wanted)

    def delete(self, services: Services, physical_id: str, properties: Properties) -> None:
        """Remove it; S3 refuses while it holds anything."""
        del properties
        services.client("s3").delete_bucket(Bucket=physical_id)

    def read(self, services: Services, physical_id: str, properties: Properties) -> Live:
        """Read each setting."""
        del properties
        s3 = services.client("s3")
        with missing_if("404", "NoSuchBucket"):
            s3.head_bucket(Bucket=physical_id)
        versioning = s3.get_bucket_versioning(Bucket=physical_id)
        seen = {
            "BucketName": physical_id,
            "AccessControl": _access_control(s3.get_bucket_acl(Bucket=physical_id)),
            "BucketEncryption": _setting(s3.get_bucket_encryption, physical_id, "ServerSideEncryptionConfiguration"),
            "LifecycleConfiguration": _lifecycle(s3, physical_id),
            "OwnershipControls": _setting(s3.get_bucket_ownership_controls, physical_id, "OwnershipControls"),
            "PublicAccessBlockConfiguration": _setting(
                s3.get_public_access_block, physical_id, "PublicAccessBlockConfiguration"
            ),
            "Tags": tag_list(tag_map(_setting(s3.get_bucket_tagging, physical_id, "TagSet"))),
            "VersioningConfiguration": {"Status": versioning.get("Status", "Suspended")},
        }
        if seen["BucketEncryption"]:
            seen["BucketEncryption"] = {
                "ServerSideEncryptionConfiguration": [
                    _rename(rule, _BY_DEFAULT, "ServerSideEncryptionByDefault")
                    for rule in seen["BucketEncryption"]["Rules"]
                ]
            }
        domain = f"{physical_id}.s3.{services.region}.amazonaws.com"
        names = {"DomainName": f"{physical_id}.s3.amazonaws.com", "RegionalDomainName": domain}
        return Live(seen, {"Arn": f"arn:aws:s3:::{physical_id}", **names})

    @staticmethod
    def _configure(s3: Client, bucket: str, wanted: Properties) -> None:
        if "AccessControl" in wanted:
            s3.put_bucket_acl(Bucket=bucket, ACL=_CANNED[wanted["AccessControl"]])
        if "BucketEncryption" in wanted:
            rules = wanted["BucketEncryption"]["ServerSideEncryptionConfiguration"]
            rules = [
                {**rule, "ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"]} for rule in rules
            ]
            for rule in rules:
                del rule["ServerSideEncryptionByDefault"]
            s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})
        if "LifecycleConfiguration" in wanted:
            rules = [_lifecycle_rule(rule) for rule in wanted["LifecycleConfiguration"]["Rules"]]
            s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
        if "OwnershipControls" in wanted:
            s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=wanted["OwnershipControls"])
        if "PublicAccessBlockConfiguration" in wanted:
            switches = wanted["PublicAccessBlockConfiguration"]
            s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=switches)
        if "VersioningConfiguration" in wanted:
            s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=wanted["VersioningConfiguration"])
        if "Tags" in wanted:
            s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": wanted["Tags"]})


class BucketPolicy(ResourceType):
    """A bucket's policy."""

    name: ClassVar[str] = "AWS::S3::BucketPolicy"
    settable: ClassVar[frozenset[str]] = frozenset({"Bucket", "PolicyDocument"})
    replacing: ClassVar[frozenset[str]] = frozenset({"Bucket"})

    def create(self, services: Services, naming: Naming, wanted: Properties) -> str:
        """Write the policy; return the bucket's name."""
        del naming
        policy = json.dumps(wanted["PolicyDocument"])
        services.client("s3").put_bucket_policy(Bucket=wanted["Bucket"], Policy=policy)
        return str(wanted["Bucket"])

    def update(self, services: Services, physical_id: str, before: Properties, wanted: Properties) -> None:
        """Write the policy again."""
        del before
        services.client("s3").put_bucket_policy(Bucket=physical_id, Policy=json.dumps(wanted["PolicyDocument"]))

    def delete(self, services: Services, physical_id: str, properties: Properties) -> None:
        """Take the policy away."""
        del properties
        services.client("s3").delete_bucket_policy(Bucket=physical_id)

    def read(self, services: Services, physical_id: str, properties: Properties) -> Live:
        """Read the policy."""
        del properties
        with missing_if("NoSuchBucketPolicy", "NoSuchBucket"):
            policy = services.client("s3").get_bucket_policy(Bucket=physical_id)["Policy"]
        return Live({"Bucket": physical_id, "PolicyDocument": json.loads(policy)})

    def agrees(self, services: Services, name: str, wanted: Value, live: Value) -> bool:
        """Compare the document to the letter."""
        if name == "PolicyDocument":
            return identical(wanted, live)
        return super().agrees(services, name, wanted, live)


def _setting(get: Callable[..., Any], bucket: str, key: str) -> Any:  # noqa: ANN401 - a setting's JSON
    """Return a setting of a bucket; None if it isn't set."""
    try:
        return get(Bucket=bucket)[key]
    except ClientError as error:
        if error.response["Error"]["Code"] in _UNSET:
            return None
        raise


def _rename(rule: Properties, name: str, other: str) -> dict[str, Any]:
    """Return a rule in which one key is called otherwise: templates and the API differ here and there."""
    return {(other if key == name else key): value for key, value in rule.items()}


def _access_control(acl: Properties) -> str:
    """Return the canned name of an access control list: `Private` if only the owner has a grant."""
    grants = [(grant["Grantee"].get("ID"), grant["Permission"]) for grant in acl["Grants"]]
    return "Private" if grants == [(acl["Owner"]["ID"], "FULL_CONTROL")] else json.dumps(grants)


def _lifecycle_rule(rule: Properties) -> dict[str, Any]:
    """Return a rule as the API takes it; a template's may do without a filter."""
    return {"Filter": {"Prefix": ""}, **_rename(rule, "Id", "ID")}


def _lifecycle(s3: Client, bucket: str) -> dict[str, Any] | None:
    rules = _setting(s3.get_bucket_lifecycle_configuration, bucket, "Rules")
    if rules is None:
        return None
    return {"Rules": [_rename(rule, "ID", "Id") for rule in rules]}
