"""What the operator's log says of each refusal, whole; and how long a caller is told to wait."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from remediator.core.codes import Code
from remediator.core.gate import ProofKey
from remediator.core.windows import window_at
from remediator.service.announcements import NotTaken
from remediator.service.problems import Problem, Refused
from remediator.service.records import State
from tests.service.by_hand_site import HandSite
from tests.service.site import KEY, OPERATOR, Site, asking, problem
from tests.service.world import CloudError

if TYPE_CHECKING:
    from remediator.service.answers import Reply

WINDOW_S_TIME = "refused a window or a signature's time"
CODE = "refused a code or a signature"


@pytest.fixture
def hands(site: Site) -> HandSite:
    by_hand = HandSite()
    by_hand.rotate()
    by_hand.cloud.lamps = site.cloud.lamps
    by_hand.admit()
    return by_hand


def reasons(site: Site, message: str) -> list[Any]:
    return [facts["reason"] for said, facts in site.monitor.notes if said == message]


def told(reply: Reply) -> tuple[int, str, str | None]:
    """Return what a caller's program goes by; the sentence for people is there."""
    assert str(reply.body["detail"]).endswith(".")
    return reply.status, problem(reply), reply.headers.get("retry-after")


def test_a_refused_request_is_noted_whole(site: Site) -> None:
    site.post(asking("desk"), query="dry_run=true")
    assert site.monitor.notes == [
        (
            "refused a request",
            {
                "problem": "invalid_request",
                "detail": "The query string must be empty.",
                "method": "POST",
                "path": "/v1/remediations",
                "caller": "AROAREADER",
                "key": KEY,
            },
        )
    ]


def test_of_a_long_path_and_a_long_key_a_part_is_noted_and_of_none_nothing(site: Site) -> None:
    path = "/v1/" + "x" * 197
    site.post(asking("desk"), path=path, headers={"idempotency-key": "k" * 65})
    site.get("/v2")
    first, second = (facts for _, facts in site.monitor.notes)
    assert (first["path"], first["key"]) == (path[:200], "k" * 64)
    assert (second["path"], second["key"], second["method"]) == ("/v2", "", "GET")


def test_a_problem_is_answered_as_rfc_9457_wants_it(site: Site) -> None:
    reply = site.get("/v2")
    assert reply.headers == {"content-type": "application/problem+json"}
    assert reply.body == {
        "type": "urn:remediator:problem:not_found",
        "title": "There is nothing here that this principal may see",
        "status": 404,
        "detail": "There is no such path.",
    }


def test_a_problem_and_a_bus_that_took_not_all_say_in_a_trace_what_is_the_case() -> None:
    assert str(Refused(Problem.FROZEN)) == "FROZEN"
    lost = NotTaken(2, "ThrottlingException")
    assert (lost.events, str(lost)) == (2, "ThrottlingException")


def test_why_a_window_or_a_signature_s_time_was_refused_is_noted(site: Site) -> None:
    site.post(asking("desk"), created=site.clock.now - 61)
    assert reasons(site, WINDOW_S_TIME) == ["the signature's time is too far from the verifier's"]


def test_why_a_code_or_a_signature_was_refused_is_noted(site: Site) -> None:
    site.post(asking("desk"), keys=replace(site.keys(), code=Code(b"000000")))
    site.post(asking("desk"), keys=replace(site.keys(), proof_key=ProofKey(b"x" * 32)))
    code, signature = reasons(site, CODE)
    assert "code" in code
    assert "signature" in signature


def test_why_the_gate_is_unavailable_is_noted(site: Site) -> None:
    keys = site.keys()
    del site.table.verifiers[keys.window]
    site.post(asking("desk"), keys=keys)
    site.table.state_now = None
    site.post(asking("desk"), keys=keys)
    assert reasons(site, "the gate is unavailable") == ["the live window isn't staged", "the rotator hasn't run yet"]


def test_a_gate_that_refuses_a_right_code_is_noted_and_the_caller_waits_a_minute(site: Site) -> None:
    site.sessions.refuse = True
    assert told(site.post(asking("desk"))) == (503, "gate_unavailable", "60")
    assert reasons(site, "the gate refused a right code") == ["AccessDenied"]


def test_who_meets_a_running_request_is_told_to_wait_a_quarter_of_a_minute(site: Site) -> None:
    site.post(asking("desk"))
    site.ledger.records[KEY] = replace(site.ledger.records[KEY], state=State.RUNNING)
    back = site.post({}, path=f"/v1/remediations/{KEY}/rollback", key="the-way-back-0001", principal=OPERATOR)
    for reply in (site.post(asking("desk")), back):
        assert told(reply) == (409, "in_progress", "15")


def test_who_was_taken_over_is_told_to_wait_as_long(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    get = site.cloud.get_lamp

    def taken_over_meanwhile(name: str) -> Any:
        site.ledger.records[KEY] = replace(site.ledger.records[KEY], attempt=2)
        return get(name)

    monkeypatch.setattr(site.cloud, "get_lamp", taken_over_meanwhile)
    assert told(site.post(asking("desk"))) == (409, "in_progress", "15")
    assert site.monitor.notes[-1][1]["detail"] == "Another request has taken this one over."


def test_a_policy_that_can_t_be_read_is_noted_with_its_fault(site: Site) -> None:
    site.table.policy = "{}"
    site.post(asking("desk"))
    fault = {"fault": "the policy must contain ['version'] properties"}
    assert ("the customer's policy can't be read", fault) in site.monitor.notes


def test_a_fix_that_fails_by_its_own_fault_is_noted_by_its_name_and_the_error_s(site: Site) -> None:
    site.cloud.broken_lamps["desk"] = KeyError("a secret of the setting")
    (result,) = site.post(asking("desk")).body["results"]
    assert ("a fix failed", {"fix": "aws.lamp.switch-on", "error": "KeyError"}) in site.monitor.notes
    assert result["reason"] == {
        "code": "internal_error",
        "message": "The fix failed with KeyError; report this.",
    }


def test_what_the_cloud_says_is_told_as_far_as_five_hundred_characters(site: Site) -> None:
    site.sessions.says = "x" * 501
    site.cloud.broken_lamps["desk"] = CloudError("AccessDenied")
    (result,) = site.post(asking("desk")).body["results"]
    assert result["reason"] == {"code": "AccessDenied", "message": "x" * 500}
    site.cloud.hidden_tags["hall"] = CloudError("Throttled")
    site.table.policy = '{"version": 1, "exclude_tags": ["keep"]}'
    (result,) = site.post(asking("hall"), key="another-key-of-16-letters").body["results"]
    start = "The customer's policy excludes by tag, and the tags couldn't be read (Throttled): "
    assert result["reason"] == {"code": "policy_tags_unread", "message": start.ljust(500, "x")}


def test_each_outcome_of_what_was_run_is_counted_under_its_name_and_no_other(site: Site) -> None:
    site.cloud.broken_lamps["roof"] = CloudError("AccessDenied")
    site.cloud.stubborn = {"attic"}
    site.cloud.lamps["cellar"] = {"fixture": "candle"}
    site.post(asking("desk", "hall", "roof", "attic", "cellar"))
    assert site.monitor.metrics == {"Fixed": 2, "Failed": 1, "Unverified": 1, "Refused": 1}


# By hand


def test_why_a_code_by_hand_was_refused_is_noted(hands: HandSite) -> None:
    hands.tell(asking("desk"), hands.wrong())
    hands.tell(asking("desk"))
    hands.tell(asking("desk"), key="another-key-of-16-letters")
    hands.book.left.clear()
    hands.tell(asking("desk"))
    assert reasons(hands, "refused a code by hand") == [
        "the code isn't the window's", "the admission's apply is used up", "no admission is open",
    ]  # fmt: skip


def test_every_refusal_looks_whether_its_own_window_s_admission_is_spent(
    hands: HandSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = window_at(hands.clock())
    looked: list[Any] = []
    close, count = hands.book.close_spent, hands.book.count

    def look(asked: Any) -> bool:
        looked.append(asked)
        return close(asked)

    def slow(asked: Any) -> Any:
        opening = count(asked)
        hands.clock.now = window.not_after
        return opening

    monkeypatch.setattr(hands.book, "close_spent", look)
    hands.tell(asking("desk"))
    hands.tell(asking("desk"), key="another-key-of-16-letters")
    left = hands.book.left[window]
    left.tries = 2
    monkeypatch.setattr(hands.book, "count", slow)
    hands.tell(asking("desk"))
    assert looked == [window, window]
    assert left.opening is None
    assert reasons(hands, "refused a code by hand")[-1] == "the window ended meanwhile"
