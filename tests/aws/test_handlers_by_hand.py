"""The functions' entry points where codes are passed on by hand; and what they let be seen."""

from __future__ import annotations

import json
import logging
import os
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ConnectionClosedError
from moto.core.models import botocore_stubber

from remediator.aws import remediate_handler
from remediator.aws.admission_desk import AdmissionDesk
from tests.aws import test_handlers as usual
from tests.aws.test_handlers import ENVIRONMENT, KEY, Functions, applying

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.aws.conftest import Account

SIGNED = "AWS4-HMAC-SHA256 Credential=A/20260101/eu-west-1/lambda/aws4_request, SignedHeaders={}, Signature=00"
STEPS = (
    "dynamodb.BatchGetItem", "dynamodb.UpdateItem", "dynamodb.TransactWriteItems", "sts.AssumeRole",
    "s3.GetPublicAccessBlock", "s3.PutPublicAccessBlock",
)  # fmt: skip


@pytest.fixture
def functions(account: Account, monkeypatch: pytest.MonkeyPatch) -> Iterator[Functions]:
    given = ENVIRONMENT | {"SEED_SECRETS": ",".join(account.slots), "DELIVERY": "manual"}
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


def admit(functions: Functions) -> str:
    keys = functions.keys()
    AdmissionDesk(functions.account.client("dynamodb"), "remediator-state", time.time).admit(keys.window, keys.opening)
    return keys.code.reveal().decode()


def bare(functions: Functions, code: str, *, signed: str | None = "host;idempotency-key") -> dict[str, Any]:
    proof = {} if signed is None else {"authorization": SIGNED.format(signed)}
    fields = {"content-type": "application/json", "idempotency-key": KEY, "remediation-code": code}
    return functions.event(applying(), functions.keys()) | {"headers": fields | proof}


def wrong(code: str, number: int = 1) -> str:
    return f"{(int(code) + number) % 1_000_000:06}"


@pytest.mark.parametrize("signed", ["host;idempotency-key", None])
def test_an_admitted_code_repairs_the_setting(functions: Functions, signed: str | None) -> None:
    status, answer = functions.remediate(bare(functions, admit(functions), signed=signed))
    assert (status, answer["results"][0]["outcome"]) == (200, "fixed")


def test_a_key_outside_the_callers_signature_is_refused(functions: Functions) -> None:
    status, answer = functions.remediate(bare(functions, admit(functions), signed="host;x-amz-date"))
    assert (status, answer["type"]) == (400, "urn:remediator:problem:invalid_request")


def test_the_third_wrong_code_rings_and_the_first_two_do_not(
    functions: Functions, capfd: pytest.CaptureFixture[str]
) -> None:
    code = admit(functions)
    rung = []
    for number in (1, 2, 3, 4):
        assert functions.remediate(bare(functions, wrong(code, number)))[0] == 401
        rung.append("WrongCode" in usual.metrics(capfd.readouterr().out))
    assert rung == [False, False, True, False]


def test_a_right_code_whose_use_is_answered_late_makes_room_for_no_wrong_one(
    functions: Functions, capfd: pytest.CaptureFixture[str]
) -> None:
    code = admit(functions)
    by_hand: Any = remediate_handler._endpoint().by_hand
    sent: list[str] = []

    def lose_second_change(event_name: str, request: Any, **more: Any) -> None:
        sent.append(request.url)
        if len(sent) == 2:
            botocore_stubber(event_name, request, **more)
            raise ConnectionClosedError(endpoint_url=request.url)

    by_hand.admissions._client.meta.events.register_first("before-send.dynamodb.UpdateItem", lose_second_change)
    functions.remediate(bare(functions, code))
    assert functions.remediate(bare(functions, code))[0] == 200
    rung = []
    for number in (1, 2, 3):
        assert functions.remediate(bare(functions, wrong(code, number)))[0] == 401
        rung.append("WrongCode" in usual.metrics(capfd.readouterr().out))
    assert rung == [False, False, True]


def test_where_nothing_says_manual_a_code_alone_is_no_request(
    functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = admit(functions)
    monkeypatch.delenv("DELIVERY")
    usual._forget()
    assert functions.remediate(bare(functions, code))[0] == 400


def test_the_rotator_clears_what_was_left_for_a_window_that_is_over(
    functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    admit(functions)
    window = functions.keys().window
    key = {"TableName": "remediator-state", "Key": {"pk": {"S": f"window/{window}"}}}
    client = functions.account.client("dynamodb")
    assert "opening" in client.get_item(**key)["Item"]
    monkeypatch.setattr(time, "time", lambda: window.not_after + 120.0)
    usual._forget()
    functions.rotate()
    assert "opening" not in client.get_item(**key)["Item"]


@pytest.mark.parametrize("step", [None, *STEPS])
@pytest.mark.parametrize("guess", [0, 1])
def test_neither_code_nor_opening_is_in_a_log_an_answer_a_receipt_or_the_environment(
    functions: Functions,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    step: str | None,
    guess: int,
) -> None:
    caplog.set_level(logging.DEBUG)
    code = wrong(admit(functions), guess)
    keys = functions.keys()
    event = bare(functions, code)
    caplog.clear()
    with ExitStack() as stack:
        if step:
            usual._breaking(stack, step, monkeypatch)
        answer = functions.remediate(event)
    kept = functions.account.client("dynamodb").scan(TableName="remediator-receipts")
    printed = capfd.readouterr()
    seen = "\n".join([caplog.text, printed.out, printed.err, json.dumps(answer), repr(kept), repr(dict(os.environ))])
    assert [secret for secret in [*usual._secrets(keys, functions), code] if secret in seen] == []
    assert ("fixed" in json.dumps(answer)) is (not step and not guess)
