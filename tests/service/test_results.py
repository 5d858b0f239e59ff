"""What a result says, in every particular: what a mutation of the use cases once got away with."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from remediator.catalogue.engine import Change, Outcome
from remediator.core.messages import Fields, parse_bare
from remediator.service import requests
from remediator.service.answers import LARGEST_STATES, remediation
from remediator.service.freeze import Part
from remediator.service.records import TAKEOVER_MARGIN, Finding, Mode, Record, State
from remediator.service.work import LARGEST_CHANGE
from tests.service.by_hand_site import HandSite
from tests.service.operators_world import Desk
from tests.service.site import KEY, OPERATOR, Site, asking, lamp, outcomes, problem
from tests.service.world import CloudError, Crash, Lamps

if TYPE_CHECKING:
    from remediator.service.answers import Reply

BACK = "the-way-back-0001"


def come_back(site: Site, verb: str, body: Any = None, *, key: str = BACK) -> Reply:
    return site.post(body or {}, path=f"/v1/remediations/{KEY}/{verb}", key=key, principal=OPERATOR)


@pytest.fixture
def unsettled(site: Site) -> Site:
    """A site in which two lamps didn't take what was written."""
    site.cloud.stubborn = {"desk", "hall"}
    site.post(asking("desk", "hall"))
    site.cloud.stubborn = set()
    return site


def test_only_what_is_chosen_is_refreshed(unsettled: Site) -> None:
    reply = come_back(unsettled, "refresh", {"findings": [1]})
    assert [one["index"] for one in reply.body["results"]] == [1]


def test_a_refresh_says_anew_what_it_called_and_found_and_is_kept_under_its_subject(unsettled: Site) -> None:
    unsettled.cloud.lamps["desk"] = {"on": True, "colour": "white", "name": "desk"}
    fixed, still = come_back(unsettled, "refresh").body["results"]
    assert (fixed["outcome"], fixed["calls"], "reason" in fixed) == ("fixed", ["lamp.get"], False)
    assert (still["outcome"], still["calls"], still["reason"]["code"]) == ("unverified", ["lamp.get"], "unverified")
    assert fixed["refreshes"] == f"{KEY}/0"
    assert unsettled.ledger.records[BACK].subject == KEY
    assert unsettled.get(f"/v1/remediations/{BACK}", principal=OPERATOR).body["results"] == [fixed, still]


def test_a_rollback_s_receipt_has_its_own_time_calls_and_reason(unsettled: Site) -> None:
    unsettled.cloud.lamps["desk"] = {"on": True, "colour": "white", "name": "desk"}
    unsettled.clock.now += 7
    result = come_back(unsettled, "rollback", {"findings": [0]}).body["results"][0]
    assert (result["outcome"], result["at"]) == ("rolled_back", int(unsettled.clock.now))
    assert result["calls"] == ["lamp.get", "lamp.put", "lamp.get"]
    assert "reason" not in result


def test_what_failed_before_its_setting_was_read_has_nothing_to_undo(site: Site) -> None:
    site.cloud.broken_lamps = {"desk": CloudError("AccessDenied")}
    site.post(asking("desk"))
    site.cloud.broken_lamps = {}
    (result,) = come_back(site, "rollback").body["results"]
    assert (result["outcome"], result["reason"]["code"]) == ("refused", "nothing_to_undo")


def test_a_rollback_that_is_gone_on_with_undoes_nothing_twice(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.post(asking("desk", "hall"))

    def die(*_: Any, **__: Any) -> None:
        raise Crash("before the end")

    with monkeypatch.context() as patch:
        patch.setattr(site.ledger, "finish", die)
        with pytest.raises(Crash):
            come_back(site, "rollback")
    site.clock.now += 200
    site.rotate("later")
    site.cloud.writes.clear()
    assert outcomes(come_back(site, "rollback")) == ["rolled_back", "rolled_back"]
    assert site.cloud.writes == []


@pytest.mark.parametrize(("verb", "good"), [("apply", "fixed"), ("rollback", "rolled_back")])
def test_a_write_that_left_neither_state_is_unverified_with_the_cloud_s_reason(
    site: Site, monkeypatch: pytest.MonkeyPatch, verb: str, good: str
) -> None:
    if verb == "rollback":
        site.post(asking("desk"))
    put = Lamps.put_lamp

    def broken(self: Lamps, name: str, lamp: Any) -> None:
        put(self, name, lamp | {"colour": "broken"})
        raise CloudError("InternalFailure")

    monkeypatch.setattr(Lamps, "put_lamp", broken)
    reply = site.post(asking("desk")) if verb == "apply" else come_back(site, "rollback")
    (result,) = reply.body["results"]
    assert (result["outcome"], result["reason"]["code"]) == ("unverified", "InternalFailure")
    assert result["outcome"] != good


def test_a_lost_reply_of_a_write_that_is_gone_on_with_is_looked_after(site: Site) -> None:
    site.steps.crash_before = 7  # the write: its receipt is stored
    with pytest.raises(Crash):
        site.post(asking("desk"))
    assert site.steps.taken[-1].startswith("lamp.put")
    site.steps.crash_before = None
    site.clock.now += 135
    site.cloud.lost_replies = {"desk"}
    assert outcomes(site.post(asking("desk"))) == ["fixed"]


def test_a_plan_of_what_is_compliant_says_so(site: Site) -> None:
    site.cloud.lamps["desk"] = {"on": True, "colour": "white"}
    assert outcomes(site.post(asking("desk", mode="plan"))) == ["already_compliant"]


def test_the_largest_state_that_is_kept_is_kept_and_one_more_is_refused(site: Site) -> None:
    spare = LARGEST_CHANGE - len('[{"on": false, "note": ""}, {"on": true, "note": "", "colour": "white"}]')
    for more, outcome in ((0, "planned"), (2, "refused")):
        site.cloud.lamps["desk"] = {"on": False, "note": "x" * (spare // 2 + more)}
        reply = site.post(asking("desk", mode="plan"), key=f"the-largest-state-{more}")
        assert outcomes(reply) == [outcome]


def test_a_target_that_fits_no_session_is_refused(site: Site) -> None:
    site.sessions.largest = 0
    assert outcomes(site.post(asking("desk"))) == ["refused"]


def test_a_receipt_is_looked_up_whole(site: Site) -> None:
    (result,) = site.post(asking("desk")).body["results"]
    found = site.get(f"/v1/remediations/{KEY}/findings/0")
    assert (found.status, found.body) == (200, result)
    assert result["receipt"] == f"{KEY}/0"


def test_the_openapi_document_is_served(site: Site) -> None:
    assert site.get("/v1/openapi").body == requests.openapi()


def test_at_the_very_end_of_a_window_one_is_told_to_wait_a_second(site: Site) -> None:
    keys = site.keys()
    site.clock.now = keys.window.not_after - 0.5
    for number in range(60):
        site.post(asking("desk", mode="plan"), key=f"one-of-sixty-{number:04}", keys=keys)
    reply = site.post(asking("desk", mode="plan"), key="one-too-many-0001", keys=keys)
    assert (problem(reply), reply.headers["retry-after"]) == ("too_many_requests", "1")


def test_a_refusal_by_the_gate_at_the_deadline_itself_is_no_alarm(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.sessions.refuse = True
    opening = site.sessions.open

    def slow(*given: Any, passage: Any, **more: Any) -> Any:
        site.clock.now = passage.deadline
        return opening(*given, passage=passage, **more)

    monkeypatch.setattr(site.sessions, "open", slow)
    assert outcomes(site.post(asking("desk"))) == ["not_started"]
    assert site.monitor.metrics["GateUnavailable"] == 0


def test_what_was_taken_over_is_left_alone_until_its_new_deadline_is_past(site: Site) -> None:
    site.steps.crash_before = 4
    with pytest.raises(Crash):
        site.post(asking("desk"))
    site.clock.now += 135
    site.steps.crash_before = len(site.steps.taken) + 4
    with pytest.raises(Crash):
        site.post(asking("desk"))
    site.steps.crash_before = None
    deadline = site.ledger.records[KEY].deadline
    site.clock.now = deadline + TAKEOVER_MARGIN - 1
    site.rotate("later")
    assert problem(site.post(asking("desk"))) == "in_progress"
    site.clock.now = deadline + TAKEOVER_MARGIN
    assert outcomes(site.post(asking("desk"))) == ["fixed"]


def test_every_step_of_a_freeze_and_its_end_is_told_by_its_part_and_order(site: Site) -> None:
    desk = Desk(site)
    desk.freeze("order-1")
    steps = desk.unfreeze("order-2")
    assert [step.part for step in steps] == [Part.SESSIONS, Part.REQUESTS, Part.GATE]
    assert desk.switch.read().version == "order-2"


def test_a_run_that_closes_the_gate_says_that_it_wrote(site: Site) -> None:
    site.table.state_now = "frozen"
    assert site.rotate().wrote is True


def test_a_bare_message_is_the_request_that_came() -> None:
    fields = Fields({"idempotency-key": KEY, "remediation-code": "123456"})
    request = parse_bare("POST", "/v1/remediations", fields, b"{}").request
    assert (request.method, request.path, request.body, request.key) == ("POST", "/v1/remediations", b"{}", KEY)


@pytest.mark.usefixtures("lamps_in_the_catalogue")
def test_a_bare_request_shows_its_own_fields_to_who_looks_at_their_signing() -> None:
    site = HandSite()
    site.rotate()
    site.cloud.lamps = {"desk": {"on": False}}
    seen: list[Any] = []

    def bound(headers: Any) -> bool:
        seen.append(headers)
        return True

    object.__setattr__(site.endpoint.by_hand, "bound", bound)
    site.admit()
    site.tell({"mode": "plan", "findings": [{"fix": "aws.lamp.switch-on", "target": lamp("desk")}]})
    assert seen[0]["idempotency-key"] == KEY


@pytest.mark.usefixtures("lamps_in_the_catalogue")
def test_a_used_up_admission_that_a_crash_left_spent_is_closed_by_its_next_refusal() -> None:
    site = HandSite()
    site.rotate()
    site.cloud.lamps = {"desk": {"on": False}}
    site.admit()
    site.tell(asking("desk"), key="the-first-apply-1")
    (left,) = site.book.left.values()
    left.tries = 2
    site.tell(asking("desk"), key="a-second-apply-1")
    assert left.opening is not None
    site.tell(asking("desk"), site.wrong(), key="a-wrong-code-0001")
    assert left.opening is None


def test_what_was_not_started_says_which_it_is_and_that_nothing_was_called(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening = site.sessions.open

    def slow(*given: Any, passage: Any, **more: Any) -> Any:
        site.clock.now = passage.deadline
        return opening(*given, passage=passage, **more)

    monkeypatch.setattr(site.sessions, "open", slow)
    site.sessions.refuse = True
    assert site.post(asking("desk", "hall")).body["results"] == [
        {"index": index, "outcome": "not_started", "calls": []} for index in (0, 1)
    ]


def test_up_to_256_kib_states_are_shown_and_above_it_both_are_left_out_of_each_result() -> None:
    record = Record(KEY, "", "", Mode.PLAN, State.DONE, 1, 0, 0, 1, 0)
    bare = Finding(KEY, 0, "aws.lamp.switch-on", {}, {}, 7, Outcome.PLANNED, Change("", ""))
    spare = LARGEST_STATES - len(json.dumps(remediation(record, [bare])["results"]))
    for more, shown in ((0, True), (1, False)):
        (result,) = remediation(record, [replace(bare, change=Change("x" * (spare + more), ""))])["results"]
        assert ("before" in result, "after" in result, "link" in result) == (shown, shown, not shown)


def test_a_setting_that_can_t_be_so_ends_as_refused(site: Site) -> None:
    site.cloud.lamps["desk"] = {"fixture": "candle"}
    first = site.post(asking("desk", "hall"))
    assert outcomes(first) == ["refused", "fixed"]
    assert site.ledger.stored[KEY][0].outcome == "refused"
