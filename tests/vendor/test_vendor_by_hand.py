"""The vendor's side where the customer's operator passes codes on: no seed, one try, the key in AWS's signature."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from remediator.core.errors import Malformed
from remediator.core.messages import Fields, is_bare, parse_bare
from remediator.service.problems import Problem
from remediator.vendor import Client, Finding, Patience, errors
from remediator.vendor.transport import Call, Reply
from tests.vendor.speaking import FINDING, START, EmptyRing, HandClock, Ring, deployment_at

ONE = [Finding(fix=FINDING["fix"], target=FINDING["target"])]
KEY = "0123456789abcdef-0123"


@dataclass
class Wire:
    """Answer each call with the next reply; the last one again and again."""

    replies: list[Reply]
    calls: list[Call] = field(default_factory=list)

    def send(self, call: Call) -> Reply:
        self.calls.append(call)
        return self.replies[min(len(self.calls), len(self.replies)) - 1]


def answered(*outcomes: str) -> Reply:
    results = [{"index": index, "outcome": one, "calls": []} for index, one in enumerate(outcomes)]
    state = "partial" if "not_started" in outcomes else "done"
    return reply(200, {"id": KEY, "mode": "apply", "state": state, "results": results})


def refused(problem: Problem, **headers: str) -> Reply:
    body = {"type": problem.type, "title": problem.title, "status": problem.status}
    return reply(problem.status, body, **{"content-type": "application/problem+json"} | headers)


def reply(status: int, body: Any, **headers: str) -> Reply:
    return Reply(status, {"content-type": "application/json"} | headers, json.dumps(body).encode())


def client(wire: Wire, ring: Ring | None = None) -> Client:
    clock = HandClock()
    access = ring or EmptyRing(clock.now)
    deployment = deployment_at("http://127.0.0.1:1/")
    return Client(deployment, access, transport=wire, clock=clock, patience=Patience(seconds=60))


def test_what_goes_out_is_the_code_alone_and_no_seed_is_read() -> None:
    ring = EmptyRing(lambda: START)
    wire = Wire([answered("fixed")])
    client(wire, ring).told("007614").apply(ONE, key=KEY)
    [call] = wire.calls
    fields = Fields(call.headers)
    assert is_bare(fields)
    message = parse_bare(call.method, "/v1/remediations", fields, call.body)
    assert (message.code.reveal(), message.request.key) == (b"007614", KEY)
    assert ring.reads == []


def test_the_key_is_in_the_clouds_signature_and_the_code_is_not() -> None:
    wire = Wire([answered("planned")])
    client(wire).told("123456").plan(ONE)
    signed = wire.calls[0].headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    assert {"idempotency-key", "content-digest", "content-type", "host"} <= set(signed)
    assert "remediation-code" not in signed


def test_a_refused_code_is_not_tried_again() -> None:
    wire = Wire([refused(Problem.UNAUTHORIZED, date="Sun, 01 Jan 2040 00:00:00 GMT")])
    with pytest.raises(errors.Unauthorized) as caught:
        client(wire).told("123456").apply(ONE, key=KEY)
    assert len(wire.calls) == 1
    assert caught.value.key == KEY


def test_what_a_deadline_cut_off_is_asked_for_again_under_the_same_key_and_code() -> None:
    wire = Wire([answered("fixed", "not_started"), answered("fixed", "fixed")])
    client(wire).told("123456").apply(ONE * 2, key=KEY)
    assert [(one.headers["idempotency-key"], one.headers["remediation-code"]) for one in wire.calls] == [
        (KEY, "123456")
    ] * 2


def test_a_lost_answer_is_asked_for_again() -> None:
    wire = Wire([refused(Problem.IN_PROGRESS, **{"retry-after": "15"}), answered("fixed")])
    assert client(wire).told("123456").apply(ONE).results[0].outcome == "fixed"


@pytest.mark.parametrize("code", ["12345", "1234567", "12 345", "abcdef", ""])
def test_a_code_in_another_form_is_sent_nowhere(code: str) -> None:
    wire = Wire([answered("fixed")])
    with pytest.raises(Malformed) as caught:
        client(wire).told(code)
    assert not code or code not in str(caught.value)
    assert not wire.calls


def test_the_client_that_was_told_nothing_stays_as_it_was() -> None:
    wire = Wire([answered("fixed")])
    whole = client(wire, Ring(lambda: START))
    whole.told("123456")
    whole.apply(ONE)
    assert not is_bare(Fields(wire.calls[0].headers))
