from __future__ import annotations

import json
import math
import socket
import uuid
from datetime import timedelta
from typing import Any

import http_message_signatures as rfc9421
import pytest
import requests

from remediator.azure.remediate_function import TIMEOUT
from remediator.catalogue.engine import Outcome
from remediator.core.gate import keys_of
from remediator.core.seeds import SeedRecord
from remediator.core.windows import PERIOD, window_at
from remediator.service.problems import Problem
from remediator.service.records import TAKEOVER_MARGIN, Mode, State
from remediator.vendor import Finding, Patience, errors
from remediator.vendor.transport import Call, HttpTransport, Reply
from tests.vendor.speaking import (
    CARD,
    DEPLOYMENT_ID,
    FINDING,
    START,
    EmptyRing,
    HandClock,
    Received,
    Ring,
    Scene,
    deployment_at,
    problem,
    seed_of,
)

ONE = [Finding(fix=FINDING["fix"], target=FINDING["target"])]
FIVE = [Finding(fix="aws.s3.require-tls", target={"arn": f"arn:aws:s3:::bucket-{n}"}) for n in range(5)]
KEY = "0123456789abcdef-0123"


def test_a_plan_comes_back_with_one_typed_result_per_finding(scene: Scene) -> None:
    answer = scene.client().plan(ONE)
    assert (answer.mode, answer.state) == (Mode.PLAN, State.DONE)
    [result] = answer.results
    assert (result.index, result.outcome, result.fix) == (0, Outcome.FIXED, "aws.s3.block-public-access")
    assert (result.before, result.after, result.changes) == (None, {"BlockPublicAcls": True}, True)
    assert result.receipt == f"{answer.id}/0"
    assert result.at == START


def test_what_is_asked_goes_out_as_the_protocol_writes_it(scene: Scene) -> None:
    finding = Finding(
        finding="prowler:x", target={"arn": "a"}, parameters={"port": 22}, reference="r", acknowledge_irreversible=True
    )
    scene.client().apply([finding])
    [request] = scene.speaker.received
    assert (request.method, request.path) == ("POST", "/v1/remediations")
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.body) == {
        "mode": "apply",
        "findings": [
            {
                "finding": "prowler:x",
                "target": {"arn": "a"},
                "parameters": {"port": 22},
                "reference": "r",
                "acknowledge_irreversible": True,
            }
        ],
    }


@pytest.mark.parametrize("names", [{}, {"fix": "aws.s3.require-tls", "finding": "prowler:x"}])
def test_a_finding_names_either_a_fix_or_a_scanners_finding(names: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="either"):
        Finding(target={"arn": "a"}, **names)


def test_another_implementation_of_rfc_9421_verifies_the_signature(scene: Scene) -> None:
    scene.client().plan(ONE)
    [request] = scene.speaker.received
    window = window_at(START)
    keys = keys_of(SeedRecord(DEPLOYMENT_ID, window, seed_of(window)))

    class Keys(rfc9421.HTTPSignatureKeyResolver):
        def resolve_public_key(self, key_id: str) -> bytes:
            assert key_id == str(window)
            return keys.proof_key.reveal()

    verifier = rfc9421.HTTPMessageVerifier(signature_algorithm=rfc9421.algorithms.HMAC_SHA256, key_resolver=Keys())
    message = requests.Request(request.method, scene.url.rstrip("/") + request.path, dict(request.headers)).prepare()
    [result] = verifier.verify(message, max_age=timedelta(days=36500), expect_tag="remediator/v1", body=request.body)
    assert result.covered_components.keys() >= {'"@method"', '"@path"', '"content-digest"', '"remediation-opening"'}
    assert result.parameters["created"] == START


def test_every_request_has_a_fresh_uuid_as_its_key(scene: Scene) -> None:
    client = scene.client()
    keys = {client.plan(ONE).id for _ in range(3)}
    assert len(keys) == 3
    assert {uuid.UUID(key).version for key in keys} == {4}


def test_a_caller_may_choose_the_key_so_that_it_can_ask_again(scene: Scene) -> None:
    assert scene.client().apply(ONE, key=KEY).id == KEY


@pytest.mark.parametrize("key", ["short", "0123456789abcde/", "x" * 65, "0123456789abcdé"])
def test_a_key_or_id_that_no_remediation_has_is_never_sent(scene: Scene, key: str) -> None:
    client = scene.client()
    for ask in (lambda: client.plan(ONE, key=key), lambda: client.get(key), lambda: client.roll_back(key)):
        with pytest.raises(ValueError, match="16 to 64"):
            ask()
    assert scene.speaker.received == []


def test_rollback_and_refresh_choose_all_findings_or_some(scene: Scene) -> None:
    client = scene.client()
    assert client.roll_back(KEY, [3, 1, 3]).mode is Mode.ROLLBACK
    assert client.refresh(KEY).mode is Mode.REFRESH
    rollback, refresh = scene.speaker.received
    assert (rollback.path, json.loads(rollback.body)) == (f"/v1/remediations/{KEY}/rollback", {"findings": [1, 3]})
    assert (refresh.path, json.loads(refresh.body)) == (f"/v1/remediations/{KEY}/refresh", {})
    assert rollback.headers["idempotency-key"] != KEY


def test_a_look_needs_no_seed_and_shows_no_secret(scene: Scene) -> None:
    client = scene.client(access=EmptyRing(scene.clock.now))
    assert client.get(KEY).id == KEY
    assert client.health().gate == "open"
    assert client.finding(KEY, 0).receipt == "0123456789abcdef/0"
    [card] = client.fixes()
    assert (card.id, card.document) == (CARD["id"], CARD)
    for request in scene.speaker.received:
        assert not {"remediation-code", "remediation-opening", "signature"} & request.headers.keys()
        assert request.body == b""


def test_one_read_serves_all_requests_of_a_window(scene: Scene) -> None:
    client = scene.client()
    client.plan(ONE)
    client.plan(ONE)
    assert len(scene.ring.reads) == 1
    scene.clock.at += PERIOD
    client.plan(ONE)
    assert len(scene.ring.reads) == 2


@pytest.mark.parametrize("skew", [-86400, -1500, -310, -61, 61, 310, 1500, 86400])
def test_a_caller_whose_clock_is_off_is_put_right_by_the_store_before_it_asks(scene: Scene, skew: int) -> None:
    answer = scene.client(clock=HandClock(START + skew)).plan(ONE)
    assert answer.state is State.DONE
    assert [request.window for request in scene.speaker.received] == [window_at(START)]


@pytest.mark.parametrize("skew", [-310, -61, 61, 310])
def test_a_caller_whose_clock_is_off_is_put_right_by_the_refusal(scene: Scene, skew: int) -> None:
    undated = Ring(scene.clock.now, dated=False)
    answer = scene.client(access=undated, clock=HandClock(START + skew)).plan(ONE)
    assert answer.state is State.DONE
    assert [request.window for request in scene.speaker.received] == [None, window_at(START)]


def test_a_second_401_is_the_answer(scene: Scene) -> None:
    scene.speaker.script += [problem(Problem.UNAUTHORIZED)] * 2
    with pytest.raises(errors.Unauthorized) as refused:
        scene.client().plan(ONE)
    assert refused.value.status == 401
    assert len(scene.speaker.received) == 2
    assert scene.clock.naps == []


def test_a_window_that_ends_on_the_way_is_made_up_for_by_the_next_one(scene: Scene) -> None:
    def late(_: Received) -> Any:
        scene.clock.at += PERIOD
        return problem(Problem.UNAUTHORIZED)

    scene.speaker.script.append(late)
    scene.client().plan(ONE)
    first, second = scene.speaker.received
    assert second.window == window_at(START) + 1
    assert first.headers["remediation-opening"] != second.headers["remediation-opening"]
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.body == second.body


def test_an_endpoint_that_lies_about_the_time_never_gets_a_later_windows_opening(scene: Scene) -> None:
    scene.speaker.lie_about_time = 3 * PERIOD
    scene.speaker.script.append(problem(Problem.UNAUTHORIZED))
    scene.client().plan(ONE)
    openings = {request.headers["remediation-opening"] for request in scene.speaker.received}
    window = window_at(START)
    assert openings == {keys_of(SeedRecord(DEPLOYMENT_ID, window, seed_of(window))).opening.hex()}


def test_a_clock_too_far_off_for_aws_is_corrected_by_the_function_urls_own_refusal(scene: Scene) -> None:
    scene.speaker.script.append((403, {}, {"Message": "Signature expired"}))
    own = HandClock(START - 4000)
    assert scene.client(clock=own, access=Ring(scene.clock.now, dated=False)).health().gate == "open"


@pytest.mark.parametrize("kind", [Problem.IN_PROGRESS, Problem.TOO_MANY_REQUESTS, Problem.GATE_UNAVAILABLE])
def test_a_request_that_must_wait_waits_as_long_as_the_answer_says(scene: Scene, kind: Problem) -> None:
    scene.speaker.script.append(problem(kind, wait=17))
    answer = scene.client().apply(ONE)
    assert answer.state is State.DONE
    assert scene.clock.naps == [17]
    first, second = scene.speaker.received
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]


def test_without_a_retry_after_each_wait_is_twice_the_last(scene: Scene) -> None:
    scene.speaker.script += [problem(Problem.INTERNAL_ERROR)] * 3 + [(502, {}, b"Internal Server Error")]
    scene.client().apply(ONE)
    assert scene.clock.naps == [1, 2, 4, 8]


def test_patience_ends_and_the_error_holds_the_key_to_go_on_with(scene: Scene) -> None:
    scene.speaker.script += [problem(Problem.IN_PROGRESS, wait=60)] * 9
    with pytest.raises(errors.InProgress) as refused:
        scene.client(patience=Patience(seconds=150)).apply(ONE)
    assert scene.clock.naps == [60, 60]
    assert refused.value.retry_after == 60
    assert {request.headers["idempotency-key"] for request in scene.speaker.received} == {refused.value.key}


def test_by_default_an_attempt_that_died_is_outwaited(scene: Scene) -> None:
    held = TIMEOUT + TAKEOVER_MARGIN
    tries = math.ceil(held / 15)
    scene.speaker.script += [problem(Problem.INTERNAL_ERROR), *[problem(Problem.IN_PROGRESS, wait=15)] * tries]
    assert scene.client().apply(ONE).state is State.DONE
    assert sum(scene.clock.naps) >= held


def test_patience_counts_the_time_that_answers_take_too(scene: Scene) -> None:
    def slowly(_: Received) -> Any:
        scene.clock.at += 100
        return problem(Problem.INTERNAL_ERROR)

    scene.speaker.script += [slowly] * 9
    with pytest.raises(errors.InternalError):
        scene.client(patience=Patience(seconds=150)).apply(ONE)
    assert len(scene.speaker.received) == 2


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (Problem.INVALID_REQUEST, errors.InvalidRequest),
        (Problem.FORBIDDEN, errors.Forbidden),
        (Problem.REFUSED, errors.RefusedByPolicy),
        (Problem.NOT_FOUND, errors.NotFound),
        (Problem.METHOD_NOT_ALLOWED, errors.MethodNotAllowed),
        (Problem.KEY_REUSED, errors.KeyReused),
        (Problem.TOO_LARGE, errors.TooLarge),
        (Problem.UNSUPPORTED_MEDIA_TYPE, errors.UnsupportedMediaType),
        (Problem.FROZEN, errors.Frozen),
    ],
)
def test_a_problem_that_waiting_does_not_help_is_raised_at_once(
    scene: Scene, kind: Problem, error: type[errors.Refused]
) -> None:
    scene.speaker.script.append(problem(kind, detail="because", index=3))
    with pytest.raises(error) as refused:
        scene.client().apply(ONE)
    assert (refused.value.status, refused.value.problem, refused.value.detail) == (kind.status, kind.type, "because")
    assert refused.value.document["index"] == 3
    assert "because" in str(refused.value)
    assert len(scene.speaker.received) == 1


def test_every_problem_has_an_error_of_its_own() -> None:
    classes = [errors.class_of(kind.type) for kind in Problem]
    assert len({*classes}) == len(Problem)
    assert errors.Refused not in classes
    assert errors.class_of("urn:remediator:problem:of-tomorrow") is errors.Refused


def test_the_function_urls_own_refusal_is_told_from_the_remediators(scene: Scene) -> None:
    scene.speaker.script.append((403, {}, {"Message": "Forbidden"}))
    with pytest.raises(errors.TurnedAway, match="403: Forbidden"):
        scene.client().plan(ONE)
    assert len(scene.speaker.received) == 1


@pytest.mark.parametrize(
    ("status", "fields", "body"),
    [
        (200, {}, b"<html>"),
        (200, {}, []),
        (200, {}, {"id": KEY, "mode": "plan", "state": "done"}),
        (
            200,
            {},
            {"id": KEY, "mode": "plan", "state": "done", "results": [{"index": 0, "outcome": "won", "calls": []}]},
        ),
        (400, {"content-type": "application/problem+json"}, {"title": "no type"}),
        (400, {"content-type": "application/problem+json"}, b"{"),
    ],
)
def test_an_answer_that_is_not_of_the_protocol_is_unintelligible(
    scene: Scene, status: int, fields: dict[str, str], body: Any
) -> None:
    scene.speaker.script.append((status, fields, body))
    with pytest.raises(errors.Unintelligible):
        scene.client().plan(ONE)


def test_what_a_deadline_cut_off_is_asked_for_again_under_the_same_key_with_a_new_code(scene: Scene) -> None:
    scene.speaker.batch = 2
    served = scene.speaker._served

    def slowly(request: Received) -> Any:
        reply = served(request)
        scene.clock.at += PERIOD
        return reply

    scene.speaker.script += [slowly, slowly, slowly]
    answer = scene.client().apply(FIVE)
    assert [result.outcome for result in answer.results] == [Outcome.FIXED] * 5
    requests_made = scene.speaker.received
    assert len(requests_made) == 3
    assert len({request.headers["idempotency-key"] for request in requests_made}) == 1
    assert len({request.body for request in requests_made}) == 1
    assert [request.window for request in requests_made] == [window_at(START) + later for later in range(3)]
    assert len({request.headers["remediation-opening"] for request in requests_made}) == 3


def test_it_stops_asking_when_nothing_more_is_begun_and_says_what_is_left(scene: Scene) -> None:
    scene.speaker.batch = 0
    answer = scene.client(patience=Patience(stalls=2)).apply(FIVE)
    assert (answer.unstarted, answer.state) == (5, State.PARTIAL)
    assert len(scene.speaker.received) == 3


def test_a_stopped_rotator_is_named_before_anything_is_sent(scene: Scene) -> None:
    scene.ring.stopped_at = window_at(START)
    scene.clock.at += 4 * PERIOD
    with pytest.raises(errors.NoLiveSeed, match="rotator has stopped"):
        scene.client().plan(ONE)
    assert scene.speaker.received == []


def test_another_deployments_ring_is_refused_before_anything_is_sent(scene: Scene) -> None:
    scene.ring.deployment = "another"
    with pytest.raises(errors.NoLiveSeed, match="another deployment"):
        scene.client().plan(ONE)
    assert scene.speaker.received == []


def test_a_lost_connection_is_made_up_for_under_the_same_key(scene: Scene) -> None:
    scene.speaker.script.append((0, {}, b""))
    scene.client().apply(ONE)
    first, second = scene.speaker.received
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]


def test_an_endpoint_that_is_not_there_is_unreachable(scene: Scene) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        scene.url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(errors.Unreachable, match="no answer") as unreachable:
        scene.client(patience=Patience(seconds=3)).apply(ONE)
    assert unreachable.value.key
    assert scene.clock.naps == [1, 2]


def test_a_redirect_is_not_followed(scene: Scene) -> None:
    scene.speaker.script.append((302, {"location": scene.url + "v1/health"}, b""))
    with pytest.raises(errors.TurnedAway, match="302"):
        scene.client().plan(ONE)
    assert len(scene.speaker.received) == 1


@pytest.mark.parametrize(
    "url", ["http://example.com/", "ftp://127.0.0.1/", "example.com", "http://localhost.example.com"]
)
def test_a_code_is_never_sent_where_others_can_read_it(url: str) -> None:
    with pytest.raises(errors.BadDeployment, match="https"):
        deployment_at(url)


def test_the_transport_can_be_replaced(scene: Scene) -> None:
    class Counting:
        def __init__(self) -> None:
            self.calls: list[Call] = []
            self.inner = HttpTransport()

        def send(self, call: Call) -> Reply:
            self.calls.append(call)
            return self.inner.send(call)

    transport = Counting()
    scene.client(transport=transport).plan(ONE)
    assert [call.method for call in transport.calls] == ["POST"]
