"""Services whose resource a parameter names: a table instead of code.

Source: Service Authorization Reference, one page per service. A service that isn't in the table has no resource here:
its operations are checked on `*`, so that only statements on every resource apply to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from moto.cloudformation.models import cloudformation_backends
from moto.ec2.models import ec2_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from remediator.local.iam.check import Check

from . import keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediator.local.iam.apicall import ApiCall

# service -> (parameter, the resource part of its ARN); the first parameter that is present wins. Values that are ARNs
# stay as they are. `{0}` is the value.
_RESOURCES: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "cloudtrail": (("Name", "trail/{0}"), ("TrailName", "trail/{0}"), ("ResourceId", "{0}")),
    "cloudwatch": (("AlarmName", "alarm:{0}"), ("AlarmNames", "alarm:{0}"), ("ResourceARN", "{0}")),
    "ecr": (("repositoryName", "repository/{0}"), ("repositoryNames", "repository/{0}"), ("resourceArn", "{0}")),
    "events": (("Rule", "rule/{0}"), ("Name", "rule/{0}"), ("EventBusName", "event-bus/{0}"), ("ResourceARN", "{0}")),
    "lambda": (
        ("FunctionName", "function:{0}"),
        ("LayerName", "layer:{0}"),
        ("UUID", "event-source-mapping:{0}"),
        ("Resource", "{0}"),
    ),
    "rds": (
        ("DBSnapshotIdentifier", "snapshot:{0}"),
        ("DBClusterSnapshotIdentifier", "cluster-snapshot:{0}"),
        ("DBInstanceIdentifier", "db:{0}"),
        ("DBClusterIdentifier", "cluster:{0}"),
        ("DBSubnetGroupName", "subgrp:{0}"),
        ("DBParameterGroupName", "pg:{0}"),
        ("ResourceName", "{0}"),
    ),
    "scheduler": (("ScheduleArn", "{0}"), ("ResourceArn", "{0}")),
    "sns": (
        ("TopicArn", "{0}"),
        ("TargetArn", "{0}"),
        ("ResourceArn", "{0}"),
        ("SubscriptionArn", "{0}"),
        ("Name", "{0}"),
    ),
    "ssm": (
        ("Name", "parameter/{0}"),
        ("Names", "parameter/{0}"),
        ("Path", "parameter/{0}"),
        ("ResourceId", "parameter/{0}"),
    ),
}
_EC2: Final = (
    ("GroupId", "security-group/{0}"),
    ("SecurityGroupRuleIds", "security-group-rule/{0}"),
    ("SnapshotId", "snapshot/{0}"),
    ("ImageId", "image/{0}"),
    ("InstanceId", "instance/{0}"),
    ("VolumeId", "volume/{0}"),
    ("SubnetId", "subnet/{0}"),
    ("VpcId", "vpc/{0}"),
)
_PUBLIC_EC2: Final = ("snapshot/", "image/")  # their ARNs name no account
_NO_RESOURCE: Final = {
    "ecr": frozenset({"GetAuthorizationToken"}),
    "lambda": frozenset({"ListFunctions", "GetAccountSettings"}),
    "cloudwatch": frozenset({"PutMetricData", "GetMetricData", "GetMetricStatistics", "ListMetrics"}),
    "sqs": frozenset({"ListQueues"}),
    "sns": frozenset({"ListTopics", "ListSubscriptions"}),
}
# Where an operation that names nothing is checked on all there are of a kind.
_ALL: Final = {("cloudwatch", "DescribeAlarms"): "alarm:*"}
_NAMES: Final = {
    ("lambda", "Invoke"): "InvokeFunction",
    ("lambda", "InvokeWithResponseStream"): "InvokeFunction",
    ("sqs", "SendMessageBatch"): "SendMessage",
    ("sqs", "DeleteMessageBatch"): "DeleteMessage",
    ("sqs", "ChangeMessageVisibilityBatch"): "ChangeMessageVisibility",
    ("sns", "PublishBatch"): "Publish",
}
# operation -> (where the role's ARN is, the service it is passed to)
_PASSED_ROLES: Final = {
    ("lambda", "CreateFunction"): (("Role",), "lambda.amazonaws.com"),
    ("lambda", "UpdateFunctionConfiguration"): (("Role",), "lambda.amazonaws.com"),
    ("scheduler", "CreateSchedule"): (("Target", "RoleArn"), "scheduler.amazonaws.com"),
    ("scheduler", "UpdateSchedule"): (("Target", "RoleArn"), "scheduler.amazonaws.com"),
    ("cloudformation", "CreateStack"): (("RoleARN",), "cloudformation.amazonaws.com"),
    ("cloudformation", "UpdateStack"): (("RoleARN",), "cloudformation.amazonaws.com"),
    ("cloudformation", "CreateChangeSet"): (("RoleARN",), "cloudformation.amazonaws.com"),
}
_CONTEXT: Final = {
    ("lambda", "AuthType"): "lambda:FunctionUrlAuthType",
    ("lambda", "FunctionUrlAuthType"): "lambda:FunctionUrlAuthType",
    ("lambda", "Principal"): "lambda:Principal",
    ("cloudwatch", "Namespace"): "cloudwatch:namespace",
    ("sns", "Protocol"): "sns:Protocol",
    ("sns", "Endpoint"): "sns:Endpoint",
    ("cloudformation", "RoleARN"): "cloudformation:RoleArn",
    ("cloudformation", "ChangeSetName"): "cloudformation:ChangeSetName",
    ("cloudformation", "TemplateURL"): "cloudformation:TemplateUrl",
}


def checks(call: ApiCall) -> list[Check]:
    """Return what an operation needs: its resources, the roles that it passes on, the keys that it uses."""
    action = f"{call.service}:{_NAMES.get((call.service, call.operation), call.operation)}"
    context = {
        key: str(call.params[name])
        for (service, name), key in _CONTEXT.items()
        if service == call.service and name in call.params
    }
    context.update(_ec2_context(call))
    resources = list(_resources(call)) or ["*"]
    return [
        *(Check(action, resource, context) for resource in resources),
        *_passed_role(call),
        *_key_use(call, resources),
    ]


def _resources(call: ApiCall) -> Iterator[str]:
    if call.operation in _NO_RESOURCE.get(call.service, ()):
        return
    special = {"cloudformation": _stacks, "ec2": _ec2, "logs": _log_groups, "scheduler": _schedules, "sqs": _queues}
    if call.service in special:
        yield from special[call.service](call)
        return
    for parameter, template in _RESOURCES.get(call.service, ()):
        values = call.params.get(parameter)
        if values:
            several = values if isinstance(values, list) else [values]
            yield from (_arn(call, template, value) + _qualifier(call) for value in several)
            return
    if (call.service, call.operation) in _ALL:
        yield call.arn(_ALL[call.service, call.operation])


def _qualifier(call: ApiCall) -> str:
    """Return what makes a function's ARN that of its version or alias."""
    named = call.params.get("Qualifier") if call.service == "lambda" else None
    return f":{named}" if named and named != "$LATEST" else ""


def _arn(call: ApiCall, template: str, value: object) -> str:
    text = str(value)
    return text if text.startswith("arn:") else call.arn(template.format(text.lstrip("/")))


def _stacks(call: ApiCall) -> Iterator[str]:
    name = call.params.get("StackName")
    if not name or str(name).startswith("arn:"):
        yield str(name or "*")
        return
    stacks = cloudformation_backends[call.account][call.region].stacks.values()
    known = next((stack.stack_id for stack in list(stacks) if stack.name == name), None)
    yield str(known or call.arn(f"stack/{name}/*"))


def _ec2(call: ApiCall) -> Iterator[str]:
    if call.operation.startswith("Describe") and not call.operation.endswith("Attribute"):
        return
    if call.operation == "CreateSecurityGroup":
        yield call.arn("security-group/*")
    for parameter, template in _EC2:
        values = call.params.get(parameter)
        for value in values if isinstance(values, list) else [values] if values else []:
            arn = _arn(call, template, value)
            public = template.startswith(_PUBLIC_EC2)
            yield arn.replace(f":{call.account}:", "::") if public else arn
        if values:
            return
    if "GroupName" in call.params:
        group = ec2_backends[call.account][call.region].get_security_group_by_name_or_id(str(call.params["GroupName"]))
        yield call.arn(f"security-group/{group.id if group else '*'}")


def _ec2_context(call: ApiCall) -> dict[str, str]:
    if call.service != "ec2":
        return {}
    context = {"ec2:Region": call.region}
    group_id = call.params.get("GroupId")
    group = ec2_backends[call.account][call.region].get_security_group_from_id(group_id) if group_id else None
    if group:
        context["ec2:SecurityGroupID"] = group.id
        context["ec2:Vpc"] = call.arn(f"vpc/{group.vpc_id}")
    return context


def _log_groups(call: ApiCall) -> Iterator[str]:
    named = call.params.get("logGroupIdentifier") or call.params.get("logGroupName") or call.params.get("resourceArn")
    named = named or call.params.get("logGroupNamePrefix") or next(iter(call.params.get("logGroupNames") or []), None)
    if not named:
        return
    group = str(named) if str(named).startswith("arn:") else call.arn(f"log-group:{named}")
    if call.operation in ("TagResource", "UntagResource", "ListTagsForResource"):
        yield group
    else:
        # AWS checks even a group's operations on its (perhaps nameless) stream, which is why policies end in `:*`.
        yield f"{group.removesuffix(':*')}:log-stream:{call.params.get('logStreamName') or ''}"


def _schedules(call: ApiCall) -> Iterator[str]:
    group = call.params.get("GroupName") or "default"
    if "ScheduleGroup" in call.operation and call.params.get("Name"):
        yield call.arn(f"schedule-group/{call.params['Name']}")
    elif call.params.get("Name"):
        yield call.arn(f"schedule/{group}/{call.params['Name']}")
    elif call.params.get("ResourceArn"):
        yield str(call.params["ResourceArn"])


def _queues(call: ApiCall) -> Iterator[str]:
    name = call.params.get("QueueName") or str(call.params.get("QueueUrl") or "").rpartition("/")[2]
    if name:
        yield call.arn(str(name))


def _passed_role(call: ApiCall) -> Iterator[Check]:
    path, service = _PASSED_ROLES.get((call.service, call.operation), ((), ""))
    value: Any = call.params if path else None
    for name in path:
        value = (value or {}).get(name)
    if value:
        yield Check("iam:PassRole", str(value), {"iam:PassedToService": service})


def _key_use(call: ApiCall, resources: list[str]) -> Iterator[Check]:
    if call.service == "sqs" and call.operation in ("SendMessage", "SendMessageBatch", "ReceiveMessage"):
        queue = sqs_backends[call.account][call.region].queues.get(resources[0].rpartition(":")[2])
        sends = call.operation != "ReceiveMessage"
        encryption = {"aws:sqs:arn": resources[0]}
        yield from keys.uses(call, _key(queue), ("GenerateDataKey", "Decrypt") if sends else ("Decrypt",), encryption)
    if call.service == "sns" and call.operation in ("Publish", "PublishBatch"):
        topic = sns_backends[call.account][call.region].topics.get(resources[0])
        yield from keys.uses(call, _key(topic), ("GenerateDataKey", "Decrypt"), {"aws:sns:topicArn": resources[0]})


def _key(holder: Any) -> str | None:  # noqa: ANN401 - moto's Queue or Topic
    return getattr(holder, "kms_master_key_id", None) or None
