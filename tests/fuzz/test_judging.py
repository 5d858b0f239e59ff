"""The judge of made-up requests condemns what must be condemned: here are answers that no deployment may give."""

from __future__ import annotations

import json
from typing import Any

import pytest
import schemathesis
from schemathesis.core.failures import FailureGroup

from remediator.core.gate import keys_of
from remediator.core.seeds import Seed, SeedRecord
from remediator.core.windows import Window
from remediator.service.problems import Problem, Refused
from remediator.service.requests import openapi
from remediator.vendor.transport import Reply
from tests.fuzz.judging import Asker, Deeds, judge_deeds, judge_form, secrets_of
from tests.fuzz.questions import Locks, Question

SCHEMA = schemathesis.openapi.from_dict(openapi())
NOTHING = Deeds(frozenset(), frozenset(), opened=False)
GOOD = {"id": "a" * 16, "mode": "plan", "state": "done", "results": []}
KEYS = keys_of(SeedRecord("some-deployment", Window(5_984_850), Seed(bytes(range(32)))))


def question(locks: Locks = Locks.BOTH, method: str = "POST") -> Question:
    case = SCHEMA["/v1/remediations"]["POST"].Case(body={}, media_type="application/json")
    return Question(case, method, locks, operator=False, body=b"{}", chosen="signature")


def reply(status: int, body: Any, kind: str | None = None, **headers: str) -> Reply:
    kind = kind or ("application/json" if status == 200 else "application/problem+json")
    fields = {"content-type": kind, "cache-control": "no-store", **headers}
    return Reply(status, fields, json.dumps(body).encode())


def problem(one: Problem) -> dict[str, Any]:
    return Refused(one).body()


def test_what_the_document_allows_passes() -> None:
    judge_form(question(), reply(200, GOOD))
    for one in Problem:
        if one.status < 500:
            judge_form(question(), reply(one.status, problem(one)))


@pytest.mark.parametrize(
    "wrong",
    [
        reply(500, problem(Problem.INTERNAL_ERROR)),
        reply(503, problem(Problem.GATE_UNAVAILABLE)),
        reply(400, problem(Problem.FORBIDDEN)),
        reply(400, problem(Problem.INVALID_REQUEST) | {"status": 401}),
        reply(400, problem(Problem.INVALID_REQUEST) | {"type": "urn:remediator:problem:other"}),
        reply(400, {"title": "no type"}),
        reply(400, problem(Problem.INVALID_REQUEST), kind="application/json"),
        reply(200, GOOD, kind="text/html"),
        reply(200, GOOD | {"state": "unheard-of"}),
        reply(200, {name: value for name, value in GOOD.items() if name != "results"}),
        reply(200, GOOD | {"results": [{"index": 0, "outcome": "planned", "calls": [], "seed": "x"}]}),
        reply(200, GOOD, **{"cache-control": "public"}),
        reply(429, problem(Problem.TOO_MANY_REQUESTS), **{"retry-after": "soon"}),
    ],
)
def test_what_the_document_doesn_t_allow_is_condemned(wrong: Reply) -> None:
    with pytest.raises((AssertionError, FailureGroup)):
        judge_form(question(), wrong)


@pytest.mark.parametrize("deeds", [
    Deeds(frozenset({"dynamodb:PutItem"}), frozenset(), opened=False),
    Deeds(frozenset(), frozenset({"s3:GetBucketAcl"}), opened=False),
    Deeds(frozenset(), frozenset(), opened=True),
])  # fmt: skip
def test_what_is_done_for_who_was_refused_is_condemned(deeds: Deeds) -> None:
    everything = frozenset({"s3:GetBucketAcl"})
    unauthorized, refused = reply(401, problem(Problem.UNAUTHORIZED)), reply(403, problem(Problem.REFUSED))
    judge_deeds(question(), unauthorized, NOTHING, everything)
    judge_deeds(question(), refused, deeds, everything)
    with pytest.raises(AssertionError):
        judge_deeds(question(), unauthorized, deeds, everything)
    for locks in (Locks.FIRST, Locks.OTHER_BODY, Locks.NONE):
        with pytest.raises(AssertionError):
            judge_deeds(question(locks), reply(200, GOOD), deeds, everything)
    with pytest.raises(AssertionError):
        judge_deeds(question(method="GET"), reply(200, GOOD), deeds, everything)


def test_a_plan_that_writes_is_condemned_and_an_apply_isn_t() -> None:
    writing = Deeds(frozenset({"dynamodb:PutItem"}), frozenset({"s3:PutBucketAcl"}), opened=True)
    judge_deeds(question(), reply(200, GOOD | {"mode": "apply"}), writing, frozenset())
    with pytest.raises(AssertionError):
        judge_deeds(question(), reply(200, GOOD), writing, frozenset())


@pytest.mark.parametrize("name", sorted(secrets_of(KEYS, "some-deployment")))
def test_an_answer_that_shows_a_secret_is_condemned(name: str) -> None:
    asker: Any = Asker(place=None, deployment="some-deployment")  # type: ignore[arg-type]  # it isn't asked here
    asker._keys = KEYS
    secret = secrets_of(KEYS, "some-deployment")[name]
    asker._judge_secrets(reply(200, GOOD), {})
    for shown in (reply(200, GOOD | {"id": secret}), reply(200, GOOD, **{"x-debug": secret})):
        with pytest.raises(AssertionError, match="shows the"):
            asker._judge_secrets(shown, {})


def test_an_answer_that_shows_the_code_or_repeats_what_was_presented_is_condemned() -> None:
    asker: Any = Asker(place=None, deployment="some-deployment")  # type: ignore[arg-type]  # as above
    asker._keys = KEYS
    code = KEYS.code.reveal().decode()
    with pytest.raises(AssertionError, match="the code"):
        asker._judge_secrets(reply(200, GOOD | {"id": f"x{code}y"}), {})
    asker._judge_secrets(reply(200, GOOD | {"id": f"1{code}"}), {})
    with pytest.raises(AssertionError, match="repeats signature"):
        asker._judge_secrets(reply(200, GOOD | {"id": "what-was-presented"}), {"signature": "what-was-presented"})
