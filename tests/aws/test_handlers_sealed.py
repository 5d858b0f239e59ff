"""The functions' entry points with a sealed gate; and what they let be seen."""

from __future__ import annotations

import os
import sys
import time
import traceback
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from remediator.aws import remediate_handler, rotate_handler
from remediator.aws.sealed_gate import SealedGate
from remediator.aws.sessions import StsSessions
from remediator.core.codes import Code
from tests.aws import test_handlers as usual
from tests.aws.test_handlers import ENVIRONMENT, Functions, applying, talkative

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator

    from tests.aws.conftest import Account

__all__ = ["talkative"]

SECRET = os.urandom(32)
REMEDIATE_STEPS = ("dynamodb.BatchGetItem", "sts.AssumeRole", "dynamodb.UpdateItem", "s3.PutPublicAccessBlock")
ROTATE_STEPS = (
    "dynamodb.BatchGetItem", "secretsmanager.GetSecretValue", "secretsmanager.PutSecretValue",
    "dynamodb.TransactWriteItems", "dynamodb.UpdateItem",
)  # fmt: skip


@pytest.fixture
def functions(account: Account, monkeypatch: pytest.MonkeyPatch) -> Iterator[Functions]:
    made = account.client("secretsmanager").create_secret(Name="remediator/gate/1", SecretString=SECRET.hex())
    given = ENVIRONMENT | {"SEED_SECRETS": ",".join(account.slots), "GATE": "sealed", "GATE_SECRET": made["ARN"]}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    usual._forget()
    functions = Functions(account)
    functions.rotate()
    account.client("s3").create_bucket(
        Bucket="a-public-bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    yield functions
    usual._forget()


def asked_of_sts() -> list[dict[str, Any]]:
    sessions: Any = remediate_handler._endpoint().remediator.sessions
    assert isinstance(sessions, StsSessions)
    asked: list[dict[str, Any]] = []
    sessions._sts.meta.events.register(
        "provide-client-params.sts.AssumeRole", lambda params, **_: asked.append(dict(params))
    )
    return asked


def test_a_request_takes_the_one_value_to_sts_under_a_session_policy_all_the_same(functions: Functions) -> None:
    asked = asked_of_sts()
    status, body = functions.remediate(functions.event(applying(), functions.keys()))
    assert (status, body["results"][0]["outcome"]) == (200, "fixed")
    assert {params["ExternalId"] for params in asked} == {SECRET.hex()}
    assert all("DateLessThan" in params["Policy"] and "a-public-bucket" in params["Policy"] for params in asked)


def test_a_rotation_that_finds_all_in_place_writes_nothing_and_one_that_lost_a_pad_lays_it(
    functions: Functions,
) -> None:
    assert isinstance(rotate_handler._rotator().gate, SealedGate)
    assert functions.rotate() == {"staged": 4, "frozen": False, "wrote": False}
    functions.account.client("dynamodb").update_item(
        TableName="remediator-state",
        Key={"pk": {"S": f"window/{functions.keys().window}"}},
        UpdateExpression="REMOVE #pad, pad_of",
        ExpressionAttributeNames={"#pad": "pad"},
    )
    assert functions.rotate() == {"staged": 4, "frozen": False, "wrote": True}
    assert functions.rotate()["wrote"] is False


def test_the_trust_policy_is_never_read_or_written(functions: Functions, monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as stack:
        for step in ("iam.UpdateAssumeRolePolicy", "iam.GetRole"):
            usual._breaking(stack, step, monkeypatch)
        later = replace(rotate_handler._rotator(), clock=lambda: time.time() + 300)
        monkeypatch.setattr(rotate_handler, "_rotator", lambda: later)
        assert functions.rotate()["wrote"]


def secrets(functions: Functions) -> list[str]:
    return [*usual._secrets(functions.keys(), functions), *usual._forms(SECRET)]


@pytest.mark.parametrize("step", [None, *REMEDIATE_STEPS])
@pytest.mark.parametrize("wrong", ["", "code"])
def test_neither_the_value_nor_another_secret_is_in_a_log_an_answer_a_receipt_or_the_environment(
    functions: Functions,
    talkative: io.StringIO,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    step: str | None,
    wrong: str,
) -> None:
    keys = functions.keys()
    event = functions.event(applying(), replace(keys, code=Code(b"135791")) if wrong else keys)
    with ExitStack() as stack:
        if step:
            usual._breaking(stack, step, monkeypatch)
        answer = functions.remediate(event)
    tables = functions.account.client("dynamodb")
    kept = [tables.scan(TableName="remediator-receipts")]
    printed = capfd.readouterr()
    seen = "\n".join([talkative.getvalue(), printed.out, printed.err, repr(answer), repr(kept), repr(dict(os.environ))])
    assert [secret for secret in secrets(functions) if secret in seen] == []
    stored = repr(tables.scan(TableName="remediator-state"))
    assert [form for form in usual._forms(SECRET) if form in stored] == []
    assert ("fixed" in repr(answer)) is (not step and not wrong)


@pytest.mark.parametrize("step", [None, *ROTATE_STEPS])
def test_neither_the_value_nor_another_secret_of_a_rotation_is_seen(
    functions: Functions,
    talkative: io.StringIO,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    step: str | None,
) -> None:
    later = replace(rotate_handler._rotator(), clock=lambda: time.time() + 300)
    monkeypatch.setattr(rotate_handler, "_rotator", lambda: later)
    shown = ""
    with ExitStack() as stack:
        if step:
            usual._breaking(stack, step, monkeypatch)
        try:
            functions.rotate()
        except rotate_handler.RotationFailed:
            shown = "".join(traceback.format_exception(*sys.exc_info()))
    printed = capfd.readouterr()
    seen = "\n".join([talkative.getvalue(), printed.out, printed.err, shown, repr(dict(os.environ))])
    assert bool(shown) is bool(step)
    assert [secret for secret in secrets(functions) if secret in seen] == []


def test_a_secret_that_isn_t_a_value_fails_the_run_and_isn_t_quoted(functions: Functions) -> None:
    broken = "not-hexadecimal-" * 4
    functions.account.client("secretsmanager").put_secret_value(SecretId="remediator/gate/1", SecretString=broken)
    with pytest.raises(rotate_handler.RotationFailed) as failed:
        functions.rotate()
    assert str(failed.value).strip() == "Malformed"
