"""Who may ask, now, and for exactly this: every refusal in its place, and nothing changed by it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from remediator.core.codes import Code
from remediator.core.gate import Opening, ProofKey
from remediator.core.windows import PERIOD, window_at
from tests.service.site import KEY, OPERATOR, READER, STRANGER, Site, asking, outcomes, problem


def untouched(site: Site) -> bool:
    return not site.cloud.writes and not site.ledger.records and not site.sessions.opened


def test_a_right_request_is_answered(site: Site) -> None:
    reply = site.post(asking("desk"))
    assert (reply.status, outcomes(reply)) == (200, ["fixed"])


@pytest.mark.parametrize("mode", ["plan", "apply"])
@pytest.mark.parametrize("part", ["code", "opening", "proof_key"])
def test_a_wrong_secret_is_refused_before_the_gate_with_one_answer(site: Site, mode: str, part: str) -> None:
    wrong: dict[str, Any] = {"code": Code(b"000000"), "opening": Opening(b"x" * 32), "proof_key": ProofKey(b"x" * 32)}
    keys = replace(site.keys(), **{part: wrong[part]})
    reply = site.post(asking("desk", mode=mode), keys=keys)
    assert reply.body == {
        "type": "urn:remediator:problem:unauthorized",
        "title": "Code, opening or signature isn't live for this request",
        "status": 401,
    }
    assert untouched(site)
    assert site.monitor.metrics["WrongCode"] == 1


@pytest.mark.parametrize("skew", range(-310, 311, 10))
def test_nothing_is_accepted_outside_the_window_and_its_grace_whatever_the_skew(site: Site, skew: int) -> None:
    caller_now = site.clock.now
    window = window_at(caller_now)
    keys = site.keys(window)
    site.clock.now = caller_now + skew
    reply = site.post(asking("desk"), keys=keys, created=caller_now)
    live = window.not_before <= site.clock.now < window.not_after + 60
    assert reply.status == (200 if live and abs(skew) <= 60 else 401)
    if reply.status == 401:
        assert untouched(site)
        assert not site.monitor.metrics["WrongCode"]


def test_a_request_on_its_way_is_honoured_in_the_grace_and_not_a_second_longer(site: Site) -> None:
    window = window_at(site.clock())
    for after, status in ((59, 200), (60, 401)):
        site.clock.now = window.not_after + after
        reply = site.post(asking("desk"), keys=site.keys(window), created=window.not_after - 1, key=f"{KEY}-{after}")
        assert reply.status == status


def test_a_signature_made_outside_its_window_is_refused(site: Site) -> None:
    window = window_at(site.clock())
    site.clock.now = window.not_after + 5
    reply = site.post(asking("desk"), keys=site.keys(window), created=window.not_after)
    assert reply.status == 401


def test_a_staged_window_of_the_future_is_worth_nothing_yet(site: Site) -> None:
    window = window_at(site.clock()) + 1
    assert site.post(asking("desk"), keys=site.keys(window)).status == 401
    assert untouched(site)


def test_keys_of_a_live_window_are_worth_nothing_under_another_window_s_name(site: Site) -> None:
    window = window_at(site.clock())
    keys = replace(site.keys(window + 1), window=window)
    assert site.post(asking("desk"), keys=keys).status == 401


def test_a_live_window_that_isn_t_staged_is_our_fault_and_rings(site: Site) -> None:
    keys = site.keys()
    del site.table.verifiers[keys.window]
    reply = site.post(asking("desk"), keys=keys)
    assert (reply.status, problem(reply), reply.headers["retry-after"]) == (503, "gate_unavailable", "60")
    assert site.monitor.metrics["GateUnavailable"] == 1


def test_before_the_first_rotation_the_gate_is_unavailable(site: Site) -> None:
    site.table.state_now = None
    assert site.post(asking("desk")).status == 503


def test_a_frozen_deployment_refuses_everything_that_needs_a_code(site: Site) -> None:
    site.table.state_now = "frozen"
    for reply in (site.post(asking("desk")), site.post(asking("desk", mode="plan")),
                  site.post({}, path=f"/v1/remediations/{KEY}/rollback", principal=OPERATOR)):  # fmt: skip
        assert (reply.status, problem(reply)) == (423, "frozen")
    assert untouched(site)


def test_a_freeze_after_the_admission_stops_before_the_gate(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = site.ledger.claim

    def freeze_meanwhile(asked: Any) -> Any:
        site.table.state_now = "frozen"
        return claim(asked)

    monkeypatch.setattr(site.ledger, "claim", freeze_meanwhile)
    assert site.post(asking("desk")).status == 423
    assert not site.sessions.opened
    assert site.ledger.records[KEY].state == "partial"


@pytest.mark.parametrize(
    ("principal", "verb", "allowed"),
    [
        (READER, "plan", True), (READER, "apply", True), (READER, "rollback", False), (READER, "refresh", True),
        (OPERATOR, "plan", True), (OPERATOR, "apply", False), (OPERATOR, "rollback", True), (OPERATOR, "refresh", True),
        (STRANGER, "plan", False), (STRANGER, "apply", False), (STRANGER, "rollback", False),
        (STRANGER, "refresh", False),
    ],
)  # fmt: skip
def test_each_principal_has_its_verbs_and_no_other(site: Site, principal: Any, verb: str, *, allowed: bool) -> None:
    if verb in ("plan", "apply"):
        reply = site.post(asking("desk", mode=verb), principal=principal)
    else:
        site.post(asking("hall"), key="an-earlier-remediation")
        site.ledger.records["an-earlier-remediation"] = replace(
            site.ledger.records["an-earlier-remediation"], caller=principal.id
        )
        reply = site.post({}, path=f"/v1/remediations/an-earlier-remediation/{verb}", principal=principal)
    assert (reply.status != 403) is allowed
    if not allowed:
        assert problem(reply) == "forbidden"


@pytest.mark.parametrize("path", ["/v1/fixes", "/v1/health", "/v1/openapi", f"/v1/remediations/{KEY}"])
def test_a_stranger_that_iam_lets_through_is_refused_here(site: Site, path: str) -> None:
    site.post(asking("desk"))
    assert site.get(path, principal=STRANGER).status == 403
    assert site.get(path, principal=OPERATOR).status == 200
    assert site.get(path).status == 200


def test_the_vendor_rolls_back_only_where_the_deployment_allows_it() -> None:
    site = Site(vendor_rollback=True)
    site.rotate()
    site.cloud.lamps = {"desk": {"on": False}}
    site.post(asking("desk"))
    reply = site.post({}, path=f"/v1/remediations/{KEY}/rollback", key="the-way-back-0001")
    assert outcomes(reply) == ["rolled_back"]


def test_a_principal_has_sixty_requests_in_a_window_and_then_waits_for_the_next(site: Site) -> None:
    for number in range(60):
        assert site.post(asking("desk", mode="plan"), key=f"request-number-{number:04}").status == 200
    reply = site.post(asking("desk", mode="plan"), key="request-number-0060")
    assert (reply.status, problem(reply)) == (429, "too_many_requests")
    assert int(reply.headers["retry-after"]) == window_at(site.clock()).not_after - site.clock.now
    assert site.post(asking("desk", mode="plan"), key="request-number-0000").status == 200
    site.clock.now += PERIOD
    assert site.post(asking("desk", mode="plan"), key="request-number-0060").status == 200


def test_one_principal_s_cap_isn_t_another_s(site: Site) -> None:
    for number in range(60):
        site.post(asking("desk", mode="plan"), key=f"request-number-{number:04}")
    assert site.post(asking("desk", mode="plan"), key="the-operator-0001", principal=OPERATOR).status == 200


def test_no_secret_is_in_a_note_an_answer_or_a_record(site: Site) -> None:
    keys = site.keys()
    wrong = replace(keys, code=Code(b"135791"))
    replies = [site.post(asking("desk")), site.post(asking("desk"), keys=wrong, key="another-key-0000001")]
    secrets = [keys.opening.hex(), keys.opening.reveal().hex().upper(), keys.proof_key.reveal().hex(), "135791"]
    text = repr([site.monitor.notes, [reply.body for reply in replies], site.ledger])
    assert not [secret for secret in secrets if secret in text]
    assert keys.code.reveal().decode() not in repr([site.monitor.notes, site.ledger.records])
