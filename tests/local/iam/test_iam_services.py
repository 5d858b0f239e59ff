"""What each operation needs: with exactly these statements it is allowed, and without any one of them it is refused."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.backends import get_backend

from tests.local.iam.iam_account import ACCOUNT, REGION, Account, Keys, allow, deny, document, refused, trust

Call = Callable[[Any, dict[str, str]], object]
DENIALS = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "403"}


@dataclass(frozen=True)
class Row:
    """One operation, and the (action, resource) pairs that it needs; resources may name what was made before."""

    service: str
    call: Call
    needs: tuple[tuple[str, str], ...]


def row(service: str, call: Call, *needs: tuple[str, str]) -> Row:
    return Row(service, call, needs)


BUCKET, OBJECTS = "arn:aws:s3:::{bucket}", "arn:aws:s3:::{bucket}/"
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{{table}}"
GROUP = f"arn:aws:ec2:{REGION}:{ACCOUNT}:security-group/{{group}}"
SNAPSHOT = f"arn:aws:ec2:{REGION}::snapshot/{{snapshot}}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/{{role}}"
LOG_GROUP = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{{log_group}}"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{{queue}}"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{{function}}"
TRAIL = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/trail"
INVOKE = {"Action": "lambda:InvokeFunction", "Principal": "sns.amazonaws.com"}
ROBOT = f"arn:aws:iam::{ACCOUNT}:user/robots/robot"
DB_SNAPSHOT = f"arn:aws:rds:{REGION}:{ACCOUNT}:snapshot:{{db_snapshot}}"


def key(value: str) -> dict[str, Any]:
    return {"pk": {"S": value}}


def write(made: dict[str, str], kind: str, value: str) -> dict[str, Any]:
    table = {"TableName": made["table"]}
    return {
        "Put": {**table, "Item": key(value)},
        "Update": {
            **table,
            "Key": key(value),
            "UpdateExpression": "SET a = :a",
            "ExpressionAttributeValues": {":a": {"S": "1"}},
        },
        "Delete": {**table, "Key": key(value)},
        "ConditionCheck": {**table, "Key": key(value), "ConditionExpression": "attribute_not_exists(pk)"},
    }[kind]


def schedule(made: dict[str, str], name: str) -> dict[str, Any]:
    target = {"Arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f", "RoleArn": made["role_arn"]}
    window = {"Mode": "OFF"}
    return {"Name": name, "ScheduleExpression": "rate(5 minutes)", "Target": target, "FlexibleTimeWindow": window}


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("handler.py", "def handler(event, context): return event")
    return buffer.getvalue()


INGRESS = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "203.0.113.0/24"}]}]
ALL_ON = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
SSE = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
TEMPLATE = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})

ROWS = {
    "s3 public access block": row(
        "s3",
        lambda c, m: c.put_public_access_block(Bucket=m["bucket"], PublicAccessBlockConfiguration=ALL_ON),
        ("s3:PutBucketPublicAccessBlock", BUCKET),
    ),
    "s3 read public access block": row(
        "s3", lambda c, m: c.get_public_access_block(Bucket=m["bucket"]), ("s3:GetBucketPublicAccessBlock", BUCKET)
    ),
    "s3 delete public access block": row(
        "s3",
        lambda c, m: c.delete_public_access_block(Bucket=m["spare_bucket"]),
        ("s3:PutBucketPublicAccessBlock", "arn:aws:s3:::{spare_bucket}"),
    ),
    "s3 encryption": row(
        "s3",
        lambda c, m: c.put_bucket_encryption(Bucket=m["bucket"], ServerSideEncryptionConfiguration=SSE),
        ("s3:PutEncryptionConfiguration", BUCKET),
    ),
    "s3 policy": row(
        "s3", lambda c, m: c.get_bucket_policy_status(Bucket=m["bucket"]), ("s3:GetBucketPolicyStatus", BUCKET)
    ),
    "s3 location": row("s3", lambda c, m: c.get_bucket_location(Bucket=m["bucket"]), ("s3:GetBucketLocation", BUCKET)),
    "s3 versioning": row(
        "s3", lambda c, m: c.get_bucket_versioning(Bucket=m["bucket"]), ("s3:GetBucketVersioning", BUCKET)
    ),
    "s3 list all": row("s3", lambda c, _: c.list_buckets(), ("s3:ListAllMyBuckets", "*")),
    "s3 head bucket": row("s3", lambda c, m: c.head_bucket(Bucket=m["bucket"]), ("s3:ListBucket", BUCKET)),
    "s3 list objects": row("s3", lambda c, m: c.list_objects_v2(Bucket=m["bucket"]), ("s3:ListBucket", BUCKET)),
    "s3 list versions": row(
        "s3", lambda c, m: c.list_object_versions(Bucket=m["bucket"]), ("s3:ListBucketVersions", BUCKET)
    ),
    "s3 read object": row(
        "s3", lambda c, m: c.get_object(Bucket=m["bucket"], Key="key"), ("s3:GetObject", OBJECTS + "key")
    ),
    "s3 head object": row(
        "s3", lambda c, m: c.head_object(Bucket=m["bucket"], Key="key"), ("s3:GetObject", OBJECTS + "key")
    ),
    "s3 read version": row(
        "s3",
        lambda c, m: c.get_object(Bucket=m["bucket"], Key="key", VersionId="null"),
        ("s3:GetObjectVersion", OBJECTS + "key"),
    ),
    "s3 write object": row(
        "s3",
        lambda c, m: c.put_object(Bucket=m["bucket"], Key="a b/ü+c", Body=b"1"),
        ("s3:PutObject", OBJECTS + "a b/ü+c"),
    ),
    "s3 write object with acl": row(
        "s3",
        lambda c, m: c.put_object(Bucket=m["bucket"], Key="acl", Body=b"1", ACL="private"),
        ("s3:PutObject", OBJECTS + "acl"),
        ("s3:PutObjectAcl", OBJECTS + "acl"),
    ),
    "s3 copy": row(
        "s3",
        lambda c, m: c.copy_object(Bucket=m["bucket"], Key="copy", CopySource={"Bucket": m["bucket"], "Key": "key"}),
        ("s3:PutObject", OBJECTS + "copy"),
        ("s3:GetObject", OBJECTS + "key"),
    ),
    "s3 delete objects": row(
        "s3",
        lambda c, m: c.delete_objects(Bucket=m["bucket"], Delete={"Objects": [{"Key": "x"}, {"Key": "y"}]}),
        ("s3:DeleteObject", OBJECTS + "x"),
        ("s3:DeleteObject", OBJECTS + "y"),
    ),
    "dynamodb put": row(
        "dynamodb", lambda c, m: c.put_item(TableName=m["table"], Item=key("p")), ("dynamodb:PutItem", TABLE)
    ),
    "dynamodb get": row(
        "dynamodb", lambda c, m: c.get_item(TableName=m["table"], Key=key("p")), ("dynamodb:GetItem", TABLE)
    ),
    "dynamodb by arn": row(
        "dynamodb", lambda c, m: c.get_item(TableName=TABLE.format(**m), Key=key("p")), ("dynamodb:GetItem", TABLE)
    ),
    "dynamodb scan": row("dynamodb", lambda c, m: c.scan(TableName=m["table"]), ("dynamodb:Scan", TABLE)),
    "dynamodb index": row(
        "dynamodb",
        lambda c, m: c.query(
            TableName=m["table"],
            IndexName="by_a",
            KeyConditionExpression="a = :a",
            ExpressionAttributeValues={":a": {"S": "1"}},
        ),
        ("dynamodb:Query", TABLE + "/index/by_a"),
    ),
    "dynamodb describe": row(
        "dynamodb",
        lambda c, m: c.describe_continuous_backups(TableName=m["table"]),
        ("dynamodb:DescribeContinuousBackups", TABLE),
    ),
    "dynamodb list": row("dynamodb", lambda c, _: c.list_tables(), ("dynamodb:ListTables", "*")),
    "dynamodb transaction": row(
        "dynamodb",
        lambda c, m: c.transact_write_items(
            TransactItems=[{k: write(m, k, f"new-{k}")} for k in ("Put", "Update", "Delete", "ConditionCheck")]
        ),
        *((f"dynamodb:{action}", TABLE) for action in ("PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem")),
    ),
    "dynamodb transaction of reads": row(
        "dynamodb",
        lambda c, m: c.transact_get_items(TransactItems=[{"Get": {"TableName": m["table"], "Key": key("p")}}]),
        ("dynamodb:GetItem", TABLE),
    ),
    "dynamodb batch": row(
        "dynamodb",
        lambda c, m: c.batch_get_item(RequestItems={m["table"]: {"Keys": [key("p")]}}),
        ("dynamodb:BatchGetItem", TABLE),
    ),
    "dynamodb batch of writes": row(
        "dynamodb",
        lambda c, m: c.batch_write_item(RequestItems={m["table"]: [{"PutRequest": {"Item": key("b")}}]}),
        ("dynamodb:BatchWriteItem", TABLE),
    ),
    "secret by name": row(
        "secretsmanager",
        lambda c, m: c.get_secret_value(SecretId=m["secret"]),
        ("secretsmanager:GetSecretValue", "{secret_arn}"),
    ),
    "secret by arn": row(
        "secretsmanager",
        lambda c, m: c.get_secret_value(SecretId=m["secret_arn"]),
        ("secretsmanager:GetSecretValue", "{secret_arn}"),
    ),
    "secret write": row(
        "secretsmanager",
        lambda c, m: c.put_secret_value(SecretId=m["secret"], SecretString="b", ClientRequestToken="t" * 32),
        ("secretsmanager:PutSecretValue", "{secret_arn}"),
    ),
    "secret batch": row(
        "secretsmanager",
        lambda c, m: c.batch_get_secret_value(SecretIdList=[m["secret"], m["other_secret_arn"]]),
        ("secretsmanager:BatchGetSecretValue", "*"),
        ("secretsmanager:GetSecretValue", "{secret_arn}"),
        ("secretsmanager:GetSecretValue", "{other_secret_arn}"),
    ),
    "secret list": row("secretsmanager", lambda c, _: c.list_secrets(), ("secretsmanager:ListSecrets", "*")),
    "key by alias": row("kms", lambda c, m: c.describe_key(KeyId=m["alias"]), ("kms:DescribeKey", "{key_arn}")),
    "key rotation": row(
        "kms", lambda c, m: c.enable_key_rotation(KeyId=m["key"]), ("kms:EnableKeyRotation", "{key_arn}")
    ),
    "key from ciphertext": row(
        "kms", lambda c, m: c.decrypt(CiphertextBlob=bytes.fromhex(m["ciphertext"])), ("kms:Decrypt", "{key_arn}")
    ),
    "key new alias": row(
        "kms",
        lambda c, m: c.create_alias(AliasName="alias/new", TargetKeyId=m["key"]),
        ("kms:CreateAlias", f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/new"),
        ("kms:CreateAlias", "{key_arn}"),
    ),
    "key list": row("kms", lambda c, _: c.list_keys(), ("kms:ListKeys", "*")),
    "group open": row(
        "ec2",
        lambda c, m: c.authorize_security_group_ingress(GroupId=m["group"], IpPermissions=INGRESS),
        ("ec2:AuthorizeSecurityGroupIngress", GROUP),
    ),
    "group close": row(
        "ec2",
        lambda c, m: c.revoke_security_group_egress(
            GroupId=m["group"], IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
        ),
        ("ec2:RevokeSecurityGroupEgress", GROUP),
    ),
    "groups": row(
        "ec2", lambda c, m: c.describe_security_groups(GroupIds=[m["group"]]), ("ec2:DescribeSecurityGroups", "*")
    ),
    "group rules": row(
        "ec2",
        lambda c, m: c.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [m["group"]]}]),
        ("ec2:DescribeSecurityGroupRules", "*"),
    ),
    "snapshot": row(
        "ec2",
        lambda c, m: c.modify_snapshot_attribute(
            SnapshotId=m["snapshot"], Attribute="createVolumePermission", OperationType="remove", GroupNames=["all"]
        ),
        ("ec2:ModifySnapshotAttribute", SNAPSHOT),
    ),
    "snapshot read": row(
        "ec2",
        lambda c, m: c.describe_snapshot_attribute(SnapshotId=m["snapshot"], Attribute="createVolumePermission"),
        ("ec2:DescribeSnapshotAttribute", SNAPSHOT),
    ),
    "metadata options": row(
        "ec2",
        lambda c, m: c.modify_instance_metadata_options(InstanceId=m["instance"], HttpTokens="required"),
        ("ec2:ModifyInstanceMetadataOptions", f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{{instance}}"),
    ),
    "instances": row(
        "ec2", lambda c, m: c.describe_instances(InstanceIds=[m["instance"]]), ("ec2:DescribeInstances", "*")
    ),
    "disks' default": row(
        "ec2", lambda c, _: c.enable_ebs_encryption_by_default(), ("ec2:EnableEbsEncryptionByDefault", "*")
    ),
    "db": row(
        "rds",
        lambda c, _: c.modify_db_instance(DBInstanceIdentifier="db", PubliclyAccessible=False),
        ("rds:ModifyDBInstance", f"arn:aws:rds:{REGION}:{ACCOUNT}:db:db"),
    ),
    "db read": row(
        "rds",
        lambda c, _: c.describe_db_instances(DBInstanceIdentifier="db"),
        ("rds:DescribeDBInstances", f"arn:aws:rds:{REGION}:{ACCOUNT}:db:db"),
    ),
    "access keys": row("iam", lambda c, _: c.list_access_keys(UserName="robot"), ("iam:ListAccessKeys", ROBOT)),
    "access key": row(
        "iam",
        lambda c, m: c.update_access_key(UserName="robot", AccessKeyId=m["access_key"], Status="Inactive"),
        ("iam:UpdateAccessKey", ROBOT),
    ),
    "db snapshot": row(
        "rds",
        lambda c, m: c.modify_db_snapshot_attribute(
            DBSnapshotIdentifier=m["db_snapshot"], AttributeName="restore", ValuesToRemove=["all"]
        ),
        ("rds:ModifyDBSnapshotAttribute", DB_SNAPSHOT),
    ),
    "db snapshot read": row(
        "rds",
        lambda c, m: c.describe_db_snapshot_attributes(DBSnapshotIdentifier=m["db_snapshot"]),
        ("rds:DescribeDBSnapshotAttributes", DB_SNAPSHOT),
    ),
    "role": row("iam", lambda c, m: c.get_role(RoleName=m["role"]), ("iam:GetRole", ROLE)),
    "role with path": row(
        "iam",
        lambda c, m: c.get_role(RoleName=m["pathed_role"]),
        ("iam:GetRole", f"arn:aws:iam::{ACCOUNT}:role/some/path/{{pathed_role}}"),
    ),
    "role trust": row(
        "iam",
        lambda c, m: c.update_assume_role_policy(
            RoleName=m["role"], PolicyDocument=json.dumps(trust({"Service": "lambda.amazonaws.com"}))
        ),
        ("iam:UpdateAssumeRolePolicy", ROLE),
    ),
    "password policy": row(
        "iam",
        lambda c, _: c.update_account_password_policy(MinimumPasswordLength=14),
        ("iam:UpdateAccountPasswordPolicy", "*"),
    ),
    "function": row(
        "lambda",
        lambda c, m: c.get_function(FunctionName=m["function"]),
        ("lambda:GetFunction", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{{function}}"),
    ),
    "functions": row("lambda", lambda c, _: c.list_functions(), ("lambda:ListFunctions", "*")),
    "function new": row(
        "lambda",
        lambda c, m: c.create_function(
            FunctionName="made",
            Runtime="python3.13",
            Role=m["role_arn"],
            Handler="handler.handler",
            Code={"ZipFile": zipped()},
        ),
        ("lambda:CreateFunction", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:made"),
        ("iam:PassRole", ROLE),
    ),
    "log stream": row(
        "logs",
        lambda c, m: c.create_log_stream(logGroupName=m["log_group"], logStreamName="s"),
        ("logs:CreateLogStream", LOG_GROUP + ":*"),
    ),
    "log events": row(
        "logs",
        lambda c, m: c.filter_log_events(logGroupName=m["log_group"]),
        ("logs:FilterLogEvents", LOG_GROUP + ":*"),
    ),
    "log retention": row(
        "logs",
        lambda c, m: c.put_retention_policy(logGroupName=m["log_group"], retentionInDays=30),
        ("logs:PutRetentionPolicy", LOG_GROUP + ":*"),
    ),
    "stack": row(
        "cloudformation",
        lambda c, m: c.describe_stack_resources(StackName=m["stack"]),
        ("cloudformation:DescribeStackResources", f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{{stack}}/*"),
    ),
    "stack new": row(
        "cloudformation",
        lambda c, m: c.create_stack(StackName="made", TemplateBody=TEMPLATE, RoleARN=m["role_arn"]),
        ("cloudformation:CreateStack", f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/made/*"),
        ("iam:PassRole", ROLE),
    ),
    "parameter": row(
        "ssm",
        lambda c, m: c.get_parameter(Name=m["parameter"]),
        ("ssm:GetParameter", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter{{parameter}}"),
    ),
    "parameters": row(
        "ssm",
        lambda c, m: c.get_parameters(Names=[m["parameter"], "/other"]),
        ("ssm:GetParameters", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter{{parameter}}"),
        ("ssm:GetParameters", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/other"),
    ),
    "repository": row(
        "ecr",
        lambda c, m: c.describe_images(repositoryName=m["repository"]),
        ("ecr:DescribeImages", f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{{repository}}"),
    ),
    "topic": row("sns", lambda c, m: c.publish(TopicArn=m["topic_arn"], Message="m"), ("sns:Publish", "{topic_arn}")),
    "topics": row("sns", lambda c, _: c.list_topics(), ("sns:ListTopics", "*")),
    "queue": row(
        "sqs", lambda c, m: c.send_message(QueueUrl=m["queue_url"], MessageBody="m"), ("sqs:SendMessage", QUEUE)
    ),
    "queue batch": row(
        "sqs",
        lambda c, m: c.send_message_batch(QueueUrl=m["queue_url"], Entries=[{"Id": "1", "MessageBody": "m"}]),
        ("sqs:SendMessage", QUEUE),
    ),
    "queue by name": row("sqs", lambda c, m: c.get_queue_url(QueueName=m["queue"]), ("sqs:GetQueueUrl", QUEUE)),
    "schedule": row(
        "scheduler",
        lambda c, m: c.create_schedule(**schedule(m, "made")),
        ("scheduler:CreateSchedule", f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/default/made"),
        ("iam:PassRole", ROLE),
    ),
    "trail": row(
        "cloudtrail",
        lambda c, _: c.update_trail(Name=TRAIL, EnableLogFileValidation=True),
        ("cloudtrail:UpdateTrail", TRAIL),
    ),
    "trail by name": row("cloudtrail", lambda c, _: c.get_trail(Name="trail"), ("cloudtrail:GetTrail", TRAIL)),
    "function policy": row(
        "lambda",
        lambda c, m: c.add_permission(FunctionName=m["function"], StatementId="s", **INVOKE),
        ("lambda:AddPermission", FUNCTION),
    ),
    "alias policy": row(
        "lambda",
        lambda c, m: c.add_permission(FunctionName=m["function"], Qualifier="live", StatementId="s", **INVOKE),
        ("lambda:AddPermission", f"{FUNCTION}:live"),
    ),
    "alias policy read": row(
        "lambda",
        lambda c, m: c.get_policy(FunctionName=m["function"], Qualifier="read"),
        ("lambda:GetPolicy", f"{FUNCTION}:read"),
    ),
    "alias policy statement": row(
        "lambda",
        lambda c, m: c.remove_permission(FunctionName=m["function"], Qualifier="read", StatementId="gone"),
        ("lambda:RemovePermission", f"{FUNCTION}:read"),
    ),
    "function by its latest": row(
        "lambda",
        lambda c, m: c.get_function_configuration(FunctionName=m["function"], Qualifier="$LATEST"),
        ("lambda:GetFunctionConfiguration", FUNCTION),
    ),
    "schedule read": row(
        "scheduler",
        lambda c, m: c.get_schedule(Name=m["schedule"]),
        ("scheduler:GetSchedule", f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/default/{{schedule}}"),
    ),
    "alarm": row(
        "cloudwatch",
        lambda c, _: c.put_metric_alarm(
            AlarmName="made",
            Namespace="n",
            MetricName="m",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        ),
        ("cloudwatch:PutMetricAlarm", f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:made"),
    ),
    "metric": row(
        "cloudwatch",
        lambda c, _: c.put_metric_data(Namespace="n", MetricData=[{"MetricName": "m", "Value": 1}]),
        ("cloudwatch:PutMetricData", "*"),
    ),
}


@pytest.fixture(scope="module")
def made(account: Account) -> dict[str, str]:
    """Make one of everything, and return the names."""
    made = {
        name: account.name(name.replace("_", "-"))
        for name in ("bucket", "table", "role", "pathed_role", "function", "queue", "log_group")
    }
    made |= {
        name: account.name(name.replace("_", "-"))
        for name in ("secret", "stack", "repository", "schedule", "db_snapshot", "spare_bucket")
    }
    made["parameter"], made["alias"] = "/some/parameter", "alias/some"
    trusted = trust({"Service": ["lambda.amazonaws.com", "cloudformation.amazonaws.com"]})
    made["role_arn"] = account.role(trusted, allow("*"), name=made["role"])
    account.role(trusted, name=made["pathed_role"], Path="/some/path/")
    s3 = account.client("s3")
    for bucket in (made["bucket"], made["spare_bucket"]):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=ALL_ON)
    s3.put_object(Bucket=made["bucket"], Key="key", Body=b"1")
    s3.put_bucket_policy(
        Bucket=made["bucket"], Policy=json.dumps(document(deny("s3:*", "arn:aws:s3:::else", Principal="*")))
    )
    make_table(account, made["table"])
    secrets = account.client("secretsmanager")
    made["secret_arn"] = secrets.create_secret(Name=made["secret"], SecretString="a")["ARN"]
    made["other_secret_arn"] = secrets.create_secret(Name=account.name("secret"), SecretString="a")["ARN"]
    kms = account.client("kms")
    made["key"] = kms.create_key()["KeyMetadata"]["KeyId"]
    made["key_arn"] = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{made['key']}"
    kms.create_alias(AliasName=made["alias"], TargetKeyId=made["key"])
    made["ciphertext"] = kms.encrypt(KeyId=made["key"], Plaintext=b"p")["CiphertextBlob"].hex()
    made |= make_machines(account, made)
    made |= make_messaging(account, made)
    return made


def make_table(account: Account, name: str, **more: Any) -> None:
    index = {
        "IndexName": "by_a",
        "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }
    account.client("dynamodb").create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "a")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[index],
        BillingMode="PAY_PER_REQUEST",
        **more,
    )


def make_machines(account: Account, made: dict[str, str]) -> dict[str, str]:
    ec2, rds = account.client("ec2"), account.client("rds")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    volume = ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=1)["VolumeId"]
    rds.create_db_instance(
        DBInstanceIdentifier="db",
        DBInstanceClass="db.t3.micro",
        Engine="mysql",
        AllocatedStorage=5,
        MasterUsername="u",
        MasterUserPassword="password",
    )
    rds.create_db_snapshot(DBInstanceIdentifier="db", DBSnapshotIdentifier=made["db_snapshot"])
    account.client("lambda").create_function(
        FunctionName=made["function"],
        Runtime="python3.13",
        Role=made["role_arn"],
        Handler="handler.handler",
        Code={"ZipFile": zipped()},
    )
    for alias in ("live", "read"):
        account.client("lambda").create_alias(FunctionName=made["function"], Name=alias, FunctionVersion="$LATEST")
    for statement in ("kept", "gone"):
        account.client("lambda").add_permission(
            FunctionName=made["function"], Qualifier="read", StatementId=statement, **INVOKE
        )
    account.client("cloudtrail").create_trail(Name="trail", S3BucketName=made["bucket"])
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    instances = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"]
    account.client("iam").create_user(Path="/robots/", UserName="robot")
    return {
        "instance": instances[0]["InstanceId"],
        "access_key": account.client("iam").create_access_key(UserName="robot")["AccessKey"]["AccessKeyId"],
        "group": ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"],
        "snapshot": ec2.create_snapshot(VolumeId=volume)["SnapshotId"],
    }


def make_messaging(account: Account, made: dict[str, str]) -> dict[str, str]:
    account.client("logs").create_log_group(logGroupName=made["log_group"])
    account.client("cloudformation").create_stack(StackName=made["stack"], TemplateBody=TEMPLATE)
    account.client("ssm").put_parameter(Name=made["parameter"], Value="v", Type="String")
    account.client("ecr").create_repository(repositoryName=made["repository"])
    account.client("scheduler").create_schedule(**schedule(made, made["schedule"]))
    return {
        "topic_arn": account.client("sns").create_topic(Name="topic")["TopicArn"],
        "queue_url": account.client("sqs").create_queue(QueueName=made["queue"])["QueueUrl"],
    }


@dataclass
class Someone:
    """A session whose role's rights are replaced for each case."""

    account: Account
    role: str
    keys: Keys

    def may(self, *statements: dict[str, Any]) -> Someone:
        text = json.dumps(document(*statements or (deny("*"),)))
        get_backend("iam")[ACCOUNT]["aws"].put_role_policy(self.role, "own", text)
        return self

    def client(self, service: str) -> Any:
        return self.account.client(service, self.keys)


@pytest.fixture(scope="module")
def someone(account: Account) -> Someone:
    caller = account.user()
    role = account.role(trust({"AWS": caller.arn}))
    return Someone(account, role.rpartition("/")[2], account.assume(caller, role))


def grants(needs: tuple[tuple[str, str], ...], made: dict[str, str]) -> list[dict[str, Any]]:
    return [allow(action, resource.format(**made)) for action, resource in needs]


@pytest.mark.parametrize("name", ROWS)
def test_an_operation_needs_exactly_its_statements(someone: Someone, made: dict[str, str], name: str) -> None:
    row = ROWS[name]
    for left_out in row.needs:
        someone.may(*grants(tuple(need for need in row.needs if need != left_out), made))
        with pytest.raises(ClientError) as raised:
            row.call(someone.client(row.service), made)
        assert raised.value.response["Error"]["Code"] in DENIALS, left_out
    row.call(someone.may(*grants(row.needs, made)).client(row.service), made)


def test_the_accounts_own_block_on_public_access_is_an_operation_of_its_own(account: Account, someone: Someone) -> None:
    path, headers = "/v20180820/configuration/publicAccessBlock", {"x-amz-account-id": ACCOUNT}
    body = b"<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>"

    def put() -> int:
        return account.send(someone.keys, "PUT", path, "s3", headers=headers, data=body).status_code

    someone.may(allow("s3:PutBucketPublicAccessBlock"))
    assert put() == 403
    someone.may(allow("s3:PutAccountPublicAccessBlock"))
    assert put() == 200


def test_everybody_may_ask_who_they_are(account: Account) -> None:
    keys = account.session(deny("*"))
    identity = account.client("sts", keys).get_caller_identity()
    assert identity["Arn"] == keys.arn
    assert identity["UserId"].startswith("AROA")


LEADING = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["control", "window/*"]}}


@pytest.fixture
def limited(account: Account, made: dict[str, str]) -> Any:
    """A client that may touch items only under two kinds of keys."""
    actions = [
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:DeleteItem",
        "dynamodb:BatchGetItem",
        "dynamodb:Query",
        "dynamodb:BatchWriteItem",
    ]
    keys = account.session(allow(actions, TABLE.format(**made), Condition=LEADING))
    return account.client("dynamodb", keys)


def test_items_are_guarded_by_their_leading_keys(limited: Any, made: dict[str, str]) -> None:
    limited.put_item(TableName=made["table"], Item=key("control"))
    limited.get_item(TableName=made["table"], Key=key("window/1"))
    assert refused(lambda: limited.get_item(TableName=made["table"], Key=key("policy"))) == "AccessDeniedException"
    assert refused(lambda: limited.put_item(TableName=made["table"], Item=key("x"))) == "AccessDeniedException"


def test_queries_are_guarded_by_their_leading_key(limited: Any, made: dict[str, str]) -> None:
    def query(value: str) -> Any:
        names, values = {"#k": "pk"}, {":k": {"S": value}}
        return limited.query(
            TableName=made["table"],
            KeyConditionExpression="#k = :k",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
        )

    query("window/1")
    assert refused(lambda: query("policy")) == "AccessDeniedException"


def test_every_element_of_a_transaction_is_guarded(limited: Any, made: dict[str, str]) -> None:
    def transact(*elements: tuple[str, str]) -> Any:
        return limited.transact_write_items(
            TransactItems=[{kind: write(made, kind, value)} for kind, value in elements]
        )

    transact(("Put", "window/1"), ("Delete", "window/2"))
    assert refused(lambda: transact(("Put", "window/1"), ("Delete", "policy"))) == "AccessDeniedException"
    assert refused(lambda: transact(("Put", "window/1"), ("Update", "window/2"))) == "AccessDeniedException"
    gets = [{"Get": {"TableName": made["table"], "Key": key(value)}} for value in ("control", "policy")]
    assert refused(lambda: limited.transact_get_items(TransactItems=gets)) == "AccessDeniedException"


def test_every_element_of_a_batch_is_guarded(limited: Any, made: dict[str, str]) -> None:
    def read(*values: str) -> Any:
        return limited.batch_get_item(RequestItems={made["table"]: {"Keys": [key(value) for value in values]}})

    def delete(*values: str) -> Any:
        return limited.batch_write_item(
            RequestItems={made["table"]: [{"DeleteRequest": {"Key": key(value)}} for value in values]}
        )

    read("control", "window/1")
    delete("window/1")
    assert refused(lambda: read("control", "policy")) == "AccessDeniedException"
    assert refused(lambda: delete("window/1", "policy")) == "AccessDeniedException"


def via(service: str) -> dict[str, Any]:
    return {"StringEquals": {"kms:ViaService": f"{service}.{REGION}.amazonaws.com"}}


@pytest.fixture(scope="module")
def locked(account: Account) -> dict[str, str]:
    """What a customer managed key protects."""
    key_id = account.client("kms").create_key()["KeyMetadata"]["KeyId"]
    arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key_id}"
    secret = account.client("secretsmanager").create_secret(Name=account.name("locked"), SecretString="a", KmsKeyId=arn)
    name = account.name("locked")
    make_table(account, name, SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": arn})
    attributes = {"KmsMasterKeyId": arn}
    queue = account.client("sqs").create_queue(QueueName="locked", Attributes=attributes)
    topic = account.client("sns").create_topic(Name="locked", Attributes=attributes)
    return {"key": arn, "secret": secret["ARN"], "table": name, "queue": queue["QueueUrl"], "topic": topic["TopicArn"]}


USES: dict[str, tuple[str, str, Call, list[str]]] = {
    "secret read": (
        "secretsmanager",
        "secretsmanager:*",
        lambda c, m: c.get_secret_value(SecretId=m["secret"]),
        ["kms:Decrypt"],
    ),
    "secret batch": (
        "secretsmanager",
        "secretsmanager:*",
        lambda c, m: c.batch_get_secret_value(SecretIdList=[m["secret"]]),
        ["kms:Decrypt"],
    ),
    "secret write": (
        "secretsmanager",
        "secretsmanager:*",
        lambda c, m: c.put_secret_value(SecretId=m["secret"], SecretString="b", ClientRequestToken="u" * 32),
        ["kms:GenerateDataKey", "kms:Decrypt"],
    ),
    "item": ("dynamodb", "dynamodb:*", lambda c, m: c.get_item(TableName=m["table"], Key=key("p")), ["kms:Decrypt"]),
    "message": (
        "sqs",
        "sqs:*",
        lambda c, m: c.send_message(QueueUrl=m["queue"], MessageBody="m"),
        ["kms:GenerateDataKey", "kms:Decrypt"],
    ),
    "publication": (
        "sns",
        "sns:*",
        lambda c, m: c.publish(TopicArn=m["topic"], Message="m"),
        ["kms:GenerateDataKey", "kms:Decrypt"],
    ),
}


@pytest.mark.parametrize("name", USES)
def test_a_customers_key_is_used_with_the_callers_rights_via_the_service(
    someone: Someone, locked: dict[str, str], name: str
) -> None:
    service, own, call, actions = USES[name]

    def use(through: str, *rights: str) -> None:
        key_use = [allow(list(rights), locked["key"], Condition=via(through))] if rights else []
        call(someone.may(allow(own), *key_use).client(service), locked)

    use(service, *actions)
    too_little = [(service, *(each for each in actions if each != one)) for one in actions]
    for through, *rights in (*too_little, ("s3", *actions)):
        with pytest.raises(ClientError) as raised:
            use(through, *rights)
        assert raised.value.response["Error"]["Code"] in DENIALS


def test_what_is_allowed_only_via_a_service_is_not_allowed_directly(account: Account, locked: dict[str, str]) -> None:
    keys = account.session(allow("kms:*", locked["key"], Condition=via("secretsmanager")))
    call = lambda: account.client("kms", keys).generate_data_key(KeyId=locked["key"], KeySpec="AES_256")  # noqa: E731
    assert refused(call) == "AccessDeniedException"


def test_a_key_policy_that_names_only_others_locks_everybody_out(account: Account) -> None:
    policy = document({"Effect": "Allow", "Principal": {"AWS": account.user().arn}, "Action": "kms:*", "Resource": "*"})
    key_id = account.client("kms").create_key(Policy=json.dumps(policy))["KeyMetadata"]["KeyId"]
    keys = account.session(allow("kms:*"))
    assert refused(lambda: account.client("kms", keys).describe_key(KeyId=key_id)) == "AccessDeniedException"


def test_a_role_is_passed_only_to_the_service_that_the_statement_names(account: Account, made: dict[str, str]) -> None:
    passing = allow(
        "iam:PassRole", made["role_arn"], Condition={"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    )
    keys = account.session(allow(["lambda:*", "scheduler:*"]), passing)
    assert (
        refused(lambda: account.client("scheduler", keys).create_schedule(**schedule(made, "n")))
        == "AccessDeniedException"
    )
    account.client("lambda", keys).create_function(
        FunctionName="passed",
        Runtime="python3.13",
        Role=made["role_arn"],
        Handler="handler.handler",
        Code={"ZipFile": zipped()},
    )


def test_an_operation_on_a_secret_can_be_limited_to_its_current_version(account: Account, made: dict[str, str]) -> None:
    current = {"StringEquals": {"secretsmanager:VersionStage": "AWSCURRENT"}}
    secrets = account.client(
        "secretsmanager", account.session(allow("secretsmanager:GetSecretValue", made["secret_arn"], Condition=current))
    )
    secrets.get_secret_value(SecretId=made["secret"], VersionStage="AWSCURRENT")
    assert refused(lambda: secrets.get_secret_value(SecretId=made["secret"])) == "AccessDeniedException"


def test_attached_policies_can_be_limited(account: Account, made: dict[str, str]) -> None:
    good, bad = account.policy(document(allow("s3:*"))), account.policy(document(allow("*")))
    keys = account.session(allow("iam:AttachRolePolicy", Condition={"ArnEquals": {"iam:PolicyARN": good}}))
    iam = account.client("iam", keys)
    iam.attach_role_policy(RoleName=made["role"], PolicyArn=good)
    assert refused(lambda: iam.attach_role_policy(RoleName=made["role"], PolicyArn=bad)) == "AccessDenied"


def test_policies_may_be_put_only_while_the_role_has_its_boundary(account: Account, made: dict[str, str]) -> None:
    boundary = account.policy(document(allow("s3:*")))
    keys = account.session(
        allow("iam:PutRolePolicy", Condition={"StringEquals": {"iam:PermissionsBoundary": boundary}})
    )

    def put() -> object:
        return account.client("iam", keys).put_role_policy(
            RoleName=made["role"], PolicyName="frozen", PolicyDocument=json.dumps(document(deny("*", "*")))
        )

    assert refused(put) == "AccessDenied"
    account.client("iam").put_role_permissions_boundary(RoleName=made["role"], PermissionsBoundary=boundary)
    put()
    other = account.policy(document(allow("*")))
    account.client("iam").put_role_permissions_boundary(RoleName=made["role"], PermissionsBoundary=other)
    assert refused(put) == "AccessDenied"


def test_the_resources_account_is_a_condition_only_where_there_is_a_resource(
    account: Account, made: dict[str, str]
) -> None:
    own = {"StringEquals": {"aws:ResourceAccount": ACCOUNT}}
    keys = account.session(allow(["dynamodb:DescribeTable", "dynamodb:ListTables"], Condition=own))
    dynamodb = account.client("dynamodb", keys)
    dynamodb.describe_table(TableName=made["table"])
    assert refused(dynamodb.list_tables) == "AccessDeniedException"


def test_a_bucket_of_another_account_needs_both_sides(account: Account, made: dict[str, str]) -> None:
    keys = account.session(allow("s3:*"))
    statement = {
        "Effect": "Deny",
        "Principal": {"AWS": keys.arn},
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{made['spare_bucket']}/*",
    }
    account.client("s3").put_bucket_policy(Bucket=made["spare_bucket"], Policy=json.dumps(document(statement)))
    s3 = account.client("s3", keys)
    s3.list_objects_v2(Bucket=made["spare_bucket"])
    assert refused(lambda: s3.get_object(Bucket=made["spare_bucket"], Key="k")) == "AccessDenied"


def test_plain_http_is_told_from_tls_where_a_front_says_so(account: Account) -> None:
    bucket = account.name("tls")
    s3 = account.client("s3")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    statement = deny(
        "s3:*", f"arn:aws:s3:::{bucket}", Principal="*", Condition={"Bool": {"aws:SecureTransport": "false"}}
    )
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(document(statement)))
    reader = account.client("s3", account.session(allow("s3:*")))
    reader.get_bucket_policy(Bucket=bucket)
    reader.meta.events.register(
        "before-send.s3", lambda request, **_: request.headers.update({"X-Forwarded-Proto": "http"})
    )
    assert refused(lambda: reader.get_bucket_policy(Bucket=bucket)) == "AccessDenied"
