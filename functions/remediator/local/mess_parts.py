"""Make single things as somebody in a hurry would have, or put them back to that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

Client = Any
"""An SDK client of the one service that a function speaks of."""

ALL_ON: Final = dict.fromkeys(
    ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
)


def bucket(s3: Client, name: str, region: str) -> None:
    """Make a bucket, if there is none."""
    if any(one["Name"] == name for one in s3.list_buckets()["Buckets"]):
        return
    elsewhere = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=name, **elsewhere)


def expose(s3: Client, name: str, *, policy: str) -> None:
    """Take a bucket's block of public access away, and leave it this policy."""
    s3.delete_public_access_block(Bucket=name)
    s3.put_bucket_policy(Bucket=name, Policy=policy)


def protect(s3: Client, name: str, *, policy: str) -> None:
    """Block every form of public access to a bucket, and give it this policy."""
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=ALL_ON)
    s3.put_bucket_policy(Bucket=name, Policy=policy)


def group(ec2: Client, name: str, rules: Sequence[tuple[str, int, int, Sequence[dict[str, str]]]]) -> str:
    """Make a security group with exactly these rules: protocol, first port, last port, sources; return its id."""
    found = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": [name]}])["SecurityGroups"]
    group_id: str = (
        found[0]["GroupId"] if found else ec2.create_security_group(GroupName=name, Description=name)["GroupId"]
    )
    standing = found[0]["IpPermissions"] if found else []
    if standing:
        ec2.revoke_security_group_ingress(GroupId=group_id, IpPermissions=standing)
    permissions = [_permission(*rule) for rule in rules]
    ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=permissions)
    return group_id


def key(kms: Client, alias: str, *, rotated: bool) -> str:
    """Make a key under an alias, if there is none, rotated or not; return its id."""
    pages = kms.get_paginator("list_aliases").paginate()
    found = [one["TargetKeyId"] for page in pages for one in page["Aliases"] if one["AliasName"] == alias]
    key_id: str = found[0] if found else kms.create_key(Description=alias)["KeyMetadata"]["KeyId"]
    if not found:
        kms.create_alias(AliasName=alias, TargetKeyId=key_id)
    if rotated:
        kms.enable_key_rotation(KeyId=key_id)
    else:
        kms.disable_key_rotation(KeyId=key_id)
    return key_id


def database(rds: Client, name: str) -> None:
    """Make a database, if there is none."""
    if any(one["DBInstanceIdentifier"] == name for one in rds.describe_db_instances()["DBInstances"]):
        return
    rds.create_db_instance(
        DBInstanceIdentifier=name,
        DBInstanceClass="db.t4g.micro",
        Engine="postgres",
        AllocatedStorage=20,
        MasterUsername="acme",
        ManageMasterUserPassword=False,
        MasterUserPassword="only-in-memory-of-this-process",
    )


def snapshot(rds: Client, instance: str, name: str, accounts: Sequence[str]) -> None:
    """Make a database's snapshot, if there is none, and share it with exactly these accounts."""
    if not any(one["DBSnapshotIdentifier"] == name for one in rds.describe_db_snapshots()["DBSnapshots"]):
        rds.create_db_snapshot(DBInstanceIdentifier=instance, DBSnapshotIdentifier=name)
    result = rds.describe_db_snapshot_attributes(DBSnapshotIdentifier=name)["DBSnapshotAttributesResult"]
    shared = {
        value
        for one in result["DBSnapshotAttributes"]
        if one["AttributeName"] == "restore"
        for value in one.get("AttributeValues", ())
    }
    change = {"ValuesToAdd": sorted({*accounts} - shared), "ValuesToRemove": sorted(shared - {*accounts})}
    values = {member: some for member, some in change.items() if some}
    if values:
        rds.modify_db_snapshot_attribute(DBSnapshotIdentifier=name, AttributeName="restore", **values)


def _permission(protocol: str, low: int, high: int, sources: Sequence[dict[str, str]]) -> dict[str, Any]:
    ports = {} if protocol == "-1" else {"FromPort": low, "ToPort": high}
    ranges = {
        "IpRanges": [one for one in sources if "CidrIp" in one],
        "Ipv6Ranges": [one for one in sources if "CidrIpv6" in one],
    }
    return {"IpProtocol": protocol, **ports, **{name: some for name, some in ranges.items() if some}}
