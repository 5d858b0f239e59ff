"""Ask a deployment, and judge what it answered and what it did."""

from __future__ import annotations

import base64
import json
import re
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import urlencode

import requests
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from remediator.core.gate import gate_value, keys_of
from remediator.core.messages import KEY, PATH, Request, content_digest, sign
from remediator.core.windows import PERIOD, window_at
from remediator.service.problems import Problem
from remediator.vendor.transport import Call, HttpTransport, Unsigned
from tests.fuzz.questions import SECOND_LOCK, Locks, questions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remediator.core.gate import WindowKeys
    from remediator.vendor import Client, Finding
    from remediator.vendor.keyring import Access
    from remediator.vendor.transport import Reply
    from tests.fuzz.questions import Question

FEW: Final = 100
"""Up to so many examples are the same in every run."""

CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
PROBLEMS: Final = {problem.type: problem.status for problem in Problem}
SIGNED_BY_CLOUD: Final = ("content-type", "idempotency-key")
UNTOUCHED: Final = {400, 401, 403, 404, 405, 413, 415}
"""Answers before which nothing is kept or changed. A `refused` is a 403 too, but it is a record that is kept."""

_REQUESTS_PER_WINDOW: Final = 40
"""A principal may ask for sixty; the next window comes before that."""


@dataclass(frozen=True)
class Deeds:
    """Hold what the deployment did meanwhile: the actions of its own that write, and those past the gate."""

    kept: frozenset[str]
    past_gate: frozenset[str]
    opened: bool


class Place(Protocol):
    """Know one deployed endpoint, with both its principals."""

    reads: frozenset[str]
    """Every action that is there to look at a setting."""
    transport: HttpTransport

    def access(self, *, operator: bool) -> Access: ...

    def url(self, path: str) -> str: ...

    def mark(self) -> int: ...

    def deeds(self, mark: int) -> Deeds: ...

    def next_window(self) -> None: ...

    def is_the_clouds_own(self, question: Question, reply: Reply) -> bool:
        """Tell whether the cloud turned the caller away, before any code of ours."""
        ...


@dataclass
class Asker:
    """Ask one deployment question after question, a window at a time. `counted` holds how many of each status came."""

    place: Place
    deployment: str
    counted: dict[str, int] = field(default_factory=dict)
    _keys: WindowKeys | None = None
    _signed: int = 0

    def ask(self, question: Question) -> None:
        """Send it, and raise `AssertionError` if anything about the answer or what was done isn't as it must be."""
        self._turn()
        mark = self.place.mark()
        headers = self._fields(question)
        reply = self._send(question, headers)
        deeds = self.place.deeds(mark)
        named = f"{reply.status} {_problem(reply)}".strip()
        self.counted[named] = self.counted.get(named, 0) + 1
        self._judge_secrets(reply, headers)
        if self.place.is_the_clouds_own(question, reply):
            assert not deeds.kept
            assert not deeds.opened
            return
        if question.method != "HEAD":
            judge_form(question, reply)
        judge_deeds(question, reply, deeds, self.place.reads)

    def _turn(self) -> None:
        """Go on to the next window before a principal has used this one up, or time has."""
        self._signed += 1
        live = self._keys and self._keys.window == window_at(time.time())
        if self._signed > _REQUESTS_PER_WINDOW or not live or time.time() % PERIOD > PERIOD - 20:
            self.place.next_window()
            self._signed, now = 0, time.time()
            self._keys = _keys_of(self.place.access(operator=True), now)

    def _fields(self, question: Question) -> dict[str, str]:
        """Return the header fields of ours, and whatever else was made up."""
        assert self._keys is not None
        made_up = {name: value for name, value in question.made_up.items() if name not in SECOND_LOCK}
        fields = {"content-type": "application/json"} if question.method == "POST" else {}
        if question.locks in (Locks.FIRST, Locks.NONE):
            return {**fields, **question.made_up}
        key = question.made_up.get("idempotency-key", "")
        key = key if KEY.fullmatch(key) else str(uuid.uuid4())
        body = question.body + b" " * (question.locks is Locks.OTHER_BODY)
        path = question.path if PATH.fullmatch(question.path) else "/v1/remediations"
        signed = sign(Request(question.method, path, body, key), self._keys, created=int(time.time()))
        if question.locks is Locks.OTHER_BODY:
            signed["content-digest"] = content_digest(question.body)
        if question.locks is Locks.HALF:
            signed[question.chosen] = question.made_up.get(question.chosen, "")
        return {**made_up, **fields, **signed}

    def _send(self, question: Question, headers: Mapping[str, str]) -> Reply:
        query = f"?{urlencode(question.query, doseq=True)}" if question.query else ""
        url = self.place.url(question.path) + query
        plain = {name: value for name, value in headers.items() if name in SIGNED_BY_CLOUD and _clean(value)}
        others = {name: value for name, value in headers.items() if name not in plain}
        call = Unsigned(question.method, url, plain, others, question.body)
        if question.locks is not Locks.NONE:
            return self.place.transport.send(self.place.access(operator=question.operator).authorize(call, time.time()))
        return self.place.transport.send(_unproven(call))

    def _judge_secrets(self, reply: Reply, headers: Mapping[str, str]) -> None:
        """No answer shows what is secret, nor what was shown as a secret."""
        assert self._keys is not None
        told = "\n".join([*(f"{name}: {value}" for name, value in reply.headers.items()), reply.body.decode("latin-1")])
        for name, secret in secrets_of(self._keys, self.deployment).items():
            assert secret not in told, f"the answer shows the {name}"
        assert not re.search(rf"(?<!\d){self._keys.code.reveal().decode()}(?!\d)", told), "the answer shows the code"
        for name in ("remediation-opening", "signature"):
            shown = headers.get(name, "")
            assert len(shown) < 12 or shown not in told, f"the answer repeats {name}"


def ask_anything(
    place: Place, client: Client, findings: Sequence[Finding], deployment: str, *, examples: int
) -> dict[str, int]:
    """Ask so many questions, and return how often each answer came; what there is to ask about is made first."""
    place.next_window()
    ids = [client.plan(findings).id, client.apply(findings[:3]).id]
    cards = [dict(card.document) for card in client.fixes()]
    asker, asked = Asker(place, deployment), questions(findings, ids, cards)
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    haste = settings(
        max_examples=examples,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=checks,
        derandomize=examples <= FEW,  # the same few every day, and others in a long run
    )
    haste(given(asked)(asker.ask))()
    return asker.counted


def secrets_of(keys: WindowKeys, deployment: str) -> dict[str, str]:
    """Return what no answer may show, as text."""
    proof = keys.proof_key.reveal()
    return {
        "opening": keys.opening.hex(),
        "opening in base64": base64.b64encode(bytes.fromhex(keys.opening.hex())).decode(),
        "proof key": proof.hex(),
        "proof key in base64": base64.b64encode(proof).decode(),
        "gate value": gate_value(deployment, keys.window, keys.opening).text(),
    }


def _keys_of(access: Access, now: float) -> WindowKeys:
    return keys_of(access.read(window_at(now), now).record)


def _unproven(call: Unsigned) -> Call:
    return Call(call.method, call.url, {**call.headers, **call.secrets}, call.body)


def _clean(value: str) -> bool:
    """Tell whether a field's value survives the way to AWS's signature as it is."""
    return value.isascii() and value.isprintable() and value == " ".join(value.split())


def judge_form(question: Question, reply: Reply) -> None:
    """Hold an answer to the document: status, headers, type and body."""
    assert reply.status < 500, reply.body
    prepared = requests.Request(question.method, "http://localhost" + question.path).prepare()
    shown = Response(
        status_code=reply.status,
        headers={name: [value] for name, value in reply.headers.items()},
        content=reply.body,
        request=prepared,
        elapsed=0.0,
        verify=False,
    )
    question.case.validate_response(shown, checks=CHECKS)
    assert reply.headers["cache-control"] == "no-store"
    if reply.status != 200:
        body = json.loads(reply.body)
        assert body["status"] == reply.status == PROBLEMS[body["type"]], body


def judge_deeds(question: Question, reply: Reply, deeds: Deeds, reads: frozenset[str]) -> None:
    """Nothing is kept or changed but by a request that got past both locks, and then what it asked for."""
    refused = reply.status in UNTOUCHED and _problem(reply) != "refused"
    if refused or question.method != "POST" or question.locks is not Locks.BOTH:
        allowed = question.locks is Locks.HALF and reply.status == 200
        assert allowed or not (deeds.kept or deeds.opened or deeds.past_gate), (reply.status, deeds)
    if _mode(reply) not in ("apply", "rollback"):
        assert deeds.past_gate <= reads, deeds.past_gate - reads


def _mode(reply: Reply) -> str:
    try:
        return str(json.loads(reply.body).get("mode", ""))
    except (ValueError, AttributeError):
        return ""


def _problem(reply: Reply) -> str:
    try:
        return str(json.loads(reply.body).get("type", "")).rpartition(":")[2]
    except (ValueError, AttributeError):
        return ""
