"""What nothing explains rings, and what a request, a deployment or the operator's freeze explains doesn't."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from remediator.aws import watch_handler
from remediator.aws.receipts import ReceiptTable
from remediator.aws.request_spans import RequestSpans
from remediator.aws.trail import CLOUDFORMATION, SLACK, Ours, Span, deed_of, objection
from remediator.aws.trust_policy import closed_document
from remediator.core.windows import window_at
from remediator.operator.aws.freeze import EVERYTHING, POLICY
from remediator.service.records import Claim, Mode, Record, State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.aws.conftest import Account

ARN = "arn:aws:iam::123456789012:role/remediator"
WRITE = "arn:aws:iam::123456789012:role/remediator-write"
OURS = Ours("AROAREMEDIATOR", ARN, "AROAROTATOR", "AROAOPERATOR")
REQUEST = "11111111-2222-3333-4444-555555555555"
AT = 1_800_000_000
SPANS = {REQUEST: Span(AT - 10, AT + 110)}
SECRET = "e" * 64


def event(name: str, caller: str | dict[str, Any] = "AROAREMEDIATOR", at: int = AT, **asked: Any) -> dict[str, Any]:
    """Return an event as EventBridge brings it; a caller is a role's unique id, or a whole identity."""
    issuer = {"type": "Role", "principalId": caller, "arn": ARN}
    identity = caller if isinstance(caller, dict) else {
        "type": "AssumedRole",
        "principalId": f"{caller}:s",
        "arn": f"arn:aws:sts::123456789012:assumed-role/{caller}/s",
        "sessionContext": {"sessionIssuer": issuer},
    }  # fmt: skip
    moment = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    detail = {"eventName": name, "eventTime": moment, "userIdentity": identity, "requestParameters": asked}
    return {"source": "aws.sts", "detail-type": "AWS API Call via CloudTrail", "detail": detail}


def assumed(caller: str | dict[str, Any] = "AROAREMEDIATOR", session: str = REQUEST, at: int = AT) -> dict[str, Any]:
    return event("AssumeRole", caller, at, roleArn=WRITE, roleSessionName=session, externalId=SECRET)


def trusting(*principals: Any) -> str:
    document = closed_document(ARN)
    document["Statement"] = [{**document["Statement"][0], "Principal": one} for one in principals]
    return json.dumps(document)


def judged(seen: dict[str, Any]) -> str | None:
    return objection(deed_of(seen), OURS, SPANS.get)


def by_stack(name: str, **asked: Any) -> dict[str, Any]:
    seen = event(name, "AROACDK", **asked)
    seen["detail"]["userIdentity"]["invokedBy"] = CLOUDFORMATION
    return seen


def test_a_session_that_a_request_explains_is_quiet() -> None:
    assert judged(assumed()) is None


@pytest.mark.parametrize("at", [AT - 10 - SLACK, AT + 110 + SLACK])
def test_a_session_is_explained_from_its_requests_beginning_to_its_deadline(at: int) -> None:
    assert judged(assumed(at=at)) is None


@pytest.mark.parametrize("at", [AT - 10 - SLACK - 1, AT + 110 + SLACK + 1])
def test_a_session_at_another_time_than_its_request_rings(at: int) -> None:
    assert "another time" in str(judged(assumed(at=at)))


@pytest.mark.parametrize("session", ["another-request-0000", ""])
def test_a_session_without_a_request_rings(session: str) -> None:
    assert "without a request" in str(judged(assumed(session=session)))


@pytest.mark.parametrize(
    "caller",
    [
        "AROASOMEBODY",
        "AROAROTATOR",
        "AROAOPERATOR",
        {"type": "IAMUser", "principalId": "AIDAX", "arn": "arn:aws:iam::123456789012:user/x"},
        {"type": "AWSAccount", "principalId": "AROAREMEDIATOR:s", "accountId": "999999999999"},
        {"type": "AWSService", "invokedBy": "lambda.amazonaws.com"},
        {"type": "Root", "principalId": "123456789012", "arn": "arn:aws:iam::123456789012:root"},
    ],
)
def test_a_foreign_principal_rings_whatever_name_it_gives_its_session(caller: Any) -> None:
    assert "somebody else than the remediator" in str(judged(assumed(caller)))


def test_a_role_made_anew_under_the_remediators_name_is_foreign() -> None:
    """Its ARN is the same; what IAM calls unique isn't."""
    assert judged(assumed("AROAREBORN")) is not None


@pytest.mark.parametrize("name", ["AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"])
def test_another_way_to_assume_the_role_rings(name: str) -> None:
    caller = {"type": "WebIdentityUser", "principalId": "x", "userName": "x"}
    assert judged(event(name, caller, roleArn=WRITE, roleSessionName=REQUEST)) is not None


@pytest.mark.parametrize("seen", [assumed("AROASOMEBODY"), event("PutRolePolicy", "AROASOMEBODY", policyName="x")])
def test_what_iam_refused_did_nothing(seen: dict[str, Any]) -> None:
    assert judged(seen) is not None
    seen["detail"]["errorCode"] = "AccessDenied"
    assert judged(seen) is None


def test_the_rotator_moves_the_gate() -> None:
    moved = trusting({"AWS": ARN}, {"AWS": ARN})
    assert judged(event("UpdateAssumeRolePolicy", "AROAROTATOR", policyDocument=moved)) is None


@pytest.mark.parametrize("principal", [{"AWS": f"{ARN}2"}, {"AWS": "*"}, "*", {"Service": "x"}, {"AWS": [ARN, "x"]}])
def test_a_gate_that_opens_for_somebody_else_rings_even_if_the_rotator_or_a_stack_set_it(principal: Any) -> None:
    document = trusting({"AWS": ARN}, principal)
    for seen in (
        event("UpdateAssumeRolePolicy", "AROAROTATOR", policyDocument=document),
        by_stack("UpdateAssumeRolePolicy", policyDocument=document),
    ):
        assert "trusts somebody else" in str(judged(seen))


@pytest.mark.parametrize("caller", ["AROASOMEBODY", "AROAOPERATOR", "AROAREMEDIATOR"])
def test_nobody_but_the_rotator_and_deployments_moves_the_gate(caller: str) -> None:
    document = trusting({"AWS": ARN})
    assert judged(event("UpdateAssumeRolePolicy", caller, policyDocument=document)) is not None
    assert judged(by_stack("UpdateAssumeRolePolicy", policyDocument=document)) is None


def test_the_operators_freeze_is_quiet_and_nothing_else_of_its() -> None:
    deny = json.dumps({"Statement": [EVERYTHING]})
    assert judged(event("PutRolePolicy", "AROAOPERATOR", policyName=POLICY, policyDocument=deny)) is None
    assert judged(event("PutRolePolicy", "AROAOPERATOR", policyName="never", policyDocument=deny)) is not None
    assert judged(event("DeleteRolePolicy", "AROAOPERATOR", policyName=POLICY)) is not None
    assert judged(event("PutRolePolicy", "AROASOMEBODY", policyName=POLICY, policyDocument=deny)) is not None


def test_a_freeze_that_allows_something_is_none() -> None:
    allow = json.dumps({"Statement": [EVERYTHING, {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})
    assert judged(event("PutRolePolicy", "AROAOPERATOR", policyName=POLICY, policyDocument=allow)) is not None


@pytest.mark.parametrize("name", ["AttachRolePolicy", "DeleteRolePermissionsBoundary", "CreatePolicyVersion"])
def test_what_the_role_may_do_is_changed_by_deployments_alone(name: str) -> None:
    assert judged(by_stack(name)) is None
    assert "what the write role may do" in str(judged(event(name, "AROAROTATOR")))


def record(account: Account) -> Record:
    made = Record(REQUEST, "digest", "AROAREADER", Mode.APPLY, State.RUNNING, 1, AT + 110, AT - 10, 1, AT + 120)
    table = ReceiptTable(
        account.client("dynamodb"), receipts="remediator-receipts", state="remediator-state", retention_days=30
    )
    table.claim(Claim(made, window_at(AT), AT))
    return made


@pytest.fixture
def watcher(account: Account, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    for name, value in {
        "RECEIPTS_TABLE": "remediator-receipts",
        "REMEDIATOR_ROLE_ID": OURS.remediator_id,
        "REMEDIATOR_ROLE_ARN": ARN,
        "ROTATOR_ROLE_ID": OURS.rotator_id,
        "OPERATOR_ROLE_ID": OURS.operator_id,
        "POWERTOOLS_SERVICE_NAME": "watcher",
        "POWERTOOLS_METRICS_NAMESPACE": "Remediator",
        "AWS_LAMBDA_FUNCTION_NAME": "watch",
    }.items():
        monkeypatch.setenv(name, value)
    cached = (watch_handler._monitor, watch_handler._settings, watch_handler._spans)
    for one in cached:
        one.cache_clear()
    yield account
    for one in cached:
        one.cache_clear()


def test_a_request_is_found_by_its_id_with_its_times_alone(account: Account) -> None:
    made = record(account)
    spans = RequestSpans(account.client("dynamodb"), "remediator-receipts")
    assert spans.span_of(REQUEST) == Span(made.created_at, made.deadline)
    assert spans.span_of("another-request-0000") is None


def test_the_function_rings_with_the_call_and_the_caller_and_never_a_gate_value(
    watcher: Account, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    record(watcher)
    watch_handler.handler(assumed(), None)  # type: ignore[arg-type]
    assert "UnexplainedAccess" not in capsys.readouterr().out
    watch_handler.handler(assumed("AROASOMEBODY"), None)  # type: ignore[arg-type]
    assert '"UnexplainedAccess":[1.0]' in capsys.readouterr().out
    (noted,) = [one for one in caplog.records if "somebody else" in one.message]
    facts = vars(noted)["facts"]
    assert facts["caller"].endswith("assumed-role/AROASOMEBODY/s")
    assert (facts["call"], facts["session"], facts["at"]) == ("AssumeRole", REQUEST, AT)
    assert SECRET not in str(vars(noted))


def test_what_cant_be_judged_fails_the_function_without_a_word_of_the_event(watcher: Account) -> None:
    seen = event("UpdateAssumeRolePolicy", "AROAROTATOR", policyDocument=SECRET)
    with pytest.raises(watch_handler.NotJudged) as failed:
        watch_handler.handler(seen, None)  # type: ignore[arg-type]
    assert str(failed.value) == "JSONDecodeError"
    assert failed.value.__cause__ is None
    assert watcher is not None
