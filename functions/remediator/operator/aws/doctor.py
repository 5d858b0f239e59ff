"""Examine what stands around a deployment on AWS: schedule, functions, who is told, who may what."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from remediator.catalogue import registry
from remediator.catalogue.errors import UnknownFix
from remediator.operator.aws.condition import ALARMS
from remediator.operator.doctor import REDEPLOY, Check, clock, looked
from remediator.vendor import Finding
from remediator.vendor.clock import seconds_of
from remediator.vendor.errors import NotServed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from remediator.operator.aws.office import AwsOffice
    from remediator.operator.condition import Condition

SCHEDULE: Final = "remediator-rotate"
DEAD_LETTERS: Final = "remediator-dead-letters"
BOUNDARY: Final = "remediator-write-boundary"
RUNTIME: Final = "python3.13"
"""What the functions' bytecode is compiled for."""

ALLOWS_SEEDS: Final = "ReadSeedRecords"
_PENDING: Final = "PendingConfirmation"
_ACCOUNTS_OWN: Final = "aws.iam.set-password-policy"


def checks(office: AwsOffice, condition: Condition) -> Iterator[Check]:
    """Yield the checks that only AWS has."""
    looks: tuple[tuple[str, Callable[[], Check]], ...] = (
        ("schedule", partial(_schedule, office)),
        ("functions", partial(_functions, office)),
        ("delivery", partial(_delivery, office)),
        ("write role's trust", lambda: _trust(condition)),
        ("write role's boundary", partial(_boundary, office)),
        ("write role's permissions", partial(_permissions, office)),
        ("alarms' way", partial(_told, office)),
        ("dead letters", partial(_dead_letters, office)),
        ("AWS's clock", partial(_clock, office)),
    )
    for about, look in looks:
        yield looked(about, look, ClientError, BotoCoreError, NotServed)


def everybodys(office: AwsOffice) -> Finding | None:
    """Return a finding on the account's own password policy, if that fix is enabled: every account has one, or none."""
    if _ACCOUNTS_OWN not in {card.id for card in office.client().fixes()}:
        return None
    return Finding(fix=_ACCOUNTS_OWN, target={"arn": f"arn:{office.home.partition}:iam::{office.home.account}:root"})


def _schedule(office: AwsOffice) -> Check:
    found = office.service("scheduler").get_schedule(Name=SCHEDULE)
    fine = found["State"] == "ENABLED"
    said = f"{found['ScheduleExpression']}, {found['State'].lower()}"
    return Check("schedule", fine, said, "" if fine else f"Nothing rotates: enable the schedule {SCHEDULE}.")


def _functions(office: AwsOffice) -> Check:
    names = [office.outputs[name] for name in ("RotateFunction", "RemediateFunction")]
    found = [office.service("lambda").get_function_configuration(FunctionName=name) for name in names]
    wrong = [f"{one['FunctionName']} runs {one['Runtime']}" for one in found if one["Runtime"] != RUNTIME]
    wrong += [
        f"{one['FunctionName']} is {state}"
        for one in found
        if (state := one.get("State", "Active")) != "Active" or one.get("LastUpdateStatus") == "Failed"
    ]
    architectures = {architecture for one in found for architecture in one["Architectures"]}
    said = "; ".join(wrong) or f"{RUNTIME} on {' and '.join(sorted(architectures))}"
    return Check("functions", not wrong, said, REDEPLOY if wrong else "")


def _delivery(office: AwsOffice) -> Check:
    """Tell whether the vendor reads seeds exactly where it should; that we do was seen when the plan was signed."""
    role = office.outputs["ReaderRoleArn"].rpartition("/")[2]
    document = office.service("iam").get_role_policy(RoleName=role, PolicyName="call")["PolicyDocument"]
    reads = any(one.get("Sid") == ALLOWS_SEEDS and one["Effect"] == "Allow" for one in document["Statement"])
    delivery = office.outputs["Delivery"]
    fine = reads is (delivery == "automatic")
    said = f"{delivery}: the vendor {'reads' if reads else 'reads no'} seed records"
    return Check("delivery", fine, said, "" if fine else f"That isn't what was deployed. {REDEPLOY}")


def _trust(condition: Condition) -> Check:
    strangers = ", ".join(condition.foreign)
    said = f"trusts {strangers}" if strangers else "trusts the remediator alone"
    advice = "Freeze, remove them from the role's trust policy, and find out who put them there."
    return Check("write role's trust", not strangers, said, advice if strangers else "")


def _boundary(office: AwsOffice) -> Check:
    found = office.service("iam").get_role(RoleName=office.write_role)["Role"].get("PermissionsBoundary", {})
    arn = str(found.get("PermissionsBoundaryArn", "none"))
    fine = arn.endswith(f":policy/{BOUNDARY}")
    advice = f"Freeze: nothing keeps the role from the deployment itself. {REDEPLOY}"
    return Check("write role's boundary", fine, arn, "" if fine else advice)


def _permissions(office: AwsOffice) -> Check:
    """Tell whether the policies that are attached allow what the enabled fixes do, and whether others are attached."""
    iam, role = office.service("iam"), office.write_role
    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    ours = [one["PolicyArn"] for one in attached if one["PolicyName"].startswith(f"{role}-")]
    allowed = {action for arn in ours for action in _allowed(iam, arn)}
    wrong = [f"{fix} lacks {', '.join(lacking)}" for fix, lacking in _lacking(office, allowed).items()]
    wrong += [f"{one['PolicyName']} isn't ours" for one in attached if one["PolicyArn"] not in ours]
    said = "; ".join(wrong) or f"{len(allowed)} actions, as the enabled fixes need"
    return Check("write role's permissions", not wrong, said, REDEPLOY if wrong else "")


def _allowed(iam: Any, arn: str) -> Iterator[str]:  # noqa: ANN401 - an SDK client
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    for statement in document["Statement"]:
        if statement["Effect"] == "Allow":
            yield from statement["Action"]


def _lacking(office: AwsOffice, allowed: set[str]) -> Mapping[str, list[str]]:
    """Return enabled fix → the actions that aren't allowed; a fix that this version doesn't know can't be judged."""
    lacking = {}
    for card in office.client().fixes():
        try:
            fix = registry.load(card.id)
        except UnknownFix:
            continue
        needed = {action for grant in (*fix.reads, *fix.writes) for action in grant.actions}
        if missing := sorted(needed - allowed):
            lacking[card.id] = missing
    return lacking


def _told(office: AwsOffice) -> Check:
    """Tell whether every alarm acts, and whether somebody hears of it."""
    pages = office.service("cloudwatch").get_paginator("describe_alarms").paginate(AlarmNamePrefix=ALARMS)
    alarms = [one for page in pages for one in page["MetricAlarms"]]
    mute = [one["AlarmName"] for one in alarms if not one["ActionsEnabled"] or not one["AlarmActions"]]
    if mute or not alarms:
        return Check("alarms' way", False, f"{', '.join(mute) or 'all of them'} tell nobody or are missing", REDEPLOY)
    topics = sorted({topic for one in alarms for topic in one["AlarmActions"]})
    heard = sum(_confirmed(office, topic) for topic in topics)
    named = ", ".join(topic.rpartition(":")[2] for topic in topics)
    advice = "Deploy with -c alarm_email=…, or subscribe to the topic; confirm what AWS sends you."
    said = f"{len(alarms)} alarms tell {named}, which {heard or 'no'} confirmed subscriptions hear"
    return Check("alarms' way", bool(heard), said, "" if heard else advice)


def _confirmed(office: AwsOffice, topic: str) -> int:
    pages = office.service("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    return sum(one["SubscriptionArn"] != _PENDING for page in pages for one in page["Subscriptions"])


def _dead_letters(office: AwsOffice) -> Check:
    queue = office.service("sqs")
    url = queue.get_queue_url(QueueName=DEAD_LETTERS)["QueueUrl"]
    wanted = "ApproximateNumberOfMessages"
    waiting = int(queue.get_queue_attributes(QueueUrl=url, AttributeNames=[wanted])["Attributes"][wanted])
    advice = "Read why it was given up, then delete it: docs/operations.md, dead-letters."
    return Check("dead letters", not waiting, f"{waiting or 'none'} waiting", advice if waiting else "")


def _clock(office: AwsOffice) -> Check:
    answer = office.service("sts").get_caller_identity()
    shown = seconds_of(answer["ResponseMetadata"]["HTTPHeaders"].get("date"))
    return clock("AWS's clock", None if shown is None else shown - time.time())
