"""Lambda's API over the host: what Invoke answers, whose rights a function has, where its log and its metrics go."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import botocore
import pytest

from remediator.local.faults import Match
from tests.local.hosting import eventually
from tests.local.stacks import Deployed, deploy, function_resources, resource, trusts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediator.local.account import EmbeddedAccount

ECHO = "def handler(event, context): return event"


@pytest.fixture
def account(embedded: EmbeddedAccount) -> Iterator[EmbeddedAccount]:
    yield embedded
    embedded.faults.clear()


def invoke(stack: Deployed, event: Any = None, **options: Any) -> Any:
    payload = json.dumps(event or {}).encode()
    name = stack.physical_id("Function")
    return stack.client("lambda").invoke(FunctionName=name, Payload=payload, **options)


def lines(stack: Deployed, group: str | None = None) -> list[str]:
    name = group or f"/aws/lambda/{stack.physical_id('Function')}"
    return [event["message"] for event in stack.client("logs").filter_log_events(logGroupName=name)["events"]]


def test_invoke_gives_the_result_and_the_tail_of_the_log(account: EmbeddedAccount) -> None:
    stack = deploy(account, function_resources("def handler(event, context):\n    print('seen')\n    return event"))
    answer = invoke(stack, {"a": 1}, LogType="Tail")
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert json.loads(answer["Payload"].read()) == {"a": 1}
    assert "FunctionError" not in answer
    assert "\nseen\n" in base64.b64decode(answer["LogResult"]).decode()


def test_invoke_by_arn_is_the_same(account: EmbeddedAccount) -> None:
    stack = deploy(account, function_resources(ECHO), Outputs={"Arn": {"Value": {"Fn::GetAtt": ["Function", "Arn"]}}})
    answer = stack.client("lambda").invoke(FunctionName=stack.outputs["Arn"], Payload=b"[1]")
    assert answer["Payload"].read() == b"[1]"


def test_a_function_error_is_unhandled(account: EmbeddedAccount) -> None:
    answer = invoke(deploy(account, function_resources("def handler(event, context): raise ValueError('x')")))
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert json.loads(answer["Payload"].read())["errorType"] == "ValueError"


def test_an_event_is_accepted_and_runs_later(account: EmbeddedAccount) -> None:
    stack = deploy(account, function_resources("def handler(event, context): print('ran', event['n'])"))
    assert invoke(stack, {"n": 7}, InvocationType="Event")["StatusCode"] == 202
    group = f"/aws/lambda/{stack.physical_id('Function')}"
    logs = stack.client("logs")
    assert eventually(lambda: bool(logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]))
    assert eventually(lambda: "ran 7" in lines(stack))


def test_a_dry_run_runs_nothing(account: EmbeddedAccount) -> None:
    stack = deploy(account, function_resources(ECHO))
    assert invoke(stack, InvocationType="DryRun")["StatusCode"] == 204
    assert stack.client("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/" + stack.name)["logGroups"] == []


@pytest.mark.parametrize(
    ("payload", "code"),
    [(b"{not json", "InvalidRequestContentException"), (b'"' + b"x" * 6_300_000 + b'"', "RequestTooLargeException")],
)
def test_an_event_that_cannot_be_one_is_refused(account: EmbeddedAccount, payload: bytes, code: str) -> None:
    stack = deploy(account, function_resources(ECHO))
    client = stack.client("lambda")
    with pytest.raises(client.exceptions.ClientError, match=code):
        client.invoke(FunctionName=stack.physical_id("Function"), Payload=payload)


def test_an_asynchronous_event_has_the_smaller_limit(account: EmbeddedAccount) -> None:
    stack = deploy(account, function_resources(ECHO))
    client = stack.client("lambda")
    with pytest.raises(client.exceptions.ClientError, match="RequestTooLargeException"):
        invoke(stack, "x" * 1_100_000, InvocationType="Event")


def test_a_function_whose_concurrency_is_used_up_is_throttled(account: EmbeddedAccount) -> None:
    stack = deploy(account, function_resources(ECHO, ReservedConcurrentExecutions=0))
    client = stack.client("lambda")
    with pytest.raises(client.exceptions.TooManyRequestsException):
        invoke(stack)


def test_a_role_that_lambda_may_not_assume_is_said(account: EmbeddedAccount) -> None:
    resources = function_resources(ECHO)
    resources["Role"]["Properties"]["AssumeRolePolicyDocument"] = trusts("ec2.amazonaws.com")
    stack = deploy(account, resources)
    client = stack.client("lambda")
    with pytest.raises(client.exceptions.ClientError, match="cannot be assumed by Lambda"):
        invoke(stack)


CALLER = """
import os, sys
sys.path.append(os.environ["SDK"])
import botocore.session
def handler(event, context):
    client = botocore.session.get_session().create_client(event["service"])
    try: getattr(client, event["call"])(**event["with"])
    except Exception as error: return str(error)
    return "done"
"""


def sdk() -> dict[str, Any]:
    return {"Variables": {"SDK": botocore.__file__.rpartition("/botocore/")[0]}}


def test_a_function_has_its_roles_rights_and_no_more(account: EmbeddedAccount) -> None:
    stack = deploy(
        account,
        {
            **function_resources(CALLER, "sqs:SendMessage", Environment=sdk()),
            "Queue": resource("AWS::SQS::Queue"),
        },
    )
    url = stack.physical_id("Queue")
    send = {"service": "sqs", "call": "send_message", "with": {"QueueUrl": url, "MessageBody": "x"}}
    purge = {"service": "sqs", "call": "purge_queue", "with": {"QueueUrl": url}}
    mark = account.calls.mark()
    assert json.loads(invoke(stack, send)["Payload"].read()) == "done"
    assert "not authorized" in json.loads(invoke(stack, purge)["Payload"].read())
    role = stack.physical_id("Role")
    seen = [(call.operation, call.allowed) for call in account.calls.by(role, since=mark)]
    assert seen == [("SendMessage", True), ("PurgeQueue", False)]


def test_a_crash_between_two_calls_kills_the_function_that_made_them(account: EmbeddedAccount) -> None:
    stack = deploy(
        account,
        {**function_resources(CALLER, "sqs:*", Environment=sdk(), Timeout=20), "Queue": resource("AWS::SQS::Queue")},
    )
    url = stack.physical_id("Queue")
    send = {"service": "sqs", "call": "send_message", "with": {"QueueUrl": url, "MessageBody": "x"}}
    account.faults.crash_after(Match(role=stack.physical_id("Role"), action="sqs:SendMessage"))
    answer = invoke(stack, send)
    assert json.loads(answer["Payload"].read())["errorType"] == "Runtime.ExitError"
    assert len(stack.client("sqs").receive_message(QueueUrl=url).get("Messages", [])) == 1
    assert json.loads(invoke(stack, send)["Payload"].read()) == "done"


def test_logs_go_to_the_group_that_the_function_names(account: EmbeddedAccount) -> None:
    logging = {"LogGroup": "/own/group/of/logs"}
    stack = deploy(account, function_resources(ECHO, LoggingConfig=logging))
    invoke(stack)
    assert any(line.startswith("REPORT") for line in lines(stack, "/own/group/of/logs"))


def test_a_role_that_may_not_log_loses_its_log(account: EmbeddedAccount) -> None:
    resources = function_resources(ECHO)
    del resources["Role"]["Properties"]["Policies"]
    stack = deploy(account, resources)
    assert json.loads(invoke(stack, [1])["Payload"].read()) == [1]
    assert stack.client("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/" + stack.name)["logGroups"] == []


METRICS = """
import json, time
def handler(event, context):
    about = {"Namespace": "N", "Dimensions": [["service"], []], "Metrics": [{"Name": "Fixed", "Unit": "Count"}]}
    stamp = int(time.time() * 1000)
    print(json.dumps({"_aws": {"Timestamp": stamp, "CloudWatchMetrics": [about]}, "service": "s", "Fixed": [2, 3]}))
    print('{"_aws": "not a directive"')
"""


def test_embedded_metrics_become_metrics(account: EmbeddedAccount) -> None:
    stack = deploy(account, function_resources(METRICS))
    invoke(stack)
    cloudwatch = stack.client("cloudwatch")
    listed = cloudwatch.list_metrics(Namespace="N")["Metrics"]
    assert {json.dumps(metric["Dimensions"]) for metric in listed} == {'[{"Name": "service", "Value": "s"}]', "[]"}
    now = account.clock.now()
    data = cloudwatch.get_metric_statistics(
        Namespace="N",
        MetricName="Fixed",
        Dimensions=[{"Name": "service", "Value": "s"}],
        StartTime=now - 300,
        EndTime=now + 300,
        Period=600,
        Statistics=["Sum", "SampleCount"],
    )["Datapoints"]
    assert [(point["Sum"], point["SampleCount"]) for point in data] == [(5.0, 2.0)]


def test_new_code_runs_from_the_next_invocation_on(account: EmbeddedAccount) -> None:
    resources = function_resources("def handler(event, context): return 'old'")
    stack = deploy(account, resources)
    assert json.loads(invoke(stack)["Payload"].read()) == "old"
    stack.update(function_resources("def handler(event, context): return 'new'"))
    assert json.loads(invoke(stack)["Payload"].read()) == "new"


def test_a_statement_id_can_be_given_once(account: EmbeddedAccount) -> None:
    stack = deploy(account, function_resources(ECHO))
    client = stack.client("lambda")
    name = stack.physical_id("Function")
    for principal in ("sns.amazonaws.com", "*"):
        client.add_permission(
            FunctionName=name, StatementId=principal[0], Action="lambda:InvokeFunction", Principal=principal
        )
    with pytest.raises(client.exceptions.ResourceConflictException):
        client.add_permission(FunctionName=name, StatementId="s", Action="lambda:InvokeFunction", Principal="*")
    statements = json.loads(client.get_policy(FunctionName=name)["Policy"])["Statement"]
    assert [one["Principal"] for one in statements] == [{"Service": "sns.amazonaws.com"}, "*"]


def test_an_outsider_may_not_invoke(account: EmbeddedAccount) -> None:
    stack = deploy(account, function_resources(ECHO))
    client: Any = account.client("lambda", account.identities.operator.credentials)
    with pytest.raises(client.exceptions.ClientError, match="not authorized"):
        client.invoke(FunctionName=stack.physical_id("Function"), Payload=b"{}")


def test_a_failed_event_can_be_told_to_a_topic(account: EmbeddedAccount) -> None:
    resources = function_resources("def handler(event, context): raise ValueError('x')", "sns:Publish")
    topic, queue = {"Ref": "Topic"}, {"Fn::GetAtt": ["Queue", "Arn"]}
    resources |= {
        "Topic": resource("AWS::SNS::Topic"),
        "Queue": resource("AWS::SQS::Queue"),
        "Subscription": resource("AWS::SNS::Subscription", TopicArn=topic, Protocol="sqs", Endpoint=queue),
        "Retries": resource(
            "AWS::Lambda::EventInvokeConfig",
            FunctionName={"Ref": "Function"},
            Qualifier="$LATEST",
            MaximumRetryAttempts=0,
            DestinationConfig={"OnFailure": {"Destination": topic}},
        ),
    }
    stack = deploy(account, resources)
    invoke(stack, {"n": 1}, InvocationType="Event")
    sqs = stack.client("sqs")
    received: list[Any] = []

    def arrived() -> bool:
        received.extend(sqs.receive_message(QueueUrl=stack.physical_id("Queue")).get("Messages", []))
        return bool(received)

    assert eventually(arrived)
    record = json.loads(json.loads(received[0]["Body"])["Message"])
    assert record["requestPayload"] == {"n": 1}


def test_a_destination_that_nothing_here_delivers_to_is_refused(account: EmbeddedAccount) -> None:
    resources = function_resources(ECHO)
    resources["Retries"] = resource(
        "AWS::Lambda::EventInvokeConfig",
        FunctionName={"Ref": "Function"},
        Qualifier="$LATEST",
        DestinationConfig={"OnFailure": {"Destination": "arn:aws:events:eu-west-1:111122223333:event-bus/default"}},
    )
    stack = deploy(account, resources)
    assert stack.status == "ROLLBACK_COMPLETE"
    assert "queues and topics" in stack.reason
