"""The way back: only where the setting is still what was left."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from remediator.catalogue.engine import Outcome
from remediator.service.records import State
from tests.service.site import KEY, OPERATOR, Site, asking, lamp, outcomes, problem
from tests.service.world import CloudError, Crash

if TYPE_CHECKING:
    from remediator.service.answers import Reply

BACK = "the-way-back-0001"
OFF = {"on": False, "name": "desk"}


def back(site: Site, body: Any = None, *, verb: str = "rollback", key: str = BACK, of: str = KEY) -> Reply:
    return site.post(body or {}, path=f"/v1/remediations/{of}/{verb}", key=key, principal=OPERATOR)


@pytest.fixture
def lit(site: Site) -> Site:
    """A site whose desk and hall lamps were switched on."""
    site.post(asking("desk", "hall"))
    site.steps.taken.clear()
    site.cloud.writes.clear()
    return site


def test_a_rollback_writes_back_what_was_there_and_has_a_receipt_of_its_own(lit: Site) -> None:
    reply = back(lit)
    assert outcomes(reply) == ["rolled_back", "rolled_back"]
    assert lit.cloud.lamps["desk"] == OFF
    result = reply.body["results"][0]
    assert (result["receipt"], result["undoes"]) == (f"{BACK}/0", f"{KEY}/0")
    assert (result["before"]["on"], result["after"]) == (True, OFF)
    assert reply.body["mode"] == "rollback"
    assert lit.monitor.metrics["RolledBack"] == 2


def test_only_the_chosen_findings_are_rolled_back(lit: Site) -> None:
    reply = back(lit, {"findings": [1]})
    assert [result["index"] for result in reply.body["results"]] == [1]
    assert (lit.cloud.lamps["desk"]["on"], lit.cloud.lamps["hall"]["on"]) == (True, False)
    assert lit.get(f"/v1/remediations/{BACK}", principal=OPERATOR).body == reply.body


def test_a_finding_that_isn_t_there_is_refused(lit: Site) -> None:
    assert problem(back(lit, {"findings": [7]})) == "invalid_request"


def test_a_rollback_tramples_nothing(lit: Site) -> None:
    lit.cloud.lamps["desk"] = {"burnt": True}
    assert outcomes(back(lit)) == ["drifted", "rolled_back"]
    assert lit.cloud.lamps["desk"] == {"burnt": True}


def test_a_second_rollback_finds_nothing_to_do(lit: Site) -> None:
    back(lit)
    lit.cloud.writes.clear()
    assert outcomes(back(lit, key="the-way-back-0002")) == ["already_rolled_back"] * 2
    assert lit.cloud.writes == []


def test_the_same_rollback_again_gets_the_same_answer(lit: Site) -> None:
    first = back(lit)
    lit.cloud.writes.clear()
    assert back(lit).body == first.body
    assert lit.cloud.writes == []


def test_what_changed_nothing_has_nothing_to_undo(site: Site) -> None:
    site.cloud.lamps["desk"] = {"on": True, "colour": "white"}
    site.post(asking("desk", "hall"))
    reply = back(site)
    assert outcomes(reply) == ["refused", "rolled_back"]
    assert reply.body["results"][0]["reason"]["code"] == "nothing_to_undo"


def test_what_can_t_be_undone_says_why(site: Site) -> None:
    finding = {"fix": "aws.lamp.burn-out", "target": lamp("desk"), "acknowledge_irreversible": True}
    site.post({"mode": "apply", "findings": [finding]})
    reply = back(site)
    assert reply.body["results"][0]["reason"] == {"code": "irreversible", "message": "The filament is gone."}


def test_what_can_t_be_undone_from_everywhere_goes_back_where_it_can(site: Site) -> None:
    site.cloud.lamps["desk"] = {"burnt": True, "name": "desk", "broken": True}
    finding = {"fix": "aws.lamp.burn-out", "target": lamp("desk"), "acknowledge_irreversible": True}
    site.post({"mode": "apply", "findings": [finding]})
    assert site.cloud.lamps["desk"] == {"burnt": True, "name": "desk"}
    assert outcomes(back(site)) == ["rolled_back"]
    assert site.cloud.lamps["desk"] == {"burnt": True, "name": "desk", "broken": True}


@pytest.mark.parametrize("outcome", [None, Outcome.PENDING, Outcome.UNVERIFIED, Outcome.FAILED])
def test_a_receipt_is_taken_back_however_it_ended_if_the_setting_is_its_after(lit: Site, outcome: Any) -> None:
    stored = lit.ledger.stored[KEY]
    stored[0] = replace(stored[0], outcome=outcome)
    assert outcomes(back(lit)) == ["rolled_back", "rolled_back"]


def test_a_running_remediation_isn_t_rolled_back(lit: Site) -> None:
    lit.ledger.records[KEY] = replace(lit.ledger.records[KEY], state=State.RUNNING)
    assert problem(back(lit)) == "in_progress"
    lit.clock.now = lit.ledger.records[KEY].deadline + 10
    assert outcomes(back(lit)) == ["rolled_back", "rolled_back"]


def test_a_plan_can_t_be_rolled_back(site: Site) -> None:
    site.post(asking("desk", mode="plan"), principal=OPERATOR)
    assert problem(back(site)) == "invalid_request"


def test_an_unknown_remediation_can_t_be_rolled_back(site: Site) -> None:
    assert back(site, of="there-is-no-such-one").status == 404


def test_a_lost_reply_of_the_way_back_is_looked_after(lit: Site) -> None:
    lit.cloud.lost_replies = {"desk"}
    assert outcomes(back(lit)) == ["rolled_back", "rolled_back"]


def test_a_way_back_that_changed_nothing_isn_t_a_success(lit: Site) -> None:
    lit.cloud.stubborn = {"desk"}
    assert outcomes(back(lit)) == ["unverified", "rolled_back"]


def test_a_deadline_before_the_write_leaves_the_setting(lit: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    store = lit.ledger.store

    def slow(claimed: Any, findings: Any) -> None:
        store(claimed, findings)
        lit.clock.now = lit.ledger.records[BACK].deadline

    monkeypatch.setattr(lit.ledger, "store", slow)
    assert outcomes(back(lit)) == ["not_started"] * 2
    assert lit.cloud.writes == []


@pytest.mark.parametrize("moment", ["crash_before", "crash_after"])
@pytest.mark.parametrize("number", range(1, 11))
def test_a_crash_on_the_way_back_is_gone_on_from(site: Site, moment: str, number: int) -> None:
    site.post(asking("desk"))
    site.steps.taken.clear()
    setattr(site.steps, moment, number)
    with pytest.raises(Crash):
        back(site)
    setattr(site.steps, moment, None)
    site.clock.now += 300
    site.rotate("run-2")
    assert outcomes(back(site))[0] in ("rolled_back", "already_rolled_back")
    assert site.cloud.lamps["desk"] == OFF
    assert site.ledger.stored[BACK][0].change is not None


def test_a_refresh_reads_again_what_was_unverified_and_settles_it(site: Site) -> None:
    site.cloud.stubborn = {"desk"}
    site.post(asking("desk", "hall"))
    site.cloud.lamps["desk"] = {"on": True, "name": "desk", "colour": "white"}
    site.cloud.writes.clear()
    reply = back(site, verb="refresh")
    assert outcomes(reply) == ["fixed"]
    assert reply.body["results"][0]["refreshes"] == f"{KEY}/0"
    assert site.get(f"/v1/remediations/{KEY}").body["results"][0]["outcome"] == "fixed"
    assert site.cloud.writes == []
    assert site.sessions.opened[-1][2] is False


def test_a_refresh_of_what_is_still_not_so_says_so(site: Site) -> None:
    site.cloud.stubborn = {"desk"}
    site.post(asking("desk"))
    assert outcomes(back(site, verb="refresh")) == ["unverified"]
    assert site.get(f"/v1/remediations/{KEY}").body["results"][0]["outcome"] == "unverified"


def test_a_refresh_of_what_is_settled_has_nothing_to_do(lit: Site) -> None:
    assert outcomes(back(lit, verb="refresh")) == []


@pytest.fixture
def warming(site: Site) -> Site:
    """A site whose desk lamp was to be switched on, and takes its time."""
    site.cloud.stubborn = {"desk"}
    reply = site.post({"mode": "apply", "findings": [{"fix": "aws.lamp.warm-up", "target": lamp("desk")}]})
    assert outcomes(reply) == ["pending"]
    site.cloud.stubborn.clear()
    site.cloud.writes.clear()
    return site


def reason(reply: Reply) -> str:
    [result] = reply.body["results"]
    return str(result["reason"]["code"])


def test_a_refresh_turns_what_was_pending_into_fixed_once_it_has_come_about(warming: Site) -> None:
    assert outcomes(back(warming, verb="refresh")) == ["pending"]
    warming.cloud.warming = {"desk"}
    assert outcomes(back(warming, verb="refresh", key="refresh-while-warming")) == ["pending"]
    warming.cloud.warming = set()
    warming.cloud.lamps["desk"] = {"on": True, "name": "desk", "colour": "white"}
    assert outcomes(back(warming, verb="refresh", key="refresh-when-warm")) == ["fixed"]
    assert warming.get(f"/v1/remediations/{KEY}").body["results"][0]["outcome"] == "fixed"
    assert warming.cloud.writes == []


@pytest.mark.parametrize("outcome", [None, Outcome.PENDING, Outcome.UNVERIFIED])
def test_what_may_still_come_about_is_not_said_to_be_rolled_back(warming: Site, outcome: Any) -> None:
    stored = warming.ledger.stored[KEY]
    stored[0] = replace(stored[0], outcome=outcome)
    reply = back(warming)
    assert (outcomes(reply), reason(reply)) == (["failed"], "underway")
    warming.cloud.warming = {"desk"}
    reply = back(warming, key="the-way-back-0002")
    assert (outcomes(reply), reason(reply)) == (["failed"], "underway")
    assert warming.cloud.writes == []


def test_what_has_come_about_is_rolled_back_refreshed_or_not(warming: Site) -> None:
    warming.cloud.lamps["desk"] = {"on": True, "name": "desk", "colour": "white"}
    assert outcomes(back(warming)) == ["rolled_back"]
    assert warming.cloud.lamps["desk"] == OFF


def test_what_is_settled_and_as_it_was_is_rolled_back_already(warming: Site) -> None:
    stored = warming.ledger.stored[KEY]
    stored[0] = replace(stored[0], outcome=Outcome.FIXED)
    assert outcomes(back(warming)) == ["already_rolled_back"]


def test_where_writes_are_carried_out_at_once_what_did_not_come_never_comes(site: Site) -> None:
    site.cloud.stubborn = {"desk"}
    assert outcomes(site.post(asking("desk"))) == ["unverified"]
    assert outcomes(back(site)) == ["already_rolled_back"]


def test_nothing_is_planned_or_written_while_a_change_is_under_way(site: Site) -> None:
    site.cloud.warming = {"desk"}
    for mode in ("plan", "apply"):
        document = {"mode": mode, "findings": [{"fix": "aws.lamp.warm-up", "target": lamp("desk")}]}
        reply = site.post(document, key=f"while-it-is-warming-{mode}")
        assert (outcomes(reply), reason(reply)) == (["failed"], "underway")
    assert site.cloud.writes == []


def test_a_lost_reply_to_a_write_that_is_under_way_is_left_open(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    put = site.cloud.put_lamp

    def slow(name: str, state: Any) -> None:
        site.cloud.warming = {name}
        put(name, state)

    monkeypatch.setattr(site.cloud, "put_lamp", slow)
    site.cloud.lost_replies = {"desk"}
    reply = site.post({"mode": "apply", "findings": [{"fix": "aws.lamp.warm-up", "target": lamp("desk")}]})
    assert (outcomes(reply), reason(reply)) == (["unverified"], "Timeout")


def test_what_a_refresh_settled_before_a_crash_stays_its_result_and_the_rest_is_looked_at_again(site: Site) -> None:
    site.cloud.stubborn = {"desk", "hall"}
    site.post(asking("desk", "hall"))
    site.cloud.lamps["desk"] = {"on": True, "name": "desk", "colour": "white"}
    site.steps.crash_before = len(site.steps.taken) + 9
    with pytest.raises(Crash, match=r"before ledger\.finish"):
        back(site, verb="refresh")
    site.steps.crash_before = None
    site.cloud.lamps["hall"] = {"on": True, "name": "hall", "colour": "white"}
    site.clock.now += 300
    site.rotate("run-2")
    reply = back(site, verb="refresh")
    assert [(one["index"], one["outcome"]) for one in reply.body["results"]] == [(0, "fixed"), (1, "fixed")]


def test_what_the_way_back_didn_t_reach_has_no_reason_of_what_it_goes_back_from(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.cloud.stubborn = {"desk"}
    site.post(asking("desk"))
    store = site.ledger.store

    def slow(claimed: Any, findings: Any) -> None:
        store(claimed, findings)
        site.clock.now = site.ledger.records[BACK].deadline

    monkeypatch.setattr(site.ledger, "store", slow)
    (result,) = back(site).body["results"]
    assert (result["outcome"], result["calls"], "reason" in result) == ("not_started", [], False)


def test_what_a_freeze_kept_a_refresh_from_looking_at_has_no_reason_of_before(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.cloud.stubborn = {"desk"}
    site.post(asking("desk"))

    def freeze(_: str) -> None:
        site.table.state_now = "frozen"
        raise CloudError("AccessDenied")

    monkeypatch.setattr(site.cloud, "get_lamp", freeze)
    (result,) = back(site, verb="refresh").body["results"]
    assert (result["outcome"], "reason" in result) == ("not_started", False)


def test_a_way_back_that_is_new_reads_no_receipts_but_those_it_goes_back_from(
    lit: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    findings = lit.ledger.findings

    def reading(remediation: str) -> Any:
        asked.append(remediation)
        return findings(remediation)

    monkeypatch.setattr(lit.ledger, "findings", reading)
    assert outcomes(back(lit)) == ["rolled_back", "rolled_back"]
    assert asked == [KEY]
