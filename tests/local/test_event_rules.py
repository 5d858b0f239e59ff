"""Events reach what rules name, with the rights that AWS asks for, and not otherwise."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from remediator.local.account import EmbeddedAccount
from remediator.local.emulator.identities import CUSTOMER_ACCOUNT
from tests.local.stacks import allows, deploy, function_resources, resource, trusts

if TYPE_CHECKING:
    from collections.abc import Iterator

PATTERN = {"source": ["shop"], "detail": {"outcome": ["fixed"]}}
LOUD = "def handler(event, context): print('HEARD', event['detail']['who'])"
TRAIL = "AWS API Call via CloudTrail"


@pytest.fixture(scope="module")
def heard() -> Iterator[tuple[EmbeddedAccount, list[str]]]:
    said: list[str] = []
    with EmbeddedAccount(say=said.append) as account:
        yield account, said


def put(account: EmbeddedAccount, **detail: Any) -> None:
    entry = {"Source": "shop", "DetailType": "Change", "Detail": json.dumps(detail)}
    answer: Any = account.client("events").put_events(Entries=[entry])  # type: ignore[attr-defined]
    assert answer["FailedEntryCount"] == 0
    account.rules.settle()


def topic_stack(account: EmbeddedAccount, *actions: str, **target: Any) -> Any:
    """Deploy a rule that publishes to a topic with a role of these rights, and a queue that hears the topic."""
    role = resource(
        "AWS::IAM::Role",
        AssumeRolePolicyDocument=trusts("events.amazonaws.com"),
        Policies=[{"PolicyName": "own", "PolicyDocument": allows(*actions)}],
    )
    to = {"Id": "one", "Arn": {"Ref": "Topic"}, "RoleArn": {"Fn::GetAtt": ["Publisher", "Arn"]}, **target}
    return deploy(
        account,
        {
            "Publisher": role,
            "Topic": resource("AWS::SNS::Topic"),
            "Queue": resource("AWS::SQS::Queue"),
            "Hears": resource(
                "AWS::SNS::Subscription",
                TopicArn={"Ref": "Topic"},
                Protocol="sqs",
                Endpoint={"Fn::GetAtt": ["Queue", "Arn"]},
            ),
            "Rule": resource("AWS::Events::Rule", EventPattern=PATTERN, State="ENABLED", Targets=[to]),
        },
    )


def messages(stack: Any) -> list[str]:
    url = stack.physical_id("Queue")
    found = stack.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(one["Body"])["Message"] for one in found]


def test_an_event_that_fits_is_published_as_the_transformer_says(heard: tuple[EmbeddedAccount, list[str]]) -> None:
    account, _ = heard
    template = {
        "InputPathsMap": {"who": "$.detail.who", "no": "$.detail.no"},
        "InputTemplate": '"<who> was"\n"<no>here"',
    }
    stack = topic_stack(account, "sns:Publish", InputTransformer=template)
    put(account, outcome="fixed", who='a "bucket"')
    put(account, outcome="planned", who="nobody")
    assert messages(stack) == ['a "bucket" was\nhere']
    stack.delete()


def test_without_a_transformer_the_whole_event_arrives(heard: tuple[EmbeddedAccount, list[str]]) -> None:
    account, _ = heard
    stack = topic_stack(account, "sns:Publish")
    put(account, outcome="fixed", who="x")
    (message,) = map(json.loads, messages(stack))
    assert message["detail"] == {"outcome": "fixed", "who": "x"}
    assert (message["source"], message["detail-type"], message["account"]) == ("shop", "Change", CUSTOMER_ACCOUNT)
    stack.delete()


def test_a_role_that_may_not_publish_loses_the_event_and_somebody_hears_of_it(
    heard: tuple[EmbeddedAccount, list[str]],
) -> None:
    account, said = heard
    stack = topic_stack(account, "sns:ListTopics")
    put(account, outcome="fixed", who="x")
    assert messages(stack) == []
    assert any("nothing was delivered" in line and "sns:Publish" in line for line in said)
    stack.delete()


def test_a_function_runs_if_its_own_policy_lets_the_rule_in(heard: tuple[EmbeddedAccount, list[str]]) -> None:
    account, said = heard
    target = {"Id": "one", "Arn": {"Fn::GetAtt": ["Function", "Arn"]}}
    rule = resource("AWS::Events::Rule", EventPattern=PATTERN, State="ENABLED", Targets=[target])
    without = function_resources(LOUD) | {"Rule": rule}
    stack = deploy(account, without)
    put(account, outcome="fixed", who="early")
    assert any("lambda:InvokeFunction" in line for line in said)
    lets_in = resource(
        "AWS::Lambda::Permission",
        Action="lambda:InvokeFunction",
        FunctionName={"Ref": "Function"},
        Principal="events.amazonaws.com",
        SourceArn={"Fn::GetAtt": ["Rule", "Arn"]},
    )
    assert stack.update(without | {"LetsIn": lets_in}) == "UPDATE_COMPLETE"
    put(account, outcome="fixed", who="late")
    lines = log_of(account, stack.physical_id("Function"))
    assert [line.strip() for line in lines if "HEARD" in line] == ["HEARD late"]
    stack.delete()


def test_what_was_asked_of_iam_and_sts_is_an_event_of_the_trail(heard: tuple[EmbeddedAccount, list[str]]) -> None:
    """Where AWS records it: IAM in us-east-1, STS where it was asked; a refusal with its code."""
    account, _ = heard
    emitted: list[tuple[str, str, Any, bool]] = []
    emit = account.rules.emit

    def listen(owner: str, region: str, event: Any, *, read_only: bool = False) -> None:
        emitted.append((owner, region, event, read_only))
        emit(owner, region, event, read_only=read_only)

    account.rules.emit = listen  # type: ignore[assignment, method-assign]
    try:
        iam: Any = account.client("iam")
        iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(trusts("lambda.amazonaws.com")))
        sts: Any = account.client("sts", account.identities.vendor.credentials)
        with pytest.raises(sts.exceptions.ClientError):
            sts.assume_role(RoleArn=f"arn:aws:iam::{CUSTOMER_ACCOUNT}:role/r", RoleSessionName="x" * 20)
        account.client("s3").list_buckets()  # type: ignore[attr-defined]
    finally:
        account.rules.emit = emit  # type: ignore[method-assign]
    made, asked = emitted
    assert (made[0], made[1], made[3]) == (CUSTOMER_ACCOUNT, "us-east-1", False)
    assert made[2]["detail"]["requestParameters"]["roleName"] == "r"
    assert made[2]["detail"]["userIdentity"]["type"] in {"IAMUser", "Root"}
    assert (asked[0], asked[1], asked[3]) == (CUSTOMER_ACCOUNT, account.region, True)
    detail = asked[2]["detail"]
    assert (detail["eventName"], detail["errorCode"]) == ("AssumeRole", "AccessDenied")
    assert (asked[2]["detail-type"], detail["requestParameters"]["roleSessionName"]) == (TRAIL, "x" * 20)
    assert detail["userIdentity"]["type"] == "AWSAccount"


def test_a_target_that_nobody_here_delivers_to_is_refused(heard: tuple[EmbeddedAccount, list[str]]) -> None:
    account, _ = heard
    events: Any = account.client("events")
    events.put_rule(Name="odd", EventPattern=json.dumps(PATTERN))
    with pytest.raises(events.exceptions.ClientError):
        events.put_targets(Rule="odd", Targets=[{"Id": "1", "Arn": "arn:aws:states:eu-west-1:1:stateMachine:x"}])
    events.delete_rule(Name="odd")


def log_of(account: EmbeddedAccount, function: str) -> list[str]:
    logs: Any = account.client("logs")
    return [one["message"] for one in logs.filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"]]
