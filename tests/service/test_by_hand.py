"""A code that a person passed on: worth one plan and one apply, in its window, by the operator's leave."""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from remediator.core import gate
from remediator.core.codes import parse_code
from remediator.core.errors import WrongCode
from remediator.core.messages import Request, content_digest, show
from remediator.core.windows import window_at
from remediator.service.by_hand import MOST_TRIES
from remediator.service.errors import Frozen, LeaseTaken, NotLive, Spent
from remediator.service.requests import openapi
from tests.service.by_hand_site import HandSite, Left
from tests.service.site import KEY, OPERATOR, STRANGER, Site, asking, outcomes, problem
from tests.service.world import DEPLOYMENT, START, Crash

UNAUTHORIZED = {
    "type": "urn:remediator:problem:unauthorized",
    "title": "Code, opening or signature isn't live for this request",
    "status": 401,
}
PLAN = asking("desk", mode="plan")
APPLY = asking("desk")
OTHER = "99999999-2222-3333-4444-555555555555"


@pytest.fixture
def hands() -> HandSite:
    site = HandSite()
    site.rotate()
    site.cloud.lamps = {name: {"on": False, "name": name} for name in ("desk", "hall", "roof")}
    site.steps.taken.clear()
    return site


def untouched(site: Site) -> bool:
    return not site.cloud.writes and not site.ledger.records and not site.sessions.opened


def test_an_admitted_code_plans_once_and_applies_once(hands: HandSite) -> None:
    hands.admit()
    assert outcomes(hands.tell(PLAN)) == ["planned"]
    assert outcomes(hands.tell(APPLY, key=OTHER)) == ["fixed"]


@pytest.mark.parametrize("body", [PLAN, APPLY])
def test_another_key_or_another_body_is_a_second_use(hands: HandSite, body: Any) -> None:
    hands.admit()
    hands.tell(body)
    hands.steps.taken.clear()
    assert hands.tell(body, key=OTHER).body == UNAUTHORIZED
    assert hands.tell(asking("hall", mode=body["mode"])).body == UNAUTHORIZED
    assert "ledger.claim" not in hands.steps.taken
    assert len(hands.ledger.records) == 1


def test_the_same_request_again_is_no_second_use_and_gets_the_same_answer(hands: HandSite) -> None:
    hands.admit()
    first = hands.tell(APPLY)
    for _ in range(5):
        assert hands.tell(APPLY).body == first.body
    assert hands.cloud.writes == ["desk"]


def test_without_an_admission_a_code_is_worth_nothing_costs_nothing_and_rings_nothing(hands: HandSite) -> None:
    for code in (hands.right(), hands.wrong(), hands.wrong(2), hands.wrong(3), hands.wrong(4)):
        assert hands.tell(APPLY, code).body == UNAUTHORIZED
    assert untouched(hands)
    assert not hands.monitor.metrics
    hands.admit()
    assert outcomes(hands.tell(APPLY)) == ["fixed"]


@pytest.mark.parametrize("wrongs", [1, 2])
def test_a_right_code_after_a_wrong_one_or_two_works(hands: HandSite, wrongs: int) -> None:
    hands.admit()
    for number in range(wrongs):
        assert hands.tell(APPLY, hands.wrong(number + 1)).body == UNAUTHORIZED
    assert outcomes(hands.tell(APPLY)) == ["fixed"]
    assert not hands.monitor.metrics["WrongCode"]


def test_the_third_wrong_code_closes_deletes_and_rings_once(hands: HandSite) -> None:
    hands.admit()
    for number in (1, 2, 3):
        assert hands.tell(APPLY, hands.wrong(number)).body == UNAUTHORIZED
    assert hands.book.left[window_at(START)].opening is None
    assert hands.monitor.metrics["WrongCode"] == 1
    assert ("closed an admission: too many wrong codes", {}) in hands.monitor.notes
    assert hands.tell(APPLY).body == UNAUTHORIZED
    assert hands.tell(APPLY, hands.wrong()).body == UNAUTHORIZED
    assert hands.monitor.metrics["WrongCode"] == 1
    assert untouched(hands)


def test_a_closed_admission_is_not_opened_again_in_its_window(hands: HandSite) -> None:
    hands.admit()
    for number in (1, 2, 3):
        hands.tell(APPLY, hands.wrong(number))
    with pytest.raises(Spent):
        hands.admit()


def test_right_codes_between_wrong_ones_give_no_attempt_more(hands: HandSite, monkeypatch: pytest.MonkeyPatch) -> None:
    compared = counted_compares(monkeypatch)
    hands.admit()
    for number in range(1, 6):
        hands.tell(APPLY, hands.wrong(number))
        hands.tell(APPLY)
    assert len([right for right in compared if not right]) == 3


def test_refusals_for_a_used_up_admission_cost_no_attempt(hands: HandSite) -> None:
    hands.admit()
    hands.tell(APPLY)
    for number in range(5):
        assert hands.tell(APPLY, key=f"another-key-{number:05}").body == UNAUTHORIZED
    assert hands.book.left[window_at(START)].tries == 0
    assert hands.tell(APPLY).status == 200


def counted_compares(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Note how every comparison of a code with the window's ended."""
    compared: list[bool] = []
    require = gate.Verifier.require

    def noted(self: gate.Verifier, *given: Any) -> None:
        try:
            require(self, *given)
        except WrongCode:
            compared.append(False)
            raise
        compared.append(True)

    monkeypatch.setattr(gate.Verifier, "require", noted)
    return compared


def test_guesses_that_come_at_once_compare_no_more_than_three_wrong_codes(
    hands: HandSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = counted_compares(monkeypatch)
    hands.admit()
    guesses = [hands.wrong(number) for number in range(1, 41)]
    with ThreadPoolExecutor(16) as threads:
        replies = list(threads.map(lambda guess: hands.tell(APPLY, guess), guesses))
    assert {reply.status for reply in replies} == {401}
    assert compared == [False] * 3
    assert hands.monitor.metrics["WrongCode"] == 1


def test_one_of_two_applies_that_come_at_once_is_the_first(hands: HandSite) -> None:
    hands.admit()
    keys = [f"apply-number-{number:04}" for number in range(3)]
    with ThreadPoolExecutor(3) as threads:
        statuses = sorted(reply.status for reply in threads.map(lambda key: hands.tell(APPLY, key=key), keys))
    assert statuses == [200, 401, 401]
    assert len(hands.ledger.records) == 1


def test_an_attempt_is_counted_before_its_code_is_compared(hands: HandSite, monkeypatch: pytest.MonkeyPatch) -> None:
    hands.admit()
    steps = hands.steps.taken

    def compare(*_: Any) -> None:
        steps.append("compare")

    monkeypatch.setattr(gate.Verifier, "require", compare)
    hands.tell(PLAN)
    assert steps[1:6] == ["table.standing", "book.count", "compare", "book.use", "ledger.claim"]


@pytest.mark.parametrize("number", range(1, 13))
@pytest.mark.parametrize("moment", ["crash_before", "crash_after"])
def test_a_crash_between_any_two_steps_goes_on_with_the_same_request_in_the_window(
    hands: HandSite, monkeypatch: pytest.MonkeyPatch, moment: str, number: int
) -> None:
    hands.admit()
    hands.steps.taken.clear()
    setattr(hands.steps, moment, number)
    with pytest.raises(Crash):
        hands.tell(APPLY)
    setattr(hands.steps, moment, None)
    hands.clock.now += 135
    reply = hands.tell(APPLY)
    assert outcomes(reply) == ["fixed"]
    assert hands.tell(APPLY, key=OTHER).status == 401
    compared = counted_compares(monkeypatch)
    for guess in range(1, 6):
        hands.tell(APPLY, hands.wrong(guess))
    assert 2 <= len(compared) <= 3


@pytest.mark.parametrize("number", range(1, 5))
@pytest.mark.parametrize("moment", ["crash_before", "crash_after"])
def test_a_crash_on_the_third_wrong_code_leaves_nothing_that_a_later_one_does_not_close(
    hands: HandSite, moment: str, number: int
) -> None:
    hands.admit()
    for guess in (1, 2):
        hands.tell(APPLY, hands.wrong(guess))
    hands.steps.taken.clear()
    setattr(hands.steps, moment, number)
    try:
        hands.tell(APPLY, hands.wrong(3))
    except Crash:
        assert number <= 3
    setattr(hands.steps, moment, None)
    for guess in (4, 5, 6):
        assert hands.tell(APPLY, hands.wrong(guess)).body == UNAUTHORIZED
    assert hands.book.left[window_at(START)].opening is None
    assert hands.monitor.metrics["WrongCode"] <= 1
    assert untouched(hands)


def test_a_partial_apply_is_taken_over_in_its_window_and_needs_a_new_admission_later(hands: HandSite) -> None:
    hands.admit()
    hands.steps.crash_before = 6
    with pytest.raises(Crash):
        hands.tell(APPLY)
    hands.steps.crash_before = None
    hands.clock.now += 300
    hands.rotate("run-2")
    assert hands.tell(APPLY).body == UNAUTHORIZED
    hands.admit()
    assert outcomes(hands.tell(APPLY)) == ["fixed"]


@pytest.mark.parametrize("second", [0, 59])
def test_a_code_has_no_grace(hands: HandSite, second: int) -> None:
    code = hands.admit().reveal().decode()
    hands.clock.now = window_at(START).not_after + second
    hands.rotate("run-2")
    assert hands.tell(APPLY, code).body == UNAUTHORIZED
    hands.admit()
    assert hands.tell(APPLY, code).body == UNAUTHORIZED
    assert hands.book.left[window_at(hands.clock())].tries == 1
    assert untouched(hands)


def test_a_window_that_ends_during_the_check_admits_nothing(hands: HandSite, monkeypatch: pytest.MonkeyPatch) -> None:
    hands.admit()
    hands.clock.now = window_at(START).not_after - 0.5
    count = hands.book.count

    def slow(window: Any) -> Any:
        opening = count(window)
        hands.clock.now += 1
        return opening

    monkeypatch.setattr(hands.book, "count", slow)
    assert hands.tell(APPLY).body == UNAUTHORIZED
    assert untouched(hands)


def test_what_was_begun_in_the_window_is_finished_in_its_grace_and_not_later(hands: HandSite) -> None:
    hands.admit()
    hands.clock.now = window_at(START).not_after - 1
    assert outcomes(hands.tell(APPLY)) == ["fixed"]
    assert hands.ledger.records[KEY].deadline == window_at(START).closes


def test_while_frozen_nothing_is_admitted_and_no_admission_is_honoured(hands: HandSite) -> None:
    hands.admit()
    hands.table.state_now = "frozen"
    reply = hands.tell(APPLY)
    assert (reply.status, problem(reply)) == (423, "frozen")
    with pytest.raises(Frozen):
        hands.admit()
    assert hands.book.left[window_at(START)].tries == 0
    assert untouched(hands)


def test_a_freeze_between_the_code_and_the_gate_stops_before_the_gate(
    hands: HandSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    hands.admit()
    use = hands.book.use

    def freeze_meanwhile(*given: Any) -> bool:
        hands.table.state_now = "frozen"
        return use(*given)

    monkeypatch.setattr(hands.book, "use", freeze_meanwhile)
    assert hands.tell(APPLY).status == 423
    assert not hands.sessions.opened


def test_a_window_is_admitted_only_while_it_is_live(hands: HandSite) -> None:
    keys = hands.keys(window_at(START) + 1)
    with pytest.raises(NotLive):
        hands.book.admit(keys.window, keys.opening)


@pytest.mark.parametrize("path", [f"/v1/remediations/{KEY}/refresh", f"/v1/remediations/{KEY}/rollback"])
def test_refresh_and_rollback_need_the_full_lock(hands: HandSite, path: str) -> None:
    hands.admit()
    hands.tell(APPLY)
    reply = hands.tell({}, path=path, key=OTHER, principal=OPERATOR)
    assert (reply.status, problem(reply)) == (400, "invalid_request")
    assert hands.book.left[window_at(START)].used.keys() == {"apply"}


def test_each_principal_keeps_its_verbs(hands: HandSite) -> None:
    hands.admit()
    assert hands.tell(APPLY, principal=OPERATOR).status == 403
    assert hands.tell(PLAN, principal=STRANGER).status == 403
    assert "book.count" not in hands.steps.taken


@pytest.mark.parametrize("part", ["remediation-opening", "signature-input", "signature"])
def test_with_a_part_of_the_signed_lock_it_is_a_broken_signed_request(hands: HandSite, part: str) -> None:
    hands.admit()
    reply = hands.tell(APPLY, headers={part: "0" * 64})
    assert (reply.status, problem(reply)) == (400, "invalid_request")
    assert "book.count" not in hands.steps.taken


@pytest.mark.parametrize(
    "headers",
    [{"content-digest": content_digest(b"another")}, {"idempotency-key": "short"}, {"remediation-code": "12345"},
     {"remediation-code": "123456, 123456"}, {"remediation-code": "１２３４５６"}],  # noqa: RUF001 - on purpose
)  # fmt: skip
def test_a_field_in_another_form_is_refused_before_anything_is_counted(
    hands: HandSite, headers: dict[str, str]
) -> None:
    hands.admit()
    reply = hands.tell(APPLY, headers=headers)
    assert (reply.status, problem(reply)) == (400, "invalid_request")
    assert "book.count" not in hands.steps.taken


def test_what_is_wrong_with_a_field_is_told(hands: HandSite) -> None:
    reply = hands.tell(APPLY, headers={"remediation-code": "12345"})
    assert reply.body["detail"] == "a code is six ASCII digits."
    reply = hands.post(APPLY, headers={"remediation-code": "12345"})
    assert reply.body["detail"] == "a code is six ASCII digits."


def test_a_key_that_the_callers_own_proof_leaves_out_is_refused(hands: HandSite) -> None:
    hands.admit()
    hands.signed = False
    reply = hands.tell(APPLY)
    assert (reply.status, problem(reply)) == (400, "invalid_request")
    assert reply.body["detail"] == "Sign Idempotency-Key too: it must be among the signed headers."
    assert "book.count" not in hands.steps.taken


def test_a_signed_request_is_answered_as_ever_and_needs_no_admission(hands: HandSite) -> None:
    assert outcomes(hands.post(APPLY)) == ["fixed"]
    assert not [step for step in hands.steps.taken if step.startswith("book.")]


def test_with_automatic_delivery_a_bare_code_is_no_request(site: Site) -> None:
    keys = site.keys()
    nothing = dict.fromkeys(("remediation-opening", "signature-input", "signature", "content-digest"))
    reply = site.post(APPLY, keys=keys, headers=nothing)
    assert (reply.status, problem(reply)) == (400, "invalid_request")
    assert untouched(site)


def test_neither_code_nor_opening_is_in_a_note_an_answer_or_a_record(hands: HandSite) -> None:
    keys = hands.keys()
    hands.admit()
    replies = [hands.tell(PLAN), hands.tell(APPLY, hands.wrong()), hands.tell(APPLY, key=OTHER), hands.tell(APPLY)]
    replies += [hands.tell(APPLY, hands.wrong(number)) for number in (2, 3)]
    text = repr([hands.monitor.notes, [reply.body for reply in replies], hands.ledger])
    secrets = [keys.opening.hex(), repr(keys.opening.reveal()), keys.code.reveal().decode(), hands.wrong()]
    assert not [secret for secret in secrets if secret in text]


def test_the_next_rotation_deletes_what_was_left_even_where_it_fails_or_is_frozen(hands: HandSite) -> None:
    hands.rotator = type(hands.rotator)(
        DEPLOYMENT, hands.ring, hands.table, hands.gate, hands.clock, os.urandom, hands.book
    )
    window = window_at(START)
    for state, fails in (("open", True), ("frozen", False)):
        hands.book.left[window] = Left(hands.keys(window).opening)
        hands.rotate()
        assert hands.book.left[window].opening is not None, "the window isn't over"
        hands.clock.now = window.not_after + 120
        hands.table.state_now, hands.table.until = state, hands.clock() + 60 if fails else 0
        with pytest.raises(LeaseTaken) if fails else nullcontext():
            hands.rotate()
        assert hands.book.left[window].opening is None
        window, hands.table.state_now, hands.table.until = window_at(hands.clock()), "open", 0


PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## A code passed on by hand")[2].partition("\n## ")[0]


def test_the_protocols_page_names_the_fields_that_a_code_comes_with() -> None:
    shown = show(Request("POST", "/v1/remediations", b"{}", KEY), parse_code("007614"))
    assert {name.lower() for name in re.findall(r"^\| `([\w-]+)` \|", SECTION, re.MULTILINE)} == {
        "content-type",
        *shown,
    }


def test_the_protocols_page_says_how_many_wrong_codes_there_may_be() -> None:
    said = re.findall(r"no more than (\w+) wrong codes|The (\w+) closes", SECTION)
    assert [{"three": 3, "third": 3}[most or last] for most, last in said] == [MOST_TRIES, MOST_TRIES]


def test_only_a_plan_or_an_apply_may_leave_the_signature_out() -> None:
    document = openapi()
    for path, operations in document["paths"].items():
        needed = [
            document["components"]["parameters"][one["$ref"].rpartition("/")[2]].get("required", False)
            for one in operations.get("post", {}).get("parameters", ())
        ]
        assert not needed or all(needed) is (path != "/v1/remediations")
    code, key = (document["components"]["parameters"][name] for name in ("Code", "IdempotencyKey"))
    assert code["required"] is key["required"] is True
