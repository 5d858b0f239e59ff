"""What the customer's policy forbids, by the name of the rule: planned, applied, gone on with, never rolled back."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from remediator.catalogue.spec import Tags, Target
from remediator.service.errors import TagsUnread
from remediator.service.policy import Policy
from remediator.service.records import Reason
from tests.service.site import KEY, OPERATOR, Site, asking, lamp, outcomes, problem
from tests.service.world import CloudError, Crash, LampKind

OTHER = "99999999-2222-3333-4444-555555555555"


def policy(**members: Any) -> str:
    return json.dumps({"version": 1, **members})


def reasons(reply: Any) -> list[str]:
    return [result.get("reason", {}).get("code", "") for result in reply.body["results"]]


FORBIDDING: dict[str, dict[str, Any]] = {
    "policy_fix": {"fixes": ["aws.lamp.burn-out"]},
    "policy_region": {"regions": ["eu-central-1"]},
    "policy_excluded": {"exclude": ["arn:aws:lamp:*:*:d*k"]},
    "policy_broken": {"surprise": True},
}


@pytest.mark.parametrize("mode", ["plan", "apply"])
@pytest.mark.parametrize("rule", FORBIDDING)
def test_a_rule_refuses_plan_and_apply_by_its_name_before_the_gate(site: Site, rule: str, mode: str) -> None:
    site.table.policy = policy(**FORBIDDING[rule])
    reply = site.post(asking("desk", mode=mode))
    assert (reply.status, problem(reply), reasons(reply)) == (403, "refused", [rule])
    assert site.sessions.opened == []
    assert site.cloud.writes == []


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"plan_only": False, "note": "everything goes"},
        {"fixes": ["aws.lamp.switch-on"]},
        {"regions": ["eu-west-1"]},
        {"exclude": ["arn:aws:lamp:*:*:hall"], "exclude_tags": ["keep"]},
        {"findings_per_day": 1},
    ],
)
def test_what_no_rule_forbids_is_applied(site: Site, members: dict[str, Any]) -> None:
    site.table.policy = policy(**members)
    assert outcomes(site.post(asking("desk"))) == ["fixed"]


def test_plan_only_plans_and_applies_nothing(site: Site) -> None:
    site.table.policy = policy(plan_only=True)
    assert outcomes(site.post(asking("desk", mode="plan"))) == ["planned"]
    reply = site.post(asking("desk"), key=OTHER)
    assert (reply.status, reasons(reply)) == (403, ["policy_plan_only"])
    assert site.cloud.writes == []


def test_one_finding_s_refusal_stops_no_other(site: Site) -> None:
    site.table.policy = policy(exclude=["arn:aws:lamp:*:*:desk"])
    reply = site.post(asking("desk", "hall"))
    assert outcomes(reply) == ["refused", "fixed"]
    assert site.cloud.writes == ["hall"]


def test_the_policy_comes_on_top_of_the_deployment_s_own_rules(site: Site) -> None:
    site.table.policy = policy(regions=["ap-east-1"], exclude_tags=["keep"])
    body = {"mode": "apply", "findings": [{"fix": "aws.lamp.switch-on", "target": lamp("desk", region="ap-east-1")}]}
    assert reasons(site.post(body)) == ["region_not_allowed"]


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "{",
        "[]",
        '{"version": 2}',
        '{"plan_only": true}',
        '{"version": 1, "plan_only": 1}',
        '{"version": 1, "plan_only": false, "plan_only": true}',
        '{"version": 1, "findings_per_day": -1}',
        '{"version": 1, "findings_per_day": 5.0}',
        '{"version": 1.0}',
        '{"version": 1, "note": "\\ud800"}',
        '{"version": 1, "resource_groups": ["shop"]}',
        '{"version": 1, "exclude": "arn:aws:lamp:*"}',
        '{"version": 1, "note": "' + "x" * 20_000 + '"}',
    ],
)
def test_a_policy_that_can_t_be_read_allows_nothing_and_rings(site: Site, stored: str) -> None:
    site.table.policy = stored
    for mode, key in (("plan", KEY), ("apply", OTHER)):
        assert reasons(site.post(asking("desk", mode=mode), key=key)) == ["policy_broken"]
    assert site.monitor.metrics["PolicyBroken"] == 2
    assert site.sessions.opened == []


def test_patterns_know_no_other_wildcard_than_the_star_and_no_case() -> None:
    target = LampKind().parse(lamp("desk"), None)  # type: ignore[arg-type]  # a lamp's ARN says where it is
    fix: Any = type("Fix", (), {"id": "x", "target": LampKind()})()
    for pattern, hit in {
        "arn:aws:lamp:eu-west-1:111122223333:desk": True,
        "ARN:AWS:LAMP:*:DESK": True,
        "*": True,
        "arn:aws:lamp:eu-west-1:111122223333:des?": False,
        "arn:aws:lamp:eu-west-1:111122223333:des[k]": False,
        "arn:aws:lamp:eu-west-1:111122223333:des.": False,
        "arn:aws:lamp:eu-west-1:111122223333:[d]esk": False,
        "arn:aws:lamp:eu-west-1:111122223333:[!x]esk": False,
        "desk": False,
        "*:des": False,
        "*d*e*s*k": True,
    }.items():
        assert (Policy(exclude=(pattern,)).objection(fix, target, write=False) is not None) is hit, pattern


def test_a_sign_that_is_no_star_stands_for_itself() -> None:
    fix: Any = type("Fix", (), {"id": "x", "target": LampKind()})()
    for name in ("d?sk", "d[e]sk", "[", "?[?"):
        target = LampKind().parse(lamp(name), None)  # type: ignore[arg-type]  # a lamp's ARN says where it is
        assert Policy(exclude=(f"*:{name}",)).objection(fix, target, write=False) is not None


def test_on_azure_the_resource_group_must_be_one_of_those_allowed_in_whatever_case() -> None:
    fix: Any = type("Fix", (), {"id": "x", "target": LampKind()})()
    target = Target("/subscriptions/s/resourceGroups/Shop/x", "azure", "s", None, {"group": "Shop"})
    allowed = Policy(resource_groups=frozenset({"shop"}))
    assert allowed.objection(fix, target, write=True) is None
    assert Policy(resource_groups=frozenset({"bank"})).objection(fix, target, write=True) == Reason(
        "policy_resource_group", "The customer's policy doesn't allow the resource group Shop."
    )


def test_no_name_makes_a_pattern_of_many_stars_take_for_ever() -> None:
    target = LampKind().parse(lamp("a" * 250), None)  # type: ignore[arg-type]  # a lamp's ARN says where it is
    fix: Any = type("Fix", (), {"id": "x", "target": LampKind()})()
    assert Policy(exclude=("*a" * 40 + "*b",)).objection(fix, target, write=False) is None


def test_an_edit_takes_effect_for_sessions_that_weren_t_begun(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.sessions.size = 1
    monkeypatch.setattr("remediator.service.batch.LANES", 1)
    put = site.cloud.put_lamp

    def edit_after(name: str, value: Any) -> None:
        put(name, value)
        site.table.policy = policy(plan_only=True)

    monkeypatch.setattr(site.cloud, "put_lamp", edit_after)
    reply = site.post(asking("desk", "hall", "roof"))
    assert outcomes(reply) == ["fixed", "refused", "refused"]
    assert reasons(reply) == ["", "policy_plan_only", "policy_plan_only"]
    assert site.cloud.writes == ["desk"]
    assert site.post(asking("desk", "hall", "roof")).body == reply.body


def crash_at(site: Site, step: str, *, before: bool) -> None:
    """Die at the first call of that name."""
    written = site.cloud.put_lamp

    def put(name: str, value: Any) -> None:
        if not before:
            written(name, value)
        raise Crash(step)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site.cloud, "put_lamp", put)
        with pytest.raises(Crash):
            site.post(asking("desk"))
    site.clock.now += 300
    site.rotate("run-2")


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("members", [{"plan_only": True}, *FORBIDDING.values()])
def test_what_was_begun_and_is_forbidden_now_may_be_written_and_can_be_taken_back(
    site: Site, members: dict[str, Any], *, before: bool
) -> None:
    crash_at(site, "put", before=before)
    site.table.policy = policy(**members)
    written = list(site.cloud.writes)
    (result,) = site.post(asking("desk")).body["results"]
    assert (result["outcome"], result["reason"]["code"][:7]) == ("unverified", "policy_")
    assert site.cloud.writes == written
    back = site.post({}, path=f"/v1/remediations/{KEY}/rollback", key=OTHER, principal=OPERATOR)
    assert outcomes(back) == ["already_rolled_back" if before else "rolled_back"]
    assert site.cloud.lamps["desk"] == {"on": False, "name": "desk"}


@pytest.mark.parametrize(
    "stored",
    [
        policy(plan_only=True, fixes=[], regions=[], exclude=["*"], exclude_tags=["keep"], findings_per_day=0),
        "not even JSON",
    ],
)
def test_no_policy_ever_stops_the_operator_s_rollback_or_a_refresh(site: Site, stored: str) -> None:
    site.cloud.stubborn.add("desk")
    assert outcomes(site.post(asking("desk", "hall"))) == ["unverified", "fixed"]
    site.cloud.lamps["desk"] = {"on": True, "name": "desk", "colour": "white"}
    site.cloud.stubborn.clear()
    site.cloud.tags = {"hall": {"keep": "yes"}}
    site.table.policy = stored
    fresh = site.post({}, path=f"/v1/remediations/{KEY}/refresh", key="refresh-refresh-1")
    assert outcomes(fresh) == ["fixed"]
    back = site.post({}, path=f"/v1/remediations/{KEY}/rollback", key=OTHER, principal=OPERATOR)
    assert outcomes(back) == ["rolled_back", "rolled_back"]
    assert "lamp.tags" not in " ".join(site.steps.taken)


@pytest.mark.parametrize(
    ("members", "rule"),
    [
        ({"plan_only": True}, "policy_plan_only"),
        ({"exclude": ["*:desk"]}, "policy_excluded"),
        ({"exclude_tags": ["keep"]}, "policy_excluded_tag"),
        ({"surprise": 1}, "policy_broken"),
    ],
)
def test_the_vendor_s_own_rollback_is_bound_like_everything_it_asks(members: dict[str, Any], rule: str) -> None:
    site = Site(vendor_rollback=True)
    site.rotate()
    site.cloud.lamps = {"desk": {"on": False, "name": "desk"}}
    assert outcomes(site.post(asking("desk"))) == ["fixed"]
    site.cloud.tags = {"desk": {"keep": "yes"}}
    site.table.policy = policy(**members)
    reply = site.post({}, path=f"/v1/remediations/{KEY}/rollback", key=OTHER)
    assert reasons(reply) == [rule]
    assert site.cloud.writes == ["desk"]


# Tags


@pytest.mark.parametrize("excluded", ["keep", "KEEP", "keep=Yes", "Keep=yes"])
@pytest.mark.parametrize("mode", ["plan", "apply"])
def test_what_has_an_excluded_tag_is_refused_before_anything_else_is_read(site: Site, excluded: str, mode: str) -> None:
    site.cloud.tags = {"desk": {"keep": "yes"}, "hall": {"keeper": "yes", "team": "keep"}}
    site.table.policy = policy(exclude_tags=["other", excluded])
    reply = site.post(asking("desk", "hall", "roof", mode=mode))
    done = "fixed" if mode == "apply" else "planned"
    assert (outcomes(reply), reasons(reply)[0]) == (["refused", done, done], "policy_excluded_tag")
    assert "lamp.get desk" not in site.steps.taken
    assert site.steps.taken.index("lamp.tags desk hall") < site.steps.taken.index("lamp.get hall")
    assert [result["calls"][0] for result in reply.body["results"]] == ["lamp.tags"] * 3


def test_another_value_of_a_tag_isn_t_excluded(site: Site) -> None:
    site.cloud.tags = {"desk": {"keep": "no", "a=b": "c"}}
    site.table.policy = policy(exclude_tags=["keep=yes"])
    assert outcomes(site.post(asking("desk"))) == ["fixed"]
    site.table.policy = policy(exclude_tags=["a=b"])
    assert reasons(site.post(asking("desk"), key=OTHER)) == ["policy_excluded_tag"]


def test_no_tag_is_read_where_no_tag_excludes(site: Site) -> None:
    site.table.policy = policy(exclude=["*:attic"])
    site.post(asking("desk"))
    assert not [step for step in site.steps.taken if step.startswith("lamp.tags")]


@pytest.mark.parametrize("failure", [CloudError("Throttled"), TagsUnread("in part")])
@pytest.mark.parametrize("mode", ["plan", "apply"])
def test_tags_that_can_t_be_read_fail_those_findings_and_no_others(site: Site, failure: Exception, mode: str) -> None:
    site.cloud.hidden_tags["desk"] = failure
    site.table.policy = policy(exclude_tags=["keep"])
    reply = site.post(asking("desk", "hall", "roof", mode=mode))
    assert outcomes(reply) == ["failed", "failed", "fixed" if mode == "apply" else "planned"]
    assert reasons(reply)[:2] == ["policy_tags_unread"] * 2
    assert str(failure) in reply.body["results"][0]["reason"]["message"]
    assert "desk" not in site.cloud.writes


def test_a_freeze_while_tags_are_read_leaves_the_findings_to_the_same_request(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def freeze(*_: Any) -> None:
        site.table.state_now = "frozen"
        raise CloudError("AccessDenied")

    site.table.policy = policy(exclude_tags=["keep"])
    with monkeypatch.context() as patch:
        patch.setattr("tests.service.world.Session.tags", freeze)
        assert outcomes(site.post(asking("desk", "hall"))) == ["not_started"] * 2
    site.table.state_now = "open"
    assert outcomes(site.post(asking("desk", "hall"))) == ["fixed"] * 2


def test_tags_that_a_kind_hides_keep_all_of_it_from_being_touched(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LampKind, "tags", Tags.HIDDEN)
    site.table.policy = policy(exclude_tags=["keep"])
    reply = site.post(asking("desk"))
    assert reply.body["results"][0]["reason"] == {
        "code": "policy_tags_unread",
        "message": "The customer's policy excludes by tag, and the tags of a lamp can't be read.",
    }
    assert site.sessions.opened == []
    monkeypatch.setattr(LampKind, "tags", Tags.NONE)
    assert outcomes(site.post(asking("desk"), key=OTHER)) == ["fixed"]


def test_a_resumed_finding_s_tags_are_looked_at_again(site: Site) -> None:
    crash_at(site, "put", before=True)
    site.cloud.tags = {"desk": {"keep": "yes"}}
    site.table.policy = policy(exclude_tags=["keep"])
    (result,) = site.post(asking("desk")).body["results"]
    assert (result["outcome"], result["reason"]["code"]) == ("unverified", "policy_excluded_tag")
    assert site.cloud.writes == []


def test_a_policy_that_begins_to_exclude_by_tag_on_the_way_opens_the_sessions_for_it(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = site.ledger.claim

    def edit(claimed: Any) -> Any:
        site.table.policy = policy(exclude_tags=["keep"])
        return claim(claimed)

    monkeypatch.setattr(site.ledger, "claim", edit)
    site.cloud.tags = {"desk": {"keep": "yes"}}
    assert reasons(site.post(asking("desk", "hall"))) == ["policy_excluded_tag", ""]


# Findings per day


def test_over_the_day_s_cap_findings_are_refused_by_name_and_the_rest_isn_t_stopped(site: Site) -> None:
    site.table.policy = policy(findings_per_day=3)
    reply = site.post(asking("desk", "hall", "roof", "attic", "cellar"))
    assert sorted(outcomes(reply)) == ["fixed", "fixed", "fixed", "refused", "refused"]
    assert sorted(reasons(reply)) == ["", "", "", "policy_findings_per_day", "policy_findings_per_day"]
    assert len(site.cloud.writes) == 3


def test_what_a_day_took_is_free_again_the_next_day(site: Site) -> None:
    site.table.policy = policy(findings_per_day=1)
    assert outcomes(site.post(asking("desk"))) == ["fixed"]
    assert reasons(site.post(asking("hall"), key=OTHER)) == ["policy_findings_per_day"]
    site.clock.now += 86_400
    site.rotate("run-2")
    assert outcomes(site.post(asking("hall"), key="another-key-of-16-letters")) == ["fixed"]


@pytest.mark.parametrize("zone", ["EAST-23", "WEST+23"])
def test_a_day_is_one_of_utc_and_the_refusal_says_which(site: Site, monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        site.table.policy = policy(findings_per_day=0)
        (result,) = site.post(asking("desk")).body["results"]
    finally:
        monkeypatch.undo()
        time.tzset()
    day = datetime.fromtimestamp(site.clock.now, UTC).date().isoformat()
    assert list(site.ledger.days) == [day]
    assert result["reason"]["message"] == (
        f"The customer's policy has room for 0 findings a day, and they are used up on {day}, UTC."
    )


def test_plans_and_rollbacks_don_t_count_and_aren_t_capped(site: Site) -> None:
    site.table.policy = policy(findings_per_day=1)
    assert outcomes(site.post(asking("desk", "hall", mode="plan"))) == ["planned", "planned"]
    assert outcomes(site.post(asking("desk"), key=OTHER)) == ["fixed"]
    back = site.post({}, path=f"/v1/remediations/{OTHER}/rollback", key="rollback-rollback-1", principal=OPERATOR)
    assert outcomes(back) == ["rolled_back"]
    assert list(site.ledger.days.values()) == [1]


def test_findings_are_counted_before_the_gate_and_what_was_begun_isn_t_counted_again(site: Site) -> None:
    site.table.policy = policy(findings_per_day=1)
    crash_at(site, "put", before=True)
    assert site.steps.taken.index("ledger.spend") < site.steps.taken.index("sts.assume_role")
    assert outcomes(site.post(asking("desk"))) == ["fixed"]
    assert list(site.ledger.days.values()) == [1]


def test_a_crash_between_counting_and_the_receipt_counts_too_much_and_never_too_little(site: Site) -> None:
    site.table.policy = policy(findings_per_day=5)
    site.steps.crash_after = 4
    with pytest.raises(Crash, match=r"ledger\.spend"):
        site.post(asking("desk"))
    site.steps.crash_after = None
    site.clock.now += 300
    site.rotate("run-2")
    assert outcomes(site.post(asking("desk"))) == ["fixed"]
    assert list(site.ledger.days.values()) == [2]


def test_a_session_that_is_halved_is_counted_once(site: Site) -> None:
    site.sessions.largest = 1
    site.table.policy = policy(findings_per_day=3)
    assert outcomes(site.post(asking("desk", "hall", "roof"))) == ["fixed"] * 3
    assert list(site.ledger.days.values()) == [3]


def test_requests_at_the_same_time_never_exceed_the_cap_together(site: Site) -> None:
    site.table.policy = policy(findings_per_day=3)
    ready = threading.Barrier(2)

    def ask(number: int) -> list[str]:
        names = [("desk", "hall"), ("roof", "attic")][number]
        ready.wait(5)
        return outcomes(site.post(asking(*names), key=f"{number}-at-the-same-time-as-another"))

    with ThreadPoolExecutor(2) as threads:
        found = [one for outcome in threads.map(ask, range(2)) for one in outcome]
    assert sorted(found) == ["fixed", "fixed", "fixed", "refused"]
