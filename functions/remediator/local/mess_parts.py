"""Make single things as somebody in a hurry would have, or put them back to that."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Client = Any
"""An SDK client of the one service that a function speaks of."""

ALL_ON: Final = dict.fromkeys(
    ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
)
_EMPTY_ZIP: Final = b"PK\5\6" + bytes(18)


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


def encrypt(s3: Client, name: str, algorithm: str) -> None:
    """Encrypt what is stored in a bucket with an algorithm's default key."""
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": algorithm}}
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})


def version(s3: Client, name: str, status: str) -> None:
    """Keep older versions in a bucket, or stop keeping them."""
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": status})


def trail(cloudtrail: Client, name: str, bucket: str, *, validated: bool) -> None:
    """Make a trail, if there is none, that signs what it delivers or doesn't."""
    if any(one["Name"] == name for one in cloudtrail.describe_trails()["trailList"]):
        cloudtrail.update_trail(Name=name, EnableLogFileValidation=validated)
        return
    cloudtrail.create_trail(Name=name, S3BucketName=bucket, EnableLogFileValidation=validated)


def role(iam: Client, name: str) -> str:
    """Make a role for functions, if there is none; return its ARN."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    try:
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)
    except iam.exceptions.EntityAlreadyExistsException:
        made = iam.get_role(RoleName=name)
    return str(made["Role"]["Arn"])


def function(functions: Client, name: str, role_arn: str, permissions: Mapping[str, Mapping[str, str]]) -> None:
    """Make a function, if there is none, whose policy has exactly these statements, in AddPermission's words."""
    if not any(one["FunctionName"] == name for one in functions.list_functions()["Functions"]):
        code = {"Runtime": "python3.12", "Handler": "index.handler", "Code": {"ZipFile": _EMPTY_ZIP}}
        functions.create_function(FunctionName=name, Role=role_arn, **code)
    try:
        standing = json.loads(functions.get_policy(FunctionName=name)["Policy"])["Statement"]
    except functions.exceptions.ResourceNotFoundException:
        standing = []
    for statement in standing:
        functions.remove_permission(FunctionName=name, StatementId=statement["Sid"])
    for statement_id, wanted in permissions.items():
        functions.add_permission(FunctionName=name, StatementId=statement_id, **wanted)


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


def publish(rds: Client, name: str, *, public: bool) -> None:
    """Give a database a public address, or take it away."""
    rds.modify_db_instance(DBInstanceIdentifier=name, PubliclyAccessible=public)


def instance(ec2: Client, name: str, options: Mapping[str, str | int]) -> str:
    """Make an instance of a name, if there is none, with these metadata options; return its id."""
    named = [{"Name": "tag:Name", "Values": [name]}, {"Name": "instance-state-name", "Values": ["running"]}]
    found = ec2.describe_instances(Filters=named)["Reservations"]
    if not found:
        image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
        tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}]
        found = [
            ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, InstanceType="t3.micro", TagSpecifications=tags)
        ]
    instance_id: str = found[0]["Instances"][0]["InstanceId"]
    ec2.modify_instance_metadata_options(InstanceId=instance_id, **options)
    return instance_id


def disk(ec2: Client, name: str, region: str, accounts: Sequence[str]) -> str:
    """Make the snapshot of a disk, if there is none, and share it with exactly these accounts; return its id."""
    found = ec2.describe_snapshots(Filters=[{"Name": "description", "Values": [name]}])["Snapshots"]
    if not found:
        volume = ec2.create_volume(AvailabilityZone=f"{region}a", Size=8)["VolumeId"]
        found = [ec2.create_snapshot(VolumeId=volume, Description=name)]
    snapshot_id: str = found[0]["SnapshotId"]
    attribute = {"SnapshotId": snapshot_id, "Attribute": "createVolumePermission"}
    standing = ec2.describe_snapshot_attribute(**attribute)["CreateVolumePermissions"]
    shared = {one.get("UserId") or one["Group"] for one in standing}
    for operation, some in (("add", {*accounts} - shared), ("remove", shared - {*accounts})):
        if some:
            who = {"GroupNames": sorted(some & {"all"}), "UserIds": sorted(some - {"all"})}
            named = {member: values for member, values in who.items() if values}
            ec2.modify_snapshot_attribute(**attribute, OperationType=operation, **named)
    return snapshot_id


def user_keys(iam: Client, path: str, name: str) -> tuple[str, str]:
    """Make a user with two access keys, if there is none, and both active; return their ids."""
    pages = iam.get_paginator("list_users").paginate()
    if not any(one["UserName"] == name for page in pages for one in page["Users"]):
        iam.create_user(Path=path, UserName=name)
        for _ in range(2):
            iam.create_access_key(UserName=name)
    first, second = (key["AccessKeyId"] for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"])
    for key_id in (first, second):
        iam.update_access_key(UserName=name, AccessKeyId=key_id, Status="Active")
    return first, second


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
