"""Create a resource of each kind, as it comes: a stage on which a fix's example is played."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3

from remediator.catalogue.aws.resources import (
    ACCESS_KEY,
    ACCOUNT,
    ACCOUNT_IN_REGION,
    DB_INSTANCE,
    EBS_SNAPSHOT,
    EC2_INSTANCE,
    KMS_KEY,
    LAMBDA_FUNCTION,
    RDS_SNAPSHOT,
    S3_BUCKET,
    SECURITY_GROUP,
    TRAIL,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from remediator.catalogue.spec import JSON, ResourceKind

REGION = "eu-west-1"


@dataclass(frozen=True)
class Stage:
    """Hold the target that was created, and the names that the cloud gave where the example has others."""

    target: dict[str, str]
    names: Mapping[str, str] = field(default_factory=dict)

    def named(self, value: JSON) -> JSON:
        """Return a state of the example with the names of this stage."""
        text = json.dumps(value)
        for ours, given in self.names.items():
            text = text.replace(ours, given)
        return json.loads(text)


def build(kind: ResourceKind, target: Mapping[str, str]) -> Stage:
    """Create a resource of a kind, by the target's name if the cloud lets one choose it."""
    return STAGES[kind.title](dict(target))


@cache
def client(service: str, region: str | None) -> Any:
    """Return a client of one of the SDK's services; making one costs more than what is done with it."""
    return _session().client(service, region_name=region or "us-east-1")


@cache
def _session() -> Any:
    return boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing")


def _bucket(target: dict[str, str]) -> Stage:
    name = target["arn"].rpartition(":")[2]
    s3 = client("s3", target["region"])
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": target["region"]})
    return Stage(target)


def _security_group(target: dict[str, str]) -> Stage:
    ec2 = client("ec2", REGION)
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    peers, group = (
        ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"] for name in ("peers", "ours")
    )
    prefix = target["arn"].rpartition("/")[0]
    return Stage({"arn": f"{prefix}/{group}"}, {"sg-0123456789abcdef0": peers})


def _account(target: dict[str, str]) -> Stage:
    return Stage(target)


def _key(_target: dict[str, str]) -> Stage:
    return Stage({"arn": client("kms", REGION).create_key()["KeyMetadata"]["Arn"]})


def _snapshot(target: dict[str, str]) -> Stage:
    _, kind, name = target["arn"].rsplit(":", 2)
    rds = client("rds", REGION)
    who = {"MasterUsername": "admin", "MasterUserPassword": "not-a-secret"}
    if kind == "cluster-snapshot":
        rds.create_db_cluster(DBClusterIdentifier="db", Engine="aurora-mysql", **who)
        rds.create_db_cluster_snapshot(DBClusterIdentifier="db", DBClusterSnapshotIdentifier=name)
        return Stage(target)
    size = {"DBInstanceClass": "db.t3.micro", "AllocatedStorage": 20}
    rds.create_db_instance(DBInstanceIdentifier="db", Engine="mysql", **size, **who)
    rds.create_db_snapshot(DBInstanceIdentifier="db", DBSnapshotIdentifier=name)
    return Stage(target)


def _access_key(target: dict[str, str]) -> Stage:
    _, _, path = target["arn"].partition(":user")
    folder, _, name = path.rpartition("/")
    iam = client("iam", None)
    iam.create_user(Path=f"{folder}/", UserName=name)
    iam.create_access_key(UserName=name)
    ours = iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
    return Stage(target | {"access_key": ours})


def _instance(target: dict[str, str]) -> Stage:
    ec2 = client("ec2", REGION)
    image = ec2.describe_images()["Images"][0]["ImageId"]
    made = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, InstanceType="t3.micro")["Instances"][0]
    return Stage({"arn": f"{target['arn'].rpartition('/')[0]}/{made['InstanceId']}"})


def _volumes_snapshot(target: dict[str, str]) -> Stage:
    ec2 = client("ec2", REGION)
    volume = ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=8)["VolumeId"]
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    return Stage({"arn": f"{target['arn'].rpartition('/')[0]}/{snapshot}"})


def _database(target: dict[str, str]) -> Stage:
    client("rds", REGION).create_db_instance(
        DBInstanceIdentifier=target["arn"].rpartition(":")[2],
        Engine="mysql",
        DBInstanceClass="db.t3.micro",
        AllocatedStorage=20,
        MasterUsername="admin",
        MasterUserPassword="not-a-secret",
    )
    return Stage(target)


def _trail(target: dict[str, str]) -> Stage:
    client("s3", "us-east-1").create_bucket(Bucket="audit-logs")
    client("cloudtrail", REGION).create_trail(Name=target["arn"].rpartition("/")[2], S3BucketName="audit-logs")
    return Stage(target)


def _function(target: dict[str, str]) -> Stage:
    name, _, qualifier = target["arn"].partition(":function:")[2].partition(":")
    trust = {"Version": "2012-10-17", "Statement": []}
    role = client("iam", None).create_role(RoleName="runs", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    functions = client("lambda", REGION)
    code = {"Runtime": "python3.12", "Handler": "x.y", "Code": {"ZipFile": b"PK\5\6" + bytes(18)}}
    functions.create_function(FunctionName=name, Role=role, **code)
    if qualifier:
        functions.create_alias(FunctionName=name, Name=qualifier, FunctionVersion="$LATEST")
    return Stage(target)


STAGES: dict[str, Callable[[dict[str, str]], Stage]] = {
    ACCESS_KEY.title: _access_key,
    ACCOUNT.title: _account,
    ACCOUNT_IN_REGION.title: _account,
    DB_INSTANCE.title: _database,
    EBS_SNAPSHOT.title: _volumes_snapshot,
    EC2_INSTANCE.title: _instance,
    KMS_KEY.title: _key,
    LAMBDA_FUNCTION.title: _function,
    RDS_SNAPSHOT.title: _snapshot,
    S3_BUCKET.title: _bucket,
    SECURITY_GROUP.title: _security_group,
    TRAIL.title: _trail,
}
