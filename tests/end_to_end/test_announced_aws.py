"""What is changed is told, and what nothing explains rings, through everything that is deployed for it."""

from __future__ import annotations

import base64
import json
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from remediator.aws.trust_policy import closed_document
from remediator.core.gate import keys_of
from remediator.local.emulator.identities import CUSTOMER_ACCOUNT
from tests.local.stacks import allows, trusts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.end_to_end.world import World

WRITE = "remediator-write"

pytestmark = pytest.mark.xdist_group("embedded account")


@pytest.fixture
def told(world: World) -> World:
    """The usual deployment, which mails changes; whatever was under way has been told."""
    world.rotate_next()
    world.account.rules.settle()
    return world


@pytest.fixture
def inbox(told: World) -> Iterator[Callable[[], list[str]]]:
    """A queue that hears what is sent to the address."""
    sqs, sns = told.admin("sqs"), told.admin("sns")
    url = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    topics = [one["TopicArn"] for one in sns.list_topics()["Topics"]]
    (topic,) = [one for one in topics if one.endswith(":remediator-changes")]
    queue = f"arn:aws:sqs:{told.account.region}:{CUSTOMER_ACCOUNT}:inbox"
    heard = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)["SubscriptionArn"]

    def read() -> list[str]:
        told.account.rules.settle()
        found: list[str] = []
        while met := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            found += [json.loads(one["Body"])["Message"] for one in met]
            for one in met:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
        return found

    yield read
    sns.unsubscribe(SubscriptionArn=heard)
    sqs.delete_queue(QueueUrl=url)


def counted(told: World, metric: str, service: str) -> float:
    now = datetime.fromtimestamp(time.time(), UTC)
    found = told.admin("cloudwatch").get_metric_statistics(
        Namespace="Remediator",
        MetricName=metric,
        Dimensions=[{"Name": "service", "Value": service}],
        StartTime=now - timedelta(days=1),
        EndTime=now + timedelta(days=1),
        Period=86_400,
        Statistics=["Sum"],
    )
    return float(sum(point["Sum"] for point in found["Datapoints"]))


def test_an_applied_change_and_its_rollback_are_mailed_and_a_plan_is_not(
    told: World, inbox: Callable[[], list[str]]
) -> None:
    told.break_again()
    told.account.rules.settle()
    inbox()
    finding = told.findings()[0]
    told.vendor().plan([finding])
    assert inbox() == []
    answer = told.vendor().apply([finding])
    (result,) = answer.results
    assert result.outcome == "fixed"
    (message,) = inbox()
    lines = message.split("\n")
    assert lines[0] == f"Remediator in shop: fixed, by {result.fix}."
    assert lines[1].startswith("Resource: arn:aws:")
    assert lines[2].startswith("Finding: ")
    assert lines[3] == f"Way back: remediator rollback {answer.id} --finding 0"
    told.operator().client().roll_back(answer.id)
    (back,) = inbox()
    assert back.startswith("Remediator in shop: rolled_back")


def test_events_have_both_states_and_no_secret_of_the_window(told: World) -> None:
    heard: list[Any] = []
    offer = told.account.rules._offer

    def listen(rule: Any, event: Any) -> None:
        heard.append(event)
        offer(rule, event)

    told.account.rules._offer = listen  # type: ignore[method-assign]
    try:
        told.apply_all()
        told.account.rules.settle()
    finally:
        told.account.rules._offer = offer  # type: ignore[method-assign]
    ours = {one["detail"]["id"]: one for one in heard if one["source"] == "remediator"}
    assert len(ours) > 10
    for one in ours.values():
        detail = one["detail"]
        assert detail["before"] != detail["after"]
        assert one["resources"] == [detail["resource"]]
        assert (detail["account"], detail["account_alias"]) == (CUSTOMER_ACCOUNT, "shop")
        assert detail["way_back"]
    text = json.dumps(list(ours.values()))
    for secret in secrets_of(told):
        for shown in (secret.hex(), base64.b64encode(secret).decode(), base64.b32encode(secret).decode().rstrip("=")):
            assert shown.lower() not in text.lower()


def secrets_of(told: World) -> list[bytes]:
    """Return the live window's seed, opening and proof key, as the administrator reads them."""
    record = told.record()
    keys = keys_of(record)
    return [record.seed.reveal(), keys.opening.reveal(), keys.proof_key.reveal()]


def test_sessions_that_requests_explain_ring_nothing(told: World) -> None:
    told.account.rules.settle()
    before, rung = len(told.account.calls.by("remediator-watcher")), counted(told, "UnexplainedAccess", "watcher")
    told.vendor().apply([told.findings()[0]])
    told.account.rules.settle()
    assert len(told.account.calls.by("remediator-watcher")) > before
    assert counted(told, "UnexplainedAccess", "watcher") == rung


def test_whoever_else_assumes_the_write_role_rings(told: World) -> None:
    told.account.rules.settle()
    before = counted(told, "UnexplainedAccess", "watcher")
    told.admin("sts").assume_role(RoleArn=f"arn:aws:iam::{CUSTOMER_ACCOUNT}:role/{WRITE}", RoleSessionName="x" * 20)
    told.account.rules.settle()
    assert counted(told, "UnexplainedAccess", "watcher") == before + 1


def test_who_changes_the_write_role_rings_where_iams_calls_are_passed_on_from(told: World) -> None:
    """IAM's calls are events of us-east-1: without the rule that docs/operations.md gives, nobody hears of them."""
    told.account.rules.settle()
    before = counted(told, "UnexplainedAccess", "watcher")
    change = {"RoleName": WRITE, "PolicyName": "x", "PolicyDocument": json.dumps(allows("s3:GetBucketAcl"))}
    told.admin("iam").put_role_policy(**change)
    told.account.rules.settle()
    assert counted(told, "UnexplainedAccess", "watcher") == before
    with passed_on(told):
        told.admin("iam").put_role_policy(**change)
        told.account.rules.settle()
        assert counted(told, "UnexplainedAccess", "watcher") == before + 1
    told.admin("iam").delete_role_policy(RoleName=WRITE, PolicyName="x")


@contextmanager
def passed_on(told: World) -> Iterator[None]:
    """Do what docs/operations.md says: pass IAM's events on to the deployment's region. Here it is taken back, too."""
    bus = f"arn:aws:events:{told.account.region}:{CUSTOMER_ACCOUNT}:event-bus/default"
    iam, events = told.admin("iam"), told.account.client("events", region="us-east-1")
    trust = json.dumps(trusts("events.amazonaws.com"))
    role = iam.create_role(RoleName="pass-on", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    policy = json.dumps(allows("events:PutEvents", resource=bus))
    iam.put_role_policy(RoleName="pass-on", PolicyName="pass-on", PolicyDocument=policy)
    source = {"source": ["aws.iam"], "detail-type": ["AWS API Call via CloudTrail"]}
    events.put_rule(Name="pass-on", EventPattern=json.dumps(source))  # type: ignore[attr-defined]
    target = {"Id": "bus", "Arn": bus, "RoleArn": role}
    events.put_targets(Rule="pass-on", Targets=[target])  # type: ignore[attr-defined]
    yield
    events.remove_targets(Rule="pass-on", Ids=["bus"])  # type: ignore[attr-defined]
    events.delete_rule(Name="pass-on")  # type: ignore[attr-defined]


def test_the_rotator_rings_for_a_stranger_in_the_trust_policy_and_sets_it_right(told: World) -> None:
    before = counted(told, "GateChanged", "rotator")
    told.rotate_next()
    assert counted(told, "GateChanged", "rotator") == before
    document = closed_document(told.account.outputs["RemediatorRoleArn"])
    document["Statement"][0]["Principal"] = {"AWS": told.account.identities.vendor.arn}
    told.admin("iam").update_assume_role_policy(RoleName=WRITE, PolicyDocument=json.dumps(document))
    told.rotate_next()
    assert counted(told, "GateChanged", "rotator") == before + 1
    told.rotate_next()
    assert counted(told, "GateChanged", "rotator") == before + 1
