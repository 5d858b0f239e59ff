"""The functions' entry points, as Lambda calls them; and what they let be seen."""

from __future__ import annotations

import base64
import io
import json
import logging
import os
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from remediator.aws import remediate_handler, rotate_handler
from remediator.aws.seed_ring import SecretsManagerRing
from remediator.core.codes import Code
from remediator.core.gate import gate_value, keys_of
from remediator.core.messages import Request, sign
from remediator.core.seeds import SeedRecord
from remediator.core.windows import window_at
from tests.aws.conftest import ACCOUNT, DEPLOYMENT, REMEDIATOR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediator.core.gate import WindowKeys
    from tests.aws.conftest import Account

KEY = "11111111-2222-3333-4444-555555555555"
BUCKET = {"arn": "arn:aws:s3:::a-public-bucket", "region": "eu-west-1"}
ENVIRONMENT = {
    "DEPLOYMENT": DEPLOYMENT,
    "STATE_TABLE": "remediator-state",
    "RECEIPTS_TABLE": "remediator-receipts",
    "WRITE_ROLE_NAME": "remediator-write",
    "WRITE_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/remediator-write",
    "REMEDIATOR_ROLE_ARN": REMEDIATOR,
    "READER_ROLE_ID": "AROAREADER",
    "OPERATOR_ROLE_ID": "AROAOPERATOR",
    "ACCOUNT_ID": ACCOUNT,
    "PARTITION": "aws",
    "FIXES": "aws.s3.block-public-access",
    "REGIONS": "eu-west-1",
    "VENDOR_ROLLBACK": "false",
    "RETENTION_DAYS": "400",
    "OWN_RESOURCES": '["arn:aws:dynamodb:*:*:table/remediator-*"]',
    "POWERTOOLS_SERVICE_NAME": "remediator",
    "POWERTOOLS_METRICS_NAMESPACE": "Remediator",
    "AWS_LAMBDA_FUNCTION_NAME": "remediator",
}


@dataclass
class Context:
    """What Lambda tells a function about its invocation."""

    aws_request_id: str = "run-1"

    def get_remaining_time_in_millis(self) -> int:
        return 170_000


@dataclass
class Functions:
    """Both functions over one account."""

    account: Account

    def rotate(self) -> Any:
        return rotate_handler.handler({}, Context())  # type: ignore[arg-type]

    def keys(self) -> WindowKeys:
        window = window_at(time.time())
        ring = SecretsManagerRing(self.account.client("secretsmanager"), DEPLOYMENT, self.account.slots)
        seed = ring.read(window)
        assert seed is not None
        return keys_of(SeedRecord(DEPLOYMENT, window, seed))

    def event(self, body: Any, keys: WindowKeys, *, user: str = "AROAREADER:session", **more: Any) -> dict[str, Any]:
        raw = json.dumps(body)
        signed = sign(Request("POST", "/v1/remediations", raw.encode(), KEY), keys, created=int(time.time()))
        return {
            "rawPath": "/v1/remediations",
            "rawQueryString": "",
            "headers": {"content-type": "application/json"} | signed,
            "body": raw,
            "isBase64Encoded": False,
            "requestContext": {"http": {"method": "POST"}, "authorizer": {"iam": {"userId": user}}},
        } | more

    def remediate(self, event: dict[str, Any]) -> tuple[int, Any]:
        answer = remediate_handler.handler(event, Context())  # type: ignore[arg-type]
        return answer["statusCode"], json.loads(answer["body"])


@pytest.fixture
def functions(account: Account, monkeypatch: pytest.MonkeyPatch) -> Iterator[Functions]:
    for name, value in (ENVIRONMENT | {"SEED_SECRETS": ",".join(account.slots)}).items():
        monkeypatch.setenv(name, value)
    _forget()
    functions = Functions(account)
    functions.rotate()
    account.client("s3").create_bucket(
        Bucket="a-public-bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    yield functions
    _forget()


_CACHED = (
    rotate_handler._monitor,
    rotate_handler._rotator,
    remediate_handler._monitor,
    remediate_handler._settings,
    remediate_handler._endpoint,
)


def _forget() -> None:
    for cached in _CACHED:
        cached.cache_clear()


def applying(target: Any = None, mode: str = "apply") -> dict[str, Any]:
    return {"mode": mode, "findings": [{"fix": "aws.s3.block-public-access", "target": target or BUCKET}]}


def metrics(printed: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for line in printed.splitlines():
        document = json.loads(line) if line.startswith("{") else {}
        found |= {metric["Name"]: document[metric["Name"]] for metric in _metrics_of(document)}
    return found


def _metrics_of(document: Any) -> list[dict[str, Any]]:
    directives = document.get("_aws", {}).get("CloudWatchMetrics", [])
    return [metric for directive in directives for metric in directive["Metrics"]]


def test_a_rotation_reports_and_measures_itself(functions: Functions, capsys: pytest.CaptureFixture[str]) -> None:
    assert functions.rotate() == {"staged": 4, "frozen": False, "wrote": False}
    assert metrics(capsys.readouterr().out) == {"Rotated": [1.0], "StagedWindows": [4.0]}


def test_a_rotation_that_finds_another_at_work_fails_with_a_safe_message(
    functions: Functions, capsys: pytest.CaptureFixture[str]
) -> None:
    functions.account.client("dynamodb").update_item(
        TableName="remediator-state",
        Key={"pk": {"S": "lease"}},
        UpdateExpression="SET #until = :until",
        ExpressionAttributeNames={"#until": "until"},
        ExpressionAttributeValues={":until": {"N": "9999999999"}},
    )
    functions.account.client("dynamodb").delete_item(
        TableName="remediator-state", Key={"pk": {"S": f"window/{window_at(time.time())}"}}
    )
    with pytest.raises(rotate_handler.RotationFailed, match="another run"):
        functions.rotate()
    assert metrics(capsys.readouterr().out) == {"RotationFailed": [1.0]}


def test_an_unexpected_failure_of_the_rotation_shows_its_type_and_code_alone(
    functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(holder: str) -> Any:
        raise ClientError({"Error": {"Code": "Throttling", "Message": holder}}, "GetRole")

    rotator = rotate_handler._rotator()
    staged: Any = _Failing(fail)
    monkeypatch.setattr(rotate_handler, "_rotator", lambda: replace(rotator, staged=staged))
    with pytest.raises(rotate_handler.RotationFailed) as failed:
        functions.rotate()
    assert str(failed.value) == "ClientError Throttling"
    assert failed.value.__suppress_context__


@dataclass
class _Failing:
    look: Any


def test_a_request_through_the_function_url_repairs_the_setting(
    functions: Functions, capsys: pytest.CaptureFixture[str]
) -> None:
    status, body = functions.remediate(functions.event(applying(), functions.keys()))
    assert (status, body["results"][0]["outcome"]) == (200, "fixed")
    found = functions.account.client("s3").get_public_access_block(Bucket="a-public-bucket")
    assert set(found["PublicAccessBlockConfiguration"].values()) == {True}
    assert metrics(capsys.readouterr().out) == {"Fixed": [1.0]}
    assert body["results"][0]["calls"] == [
        "s3:GetPublicAccessBlock",
        "s3:PutPublicAccessBlock",
        "s3:GetPublicAccessBlock",
    ]


def test_a_body_in_base64_is_the_same_request(functions: Functions) -> None:
    event = functions.event(applying(), functions.keys())
    event |= {"body": base64.b64encode(event["body"].encode()).decode(), "isBase64Encoded": True}
    assert functions.remediate(event)[0] == 200


@pytest.mark.parametrize("user", ["AROAANOTHER:session", "AIDAREADER", "", "AROAREADER2:x", "aroareader:x"])
def test_a_principal_is_known_by_its_unique_id_alone(functions: Functions, user: str) -> None:
    assert functions.remediate(functions.event(applying(), functions.keys(), user=user))[0] == 403


def test_an_event_without_an_iam_caller_is_a_stranger_s(functions: Functions) -> None:
    event = functions.event(applying(), functions.keys())
    event["requestContext"].pop("authorizer")
    assert functions.remediate(event)[0] == 403


def test_a_failure_inside_is_a_problem_that_tells_nothing(
    functions: Functions, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> Any:
        raise RuntimeError("the seed is 12345")

    monkeypatch.setattr(remediate_handler, "_endpoint", fail)
    answer = remediate_handler.handler(functions.event(applying(), functions.keys()), Context())  # type: ignore[arg-type]
    assert (answer["statusCode"], answer["headers"]["retry-after"]) == (500, "30")
    assert "12345" not in capsys.readouterr().out + answer["body"]


def test_the_secret_headers_are_out_of_the_event_before_anything_else_sees_it(functions: Functions) -> None:
    event = functions.event(applying(), functions.keys())
    functions.remediate(event)
    assert "headers" not in event


def _forms(secret: bytes) -> list[str]:
    texts = [secret.hex(), secret.hex().upper(), repr(secret)[2:-1]]
    texts += [base64.b32encode(secret).decode().rstrip("="), base64.b64encode(secret).decode().rstrip("=")]
    return [*texts, base64.urlsafe_b64encode(secret).decode().rstrip("=")]


def _secrets(keys: WindowKeys, functions: Functions) -> list[str]:
    ring = SecretsManagerRing(functions.account.client("secretsmanager"), DEPLOYMENT, functions.account.slots)
    found = []
    for window, seed in ring.held().items():
        one = keys_of(SeedRecord(DEPLOYMENT, window, seed))
        value = gate_value(DEPLOYMENT, window, one.opening).text()
        found += [*_forms(seed.reveal()), *_forms(one.opening.reveal()), *_forms(one.proof_key.reveal()), value]
    code = keys.code.reveal().decode()
    return [*found, f'"{code}"', f" {code} ", f"'{code}'", f"={code}"]


REMEDIATE_STEPS = (
    "dynamodb.BatchGetItem", "dynamodb.TransactWriteItems", "sts.AssumeRole",
    "dynamodb.UpdateItem", "s3.GetPublicAccessBlock", "s3.PutPublicAccessBlock",
)  # fmt: skip
ROTATE_STEPS = (
    "dynamodb.BatchGetItem", "dynamodb.UpdateItem", "secretsmanager.BatchGetSecretValue",
    "secretsmanager.PutSecretValue", "dynamodb.TransactWriteItems", "iam.UpdateAssumeRolePolicy",
)  # fmt: skip


@pytest.fixture
def talkative() -> Iterator[io.StringIO]:
    """The root logger at DEBUG, as a careless customer might set it, and everything it writes."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.removeHandler(handler)
    root.setLevel(level)


def _breaking(stack: ExitStack, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the n-th step raise with everything it was given in its message, as the worst SDK might."""
    import botocore.client  # noqa: PLC0415 - the one place that reaches into the SDK

    service, operation = step.split(".")
    client: Any = botocore.client.BaseClient
    call = client._make_api_call

    def fail(self: Any, name: str, params: Any) -> Any:
        if name == operation and self.meta.service_model.service_name == service:
            raise ClientError({"Error": {"Code": "Broken", "Message": "broken"}}, operation) from ValueError(
                repr(params)
            )
        return call(self, name, params)

    stack.enter_context(monkeypatch.context()).setattr(client, "_make_api_call", fail)


@pytest.mark.parametrize("step", [None, *REMEDIATE_STEPS])
@pytest.mark.parametrize("wrong", ["", "code"])
def test_no_secret_is_in_a_log_an_answer_a_receipt_or_the_environment(
    functions: Functions,
    talkative: io.StringIO,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    step: str | None,
    wrong: str,
) -> None:
    keys = functions.keys()
    sent = replace(keys, code=Code(b"135791")) if wrong else keys
    event = functions.event(applying(), sent)
    with ExitStack() as stack:
        if step:
            _breaking(stack, step, monkeypatch)
        answer = functions.remediate(event)
    kept = [functions.account.client("dynamodb").scan(TableName=name) for name in ("remediator-receipts",)]
    printed = capfd.readouterr()
    seen = "\n".join([talkative.getvalue(), printed.out, printed.err, repr(answer), repr(kept), repr(dict(os.environ))])
    assert [secret for secret in [*_secrets(keys, functions), "135791"] if secret in seen] == []
    assert ("fixed" in repr(answer)) is (not step and not wrong)


@pytest.mark.parametrize("step", [None, *ROTATE_STEPS])
def test_no_secret_of_a_rotation_is_in_a_log_an_error_or_the_environment(
    functions: Functions,
    talkative: io.StringIO,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    step: str | None,
) -> None:
    keys = functions.keys()
    rotator = rotate_handler._rotator()
    later = replace(rotator, clock=lambda: time.time() + 300)
    monkeypatch.setattr(rotate_handler, "_rotator", lambda: later)
    shown: Any = ""
    with ExitStack() as stack:
        if step:
            _breaking(stack, step, monkeypatch)
        try:
            functions.rotate()
        except rotate_handler.RotationFailed:
            import traceback  # noqa: PLC0415 - what Lambda prints of an error

            shown = "".join(traceback.format_exception(*sys.exc_info()))
    printed = capfd.readouterr()
    seen = "\n".join([talkative.getvalue(), printed.out, printed.err, shown, repr(dict(os.environ))])
    assert bool(shown) is bool(step)
    assert [secret for secret in _secrets(keys, functions) if secret in seen] == []
