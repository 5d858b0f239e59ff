"""What is done, once, whatever is repeated, lost or taken over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from remediator.core.windows import window_at
from remediator.service.records import State
from tests.service.site import KEY, OPERATOR, Site, asking, lamp, outcomes, problem
from tests.service.world import CloudError, Crash

OFF = {"on": False, "name": "desk"}
ON = {"on": True, "name": "desk", "colour": "white"}


def retry(site: Site, **more: Any) -> Any:
    """The vendor sends the same request under the same key again."""
    return site.post(asking("desk"), **more)


def test_a_plan_shows_before_and_after_and_writes_nothing(site: Site) -> None:
    reply = site.post(asking("desk", mode="plan", reference="case-7"))
    (result,) = reply.body["results"]
    assert result["outcome"] == "planned"
    assert (result["before"], result["after"]) == (OFF, ON)
    assert result["reference"] == "case-7"
    assert "receipt" not in result
    assert (site.cloud.writes, site.cloud.lamps["desk"]) == ([], OFF)
    assert site.sessions.opened == [("aws.lamp.switch-on", (lamp("desk")["arn"],), False)]


def test_an_apply_changes_the_setting_and_says_what_it_called(site: Site) -> None:
    (result,) = site.post(asking("desk", colour="red", parameters={"colour": "red"}, mode="apply") | {
        "findings": [{"fix": "aws.lamp.switch-on", "target": lamp("desk"), "parameters": {"colour": "red"}}]
    }).body["results"]  # fmt: skip
    assert result["outcome"] == "fixed"
    assert site.cloud.lamps["desk"] == ON | {"colour": "red"}
    assert result["calls"] == ["lamp.get", "lamp.put", "lamp.get"]
    assert result["receipt"] == f"{KEY}/0"
    assert result["parameters"] == {"colour": "red"}


def test_a_finding_is_answered_as_the_scanner_names_it(site: Site) -> None:
    reply = site.post({"mode": "apply", "findings": [{"finding": "cloudsploit:lampOff", "target": lamp("desk")}]})
    assert reply.body["results"][0]["fix"] == "aws.lamp.switch-on"
    assert reply.body["results"][0]["finding"] == "cloudsploit:lampOff"


def test_a_request_takes_one_session_and_these_steps_in_this_order(site: Site) -> None:
    site.post(asking("desk"))
    assert site.steps.taken == [
        "table.standing", "ledger.claim", "table.standing", "sts.assume_role", "lamp.get desk",
        "ledger.store", "lamp.put desk", "lamp.get desk", "ledger.store", "ledger.finish",
    ]  # fmt: skip


def test_the_receipt_is_stored_before_the_write_with_before_and_intended_after(site: Site) -> None:
    site.post(asking("desk"))
    opened, completed = site.ledger.history
    assert opened.change is not None
    assert (opened.outcome, opened.change.before, opened.change.after) == (None, OFF, ON)
    assert completed.outcome == "fixed"
    assert site.steps.taken.index("ledger.store") < site.steps.taken.index("lamp.put desk")


def test_a_compliant_setting_is_no_failure_and_isn_t_written(site: Site) -> None:
    site.cloud.lamps["desk"] = ON
    reply = site.post(asking("desk"))
    assert (outcomes(reply), site.cloud.writes) == (["already_compliant"], [])


def test_the_same_request_again_gets_the_same_answer_and_runs_nothing(site: Site) -> None:
    first = site.post(asking("desk", "hall"))
    site.steps.taken.clear()
    site.clock.now += 400
    site.rotate()
    site.steps.taken.clear()
    again = site.post(asking("desk", "hall"))
    assert again.body == first.body
    assert site.steps.taken == ["table.standing", "ledger.claim"]


def test_a_refused_request_again_gets_the_same_refusal(site: Site) -> None:
    body = {"mode": "apply", "findings": [{"fix": "aws.lamp.switch-on", "target": lamp("x", account="999900001111")}]}
    first, again = site.post(body), site.post(body)
    assert first.body == again.body
    assert (first.status, again.status) == (403, 403)


def test_a_used_key_for_another_body_or_caller_is_refused(site: Site) -> None:
    site.post(asking("desk"))
    for reply in (site.post(asking("hall")), site.post(asking("desk", mode="plan"), principal=OPERATOR)):
        assert (reply.status, problem(reply)) == (409, "key_reused")
    assert site.cloud.writes == ["desk"]


def test_a_running_request_isn_t_started_twice(site: Site) -> None:
    site.steps.crash_before = 7
    with pytest.raises(Crash):
        site.post(asking("desk"))
    site.steps.crash_before = None
    deadline = site.ledger.records[KEY].deadline
    site.clock.now = deadline + 9
    site.rotate("run-2")
    reply = retry(site)
    assert (reply.status, problem(reply)) == (409, "in_progress")
    assert int(reply.headers["retry-after"]) > 0
    site.clock.now = deadline + 10
    assert outcomes(retry(site)) == ["fixed"]
    assert site.ledger.records[KEY].attempt == 2


STEPS = 10


@pytest.mark.parametrize("moment", ["crash_before", "crash_after"])
@pytest.mark.parametrize("number", range(1, STEPS + 1))
def test_a_crash_between_any_two_steps_ends_in_one_outcome(site: Site, moment: str, number: int) -> None:
    setattr(site.steps, moment, number)
    with pytest.raises(Crash):
        site.post(asking("desk"))
    setattr(site.steps, moment, None)
    if site.cloud.writes:
        receipt = site.ledger.stored[KEY][0].change
        assert receipt is not None
        assert (receipt.before, receipt.after) == (OFF, ON)
    site.clock.now += 300
    site.rotate("run-2")
    reply = retry(site)
    assert outcomes(reply) == ["fixed"]
    assert site.cloud.lamps["desk"] == ON
    kept = site.ledger.stored[KEY][0].change
    assert kept is not None
    assert kept.before == OFF
    assert len(site.cloud.writes) <= 2
    assert retry(site).body == reply.body


def test_a_takeover_tramples_nothing_that_somebody_did_meanwhile(site: Site) -> None:
    site.steps.crash_before = 7
    with pytest.raises(Crash):
        site.post(asking("desk"))
    site.steps.crash_before = None
    site.cloud.lamps["desk"] = {"burnt": True}
    site.clock.now += 300
    site.rotate("run-2")
    (result,) = retry(site).body["results"]
    assert (result["outcome"], result["reason"]["code"]) == ("drifted", "drifted")
    assert site.cloud.lamps["desk"] == {"burnt": True}


def test_a_half_written_change_is_written_on_after_a_takeover(site: Site) -> None:
    site.steps.crash_before = 7
    with pytest.raises(Crash):
        site.post(asking("desk"))
    site.steps.crash_before = None
    site.cloud.lamps["desk"] = OFF | {"colour": "white"}
    site.clock.now += 300
    site.rotate("run-2")
    assert outcomes(retry(site)) == ["fixed"]
    assert site.cloud.lamps["desk"] == ON


def test_an_old_holder_writes_no_receipt_after_a_takeover(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    get = site.cloud.get_lamp

    def taken_over_meanwhile(name: str) -> Any:
        site.ledger.records[KEY] = replace(site.ledger.records[KEY], attempt=2)
        return get(name)

    monkeypatch.setattr(site.cloud, "get_lamp", taken_over_meanwhile)
    reply = site.post(asking("desk"))
    assert (reply.status, problem(reply)) == (409, "in_progress")
    assert (site.cloud.writes, site.ledger.history) == ([], [])


def test_the_rules_are_asked_again_at_a_takeover(site: Site) -> None:
    site.steps.crash_before = 7
    with pytest.raises(Crash):
        site.post(asking("desk"))
    site.steps.crash_before = None
    remediator = site.endpoint.remediator
    scope = replace(remediator.scope, fixes=frozenset())
    site.endpoint = replace(site.endpoint, remediator=replace(remediator, scope=scope))
    site.clock.now += 300
    site.rotate("run-2")
    assert retry(site).body["results"][0]["reason"]["code"] == "fix_not_enabled"
    assert site.cloud.writes == []


def test_what_the_deadline_doesn_t_reach_goes_on_under_the_same_key_in_a_later_window(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = site.cloud.put_lamp

    def slow(name: str, value: Any) -> None:
        put(name, value)
        site.clock.now += 61

    monkeypatch.setattr(site.cloud, "put_lamp", slow)
    site.sessions.size = 1
    monkeypatch.setattr("remediator.service.batch.LANES", 1)
    names = ("desk", "hall", "roof", "attic")
    first = site.post(asking(*names))
    assert outcomes(first) == ["fixed", "fixed", "not_started", "not_started"]
    assert first.body["state"] == "partial"
    assert not site.monitor.metrics["GateUnavailable"]
    site.clock.now = window_at(site.clock()).not_after + 5
    site.rotate("run-2")
    second = site.post(asking(*names))
    assert outcomes(second) == ["fixed", "fixed", "fixed", "fixed"]
    assert second.body["state"] == "done"
    assert sorted(site.cloud.writes) == sorted(names)


def test_a_deadline_between_receipt_and_write_leaves_the_setting_and_goes_on_later(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = site.ledger.store

    def slow(claimed: Any, findings: Any) -> None:
        store(claimed, findings)
        site.clock.now = site.ledger.records[KEY].deadline

    with monkeypatch.context() as slowly:
        slowly.setattr(site.ledger, "store", slow)
        assert outcomes(site.post(asking("desk"))) == ["not_started"]
    assert site.cloud.writes == []
    site.clock.now += 300
    site.rotate("run-2")
    assert outcomes(retry(site)) == ["fixed"]


def test_the_deadline_is_the_nearest_of_the_function_s_time_two_minutes_and_the_grace(site: Site) -> None:
    window = window_at(site.clock())
    for remaining, now, deadline in (
        (60.0, window.not_before + 10, window.not_before + 60),
        (170.0, window.not_before + 10, window.not_before + 130),
        (170.0, window.not_after - 1, window.closes),
    ):
        site.clock.now = now
        key = f"the-deadline-{deadline}"
        site.post(asking("desk"), remaining=remaining, key=key, keys=site.keys(window))
        assert site.ledger.records[key].deadline == deadline


def test_where_sessions_can_t_be_ended_a_takeover_waits_until_the_function_is_gone(site: Site) -> None:
    remediator = replace(site.endpoint.remediator, fence=180)
    site.endpoint = replace(site.endpoint, remediator=remediator)
    started = site.clock.now
    site.steps.crash_before = 7
    with pytest.raises(Crash):
        site.post(asking("desk"))
    site.steps.crash_before = None
    site.clock.now = started + 189
    site.rotate("run-2")
    assert problem(retry(site)) == "in_progress"
    site.clock.now = started + 190
    assert outcomes(retry(site)) == ["fixed"]


def test_findings_share_sessions_by_fix_and_region(site: Site) -> None:
    findings = asking("desk", "hall", "roof", "attic")["findings"]
    elsewhere = [{"fix": "aws.lamp.switch-on", "target": lamp("cellar", region="eu-central-1")}]
    site.post({"mode": "apply", "findings": findings + elsewhere})
    assert sorted(len(targets) for _, targets, _ in site.sessions.opened) == [1, 1, 3]


def test_a_session_that_is_too_large_is_halved(site: Site) -> None:
    site.sessions.largest = 1
    reply = site.post(asking("desk", "hall", "roof"))
    assert outcomes(reply) == ["fixed"] * 3
    assert [len(targets) for _, targets, _ in site.sessions.opened] == [1, 1, 1]


def test_a_target_that_fits_no_session_is_refused_and_stays_so(site: Site) -> None:
    site.sessions.largest = 0
    first = site.post(asking("desk"))
    assert first.body["results"][0]["reason"]["code"] == "session_too_large"
    assert site.post(asking("desk")).body == first.body


def test_two_fixes_of_one_target_never_run_at_the_same_time(site: Site) -> None:
    same = [{"fix": "aws.lamp.switch-on", "target": lamp("desk"), "parameters": {"colour": colour}}
            for colour in ("red", "white")]  # fmt: skip
    reply = site.post({"mode": "apply", "findings": same})
    assert outcomes(reply) == ["fixed", "fixed"]
    assert site.cloud.lamps["desk"]["colour"] == "white"
    assert reply.body["results"][1]["before"]["colour"] == "red"


def test_one_finding_s_failure_never_stops_the_others(site: Site) -> None:
    site.cloud.broken_lamps = {"hall": CloudError("AccessDenied"), "roof": KeyError("a bug in a fix")}
    reply = site.post(asking("desk", "hall", "roof", "attic"))
    assert outcomes(reply) == ["fixed", "failed", "failed", "fixed"]
    assert [result.get("reason", {}).get("code") for result in reply.body["results"]] == [
        None, "AccessDenied", "internal_error", None,
    ]  # fmt: skip
    assert site.monitor.metrics["Failed"] == 2
    assert "a bug" not in str(reply.body)


def test_a_setting_that_can_t_be_so_is_refused_with_the_reason(site: Site) -> None:
    site.cloud.lamps["desk"] = {"fixture": "candle"}
    reply = site.post(asking("desk", "hall"))
    assert reply.body["results"][0]["reason"] == {"code": "not_applicable", "message": "a candle has no switch"}


def test_a_lost_reply_is_looked_after(site: Site) -> None:
    site.cloud.lost_replies = {"desk"}
    assert outcomes(site.post(asking("desk"))) == ["fixed"]


def test_a_write_that_failed_and_changed_nothing_is_a_failure(site: Site) -> None:
    site.cloud.lost_replies, site.cloud.stubborn = {"desk"}, {"desk"}
    (result,) = site.post(asking("desk")).body["results"]
    assert (result["outcome"], result["reason"]["code"]) == ("failed", "Timeout")


@pytest.mark.parametrize(
    ("fix", "error", "outcome"),
    [
        ("aws.lamp.warm-up", "Timeout", "unverified"),
        ("aws.lamp.warm-up", "AccessDenied", "failed"),
        ("aws.lamp.switch-on", "Timeout", "failed"),
    ],
)
def test_a_failed_write_may_still_come_about_only_if_it_may_have_been_accepted_and_is_carried_out_later(
    site: Site, monkeypatch: pytest.MonkeyPatch, fix: str, error: str, outcome: str
) -> None:
    def refused(name: str, value: Any) -> None:  # noqa: ARG001
        raise CloudError(error)

    monkeypatch.setattr(site.cloud, "put_lamp", refused)
    (result,) = site.post({"mode": "apply", "findings": [{"fix": fix, "target": lamp("desk")}]}).body["results"]
    assert (result["outcome"], result["reason"]["code"]) == (outcome, error)


def test_a_write_that_changed_nothing_isn_t_a_success(site: Site) -> None:
    site.cloud.stubborn = {"desk"}
    (result,) = site.post(asking("desk")).body["results"]
    assert (result["outcome"], result["reason"]["code"]) == ("unverified", "unverified")
    assert site.waited == [1, 2]


def test_a_cloud_that_agrees_with_itself_a_little_later_is_given_the_time(site: Site) -> None:
    site.cloud.stubborn = {"desk"}
    pauses = site.endpoint.remediator.pauses

    def agree_meanwhile() -> Any:
        for pause in pauses():
            site.cloud.lamps["desk"] = ON
            yield pause

    remediator = replace(site.endpoint.remediator, pauses=agree_meanwhile)
    site.endpoint = replace(site.endpoint, remediator=remediator)
    assert outcomes(site.post(asking("desk"))) == ["fixed"]


def test_a_refusal_by_the_gate_is_ours_and_rings(site: Site) -> None:
    site.sessions.refuse = True
    reply = site.post(asking("desk"))
    assert (reply.status, problem(reply)) == (503, "gate_unavailable")
    assert site.monitor.metrics["GateUnavailable"] == 1
    assert site.ledger.records[KEY].state == "partial"
    site.sessions.refuse = False
    assert outcomes(retry(site)) == ["fixed"]


def test_a_refusal_by_the_gate_after_something_was_done_leaves_the_rest_not_started(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("remediator.service.batch.LANES", 1)
    site.sessions.size = 1
    put = site.cloud.put_lamp

    def shut_after(name: str, value: Any) -> None:
        put(name, value)
        site.sessions.refuse = True

    monkeypatch.setattr(site.cloud, "put_lamp", shut_after)
    reply = site.post(asking("desk", "hall"))
    assert (reply.status, outcomes(reply)) == (200, ["fixed", "not_started"])
    assert site.monitor.metrics["GateUnavailable"] == 1


def test_a_refusal_by_the_gate_after_the_deadline_is_no_alarm(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    assume = site.sessions.open

    def late(*targets: Any, **asked: Any) -> Any:
        site.clock.now += 400
        return assume(*targets, **asked)

    monkeypatch.setattr(site.sessions, "open", late)
    assert outcomes(site.post(asking("desk"))) == ["not_started"]
    assert not site.monitor.metrics["GateUnavailable"]


def test_a_state_too_large_to_be_kept_is_refused_and_nothing_is_written(site: Site) -> None:
    site.cloud.lamps["desk"] = {"on": False, "note": "x" * 200_000}
    (result,) = site.post(asking("desk")).body["results"]
    assert result["reason"]["code"] == "state_too_large"
    assert site.cloud.writes == []


def test_states_above_256_kib_are_linked_instead(site: Site) -> None:
    for name in ("desk", "hall", "roof"):
        site.cloud.lamps[name] = {"on": False, "note": "x" * 60_000}
    reply = site.post(asking("desk", "hall", "roof", mode="plan"))
    result = reply.body["results"][1]
    assert "before" not in result
    linked = site.get(result["link"])
    assert linked.body["before"] == {"on": False, "note": "x" * 60_000}
    assert site.get(f"/v1/remediations/{KEY}/findings/7").status == 404


def test_an_irreversible_fix_must_be_acknowledged(site: Site) -> None:
    finding = {"fix": "aws.lamp.burn-out", "target": lamp("desk")}
    reply = site.post({"mode": "apply", "findings": [finding]})
    assert reply.body["results"][0]["reason"] == {
        "code": "irreversible",
        "message": "This can't be undone: The filament is gone. Send acknowledge_irreversible to go on.",
    }
    finding["acknowledge_irreversible"] = True  # type: ignore[assignment]
    again = site.post({"mode": "apply", "findings": [finding]}, key="acknowledged-00001")
    assert outcomes(again) == ["fixed"]


def test_a_remediation_can_be_looked_up_while_it_runs_and_after(site: Site) -> None:
    first = site.post(asking("desk"))
    looked = site.get(f"/v1/remediations/{KEY}")
    assert looked.body == first.body
    site.ledger.records[KEY] = replace(site.ledger.records[KEY], state=State.RUNNING, findings=2)
    assert outcomes(site.get(f"/v1/remediations/{KEY}", principal=OPERATOR)) == ["fixed", "not_started"]


def test_the_fixes_that_are_enabled_are_listed_with_their_schemas(site: Site) -> None:
    cards = {card["id"]: card for card in site.get("/v1/fixes").body["fixes"]}
    assert cards["aws.lamp.switch-on"]["title"] == "Switch a lamp on."
    assert cards["aws.lamp.switch-on"]["parameters"]["properties"]["colour"]["default"] == "white"
    assert cards["aws.lamp.burn-out"]["irreversible"] == "The filament is gone."


@pytest.mark.parametrize(("state", "gate"), [("open", "open"), ("frozen", "frozen"), (None, "unavailable")])
def test_health_tells_what_the_gate_is(site: Site, state: str | None, gate: str) -> None:
    site.table.state_now = state
    assert site.get("/v1/health").body["gate"] == gate


def test_a_record_says_when_it_was_made_and_a_session_bears_the_key_s_name(site: Site) -> None:
    site.clock.now += 0.7
    site.post(asking("desk"))
    record = site.ledger.records[KEY]
    assert record.created_at == int(site.clock.now)
    (passage,) = site.sessions.passages
    assert (passage.name, passage.deadline) == (KEY, record.deadline)
    assert site.ledger.stored[KEY][0].acknowledged is False


def test_sessions_are_sized_for_what_they_will_hold_until_the_deadline(site: Site) -> None:
    site.post(asking("desk"))
    site.table.policy = '{"version": 1, "exclude_tags": ["keep"]}'
    plan, burn = "another-key-of-16-letters", {"fix": "aws.lamp.burn-out", "target": lamp("hall")}
    site.post({"mode": "plan", "findings": [burn | {"acknowledge_irreversible": True}]}, key=plan)
    assert site.sessions.sized == [
        ("aws.lamp.switch-on", site.ledger.records[KEY].deadline, True, False),
        ("aws.lamp.burn-out", site.ledger.records[plan].deadline, False, True),
    ]


def test_of_what_is_refused_whole_nothing_comes_near_the_gate(site: Site) -> None:
    body = {"mode": "apply", "findings": [{"fix": "aws.lamp.switch-on", "target": lamp("x", account="999900001111")}]}
    assert outcomes(site.post(body)) == ["refused"]
    assert site.sessions.passages == []


def test_at_the_deadline_itself_no_session_is_begun(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = site.ledger.claim

    def slow(claimed: Any) -> Any:
        site.clock.now = claimed.record.deadline
        return claim(claimed)

    monkeypatch.setattr(site.ledger, "claim", slow)
    assert outcomes(site.post(asking("desk"))) == ["not_started"]
    assert "sts.assume_role" not in site.steps.taken


def test_however_many_fixes_one_target_has_they_run_one_after_the_other(site: Site) -> None:
    same = [{"fix": "aws.lamp.switch-on", "target": lamp("desk"), "parameters": {"colour": colour}}
            for colour in ("red", "white", "green")]  # fmt: skip
    assert outcomes(site.post({"mode": "apply", "findings": same})) == ["fixed"] * 3
    assert [targets for _, targets, _ in site.sessions.opened] == [(lamp("desk")["arn"],)] * 3
    assert site.cloud.lamps["desk"]["colour"] == "green"


@pytest.mark.parametrize("mode", ["plan", "apply"])
def test_what_a_freeze_kept_from_being_looked_at_says_what_it_is_and_called(
    site: Site, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    def freeze(_: str) -> None:
        site.steps.taken.append("lamp.get desk")
        site.table.state_now = "frozen"
        raise CloudError("AccessDenied")

    monkeypatch.setattr(site.cloud, "get_lamp", freeze)
    (result,) = site.post(asking("desk", mode=mode)).body["results"]
    assert (result["outcome"], result["fix"], result["calls"]) == ("not_started", "aws.lamp.switch-on", ["lamp.get"])
