"""Who looks after the account hears of every change, at least once, and no trouble with that stops one."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from remediator.core.windows import window_at
from remediator.service.announcements import Announcement, Announcements, NotTaken
from tests.service.site import KEY, OPERATOR, Site, asking, lamp, outcomes
from tests.service.world import HOME, CloudError, Crash

if TYPE_CHECKING:
    from collections.abc import Sequence

OFF = {"on": False, "name": "desk"}
ON = {"on": True, "name": "desk", "colour": "white"}
UNDO = "22222222-2222-3333-4444-555555555555"


@dataclass
class Bus:
    """A bus that remembers, and breaks as it is told."""

    site: Site
    heard: list[Announcement] = field(default_factory=list)
    breaks: Exception | None = None

    def announce(self, announcements: Sequence[Announcement]) -> None:
        with self.site.steps.step("bus.announce"):
            if self.breaks:
                raise self.breaks
            self.heard += announcements

    @property
    def details(self) -> list[Any]:
        return [json.loads(json.dumps(dict(one.detail))) for one in self.heard]


@pytest.fixture
def bus(site: Site) -> Bus:
    bus = Bus(site)
    endpoint = site.endpoint
    announcements = Announcements(bus, site.monitor, HOME.account, "shop")
    remediator = replace(endpoint.remediator, announcements=announcements)
    returning = replace(endpoint.returning, remediator=remediator)
    site.endpoint = replace(endpoint, remediator=remediator, returning=returning)
    return bus


def test_an_applied_change_is_announced_with_both_states_and_the_way_back(site: Site, bus: Bus) -> None:
    site.post(asking("desk", reference="case-7"))
    (detail,) = bus.details
    assert (detail["before"], detail["after"]) == (OFF, ON)
    assert detail["resource"] == lamp("desk")["arn"]
    assert (detail["account"], detail["account_alias"]) == (HOME.account, "shop")
    assert (detail["fix"], detail["finding"], detail["reference"]) == ("aws.lamp.switch-on", "case-7", "case-7")
    assert (detail["outcome"], detail["mode"], detail["caller"]) == ("fixed", "apply", "AROAREADER")
    assert detail["way_back"] == f"remediator rollback {KEY} --finding 0"
    assert bus.heard[0].id == detail["id"] == f"{KEY}/0"


def test_the_form_of_an_event_is_this_and_no_other(site: Site, bus: Bus) -> None:
    finding = {"fix": "aws.lamp.switch-on", "target": lamp("desk"), "parameters": {"colour": "red"}}
    site.post({"mode": "apply", "findings": [finding]})
    (event,) = bus.heard
    assert (event.id, event.at, event.resource) == (f"{KEY}/0", int(site.clock.now), lamp("desk")["arn"])
    assert bus.details == [
        {
            "version": 1,
            "id": f"{KEY}/0",
            "remediation": KEY,
            "index": 0,
            "mode": "apply",
            "caller": "AROAREADER",
            "outcome": "fixed",
            "account": HOME.account,
            "account_alias": "shop",
            "fix": "aws.lamp.switch-on",
            "resource": lamp("desk")["arn"],
            "target": lamp("desk"),
            "parameters": {"colour": "red"},
            "finding": "aws.lamp.switch-on",
            "reference": None,
            "before": OFF,
            "after": ON | {"colour": "red"},
            "states_left_out": False,
            "calls": ["lamp.get", "lamp.put", "lamp.get"],
            "undoes": None,
            "way_back": f"remediator rollback {KEY} --finding 0",
        }
    ]


def test_what_a_crash_left_and_the_policy_stops_now_is_announced_for_it_may_be_changed(
    site: Site, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = site.cloud.put_lamp

    def die_after(name: str, value: Any) -> None:
        put(name, value)
        raise Crash(name)

    with monkeypatch.context() as patch:
        patch.setattr(site.cloud, "put_lamp", die_after)
        with pytest.raises(Crash):
            site.post(asking("desk"))
    site.clock.now += 300
    site.rotate("run-2")
    site.table.policy = '{"version": 1, "plan_only": true}'
    assert outcomes(site.post(asking("desk"))) == ["unverified"]
    assert [(one["id"], one["outcome"], one["before"]) for one in bus.details] == [(f"{KEY}/0", "unverified", OFF)]


def test_the_finding_is_named_as_the_scanner_does_if_it_was_sent_so(site: Site, bus: Bus) -> None:
    site.post({"mode": "apply", "findings": [{"finding": "cloudsploit:lampOff", "target": lamp("desk")}]})
    assert bus.details[0]["finding"] == "cloudsploit:lampOff"


def test_it_is_announced_when_the_receipt_is_stored_and_before_the_record_ends(site: Site, bus: Bus) -> None:
    site.post(asking("desk"))
    assert site.steps.taken[-3:] == ["ledger.store", "bus.announce", "ledger.finish"]
    assert len(bus.heard) == 1


def test_what_changed_nothing_is_not_announced(site: Site, bus: Bus) -> None:
    site.cloud.lamps["hall"] = {"on": True, "name": "hall", "colour": "white"}
    assert outcomes(site.post(asking("desk", mode="plan"))) == ["planned"]
    assert outcomes(site.post(asking("hall"), key=UNDO)) == ["already_compliant"]
    assert "bus.announce" not in site.steps.taken
    assert not bus.heard


def test_each_finding_of_a_request_is_an_event_of_its_own(site: Site, bus: Bus) -> None:
    site.cloud.lamps["hall"] = {"on": True, "name": "hall", "colour": "white"}
    site.post(asking("desk", "hall", "roof"))
    assert [one.id for one in bus.heard] == [f"{KEY}/0", f"{KEY}/2"]
    assert [one.resource for one in bus.heard] == [lamp("desk")["arn"], lamp("roof")["arn"]]


def test_a_rollback_is_announced_as_a_change_of_its_own(site: Site, bus: Bus) -> None:
    site.post(asking("desk"))
    site.post({}, path=f"/v1/remediations/{KEY}/rollback", key=UNDO, principal=OPERATOR)
    detail = bus.details[-1]
    assert (detail["outcome"], detail["undoes"], detail["id"]) == ("rolled_back", f"{KEY}/0", f"{UNDO}/0")
    assert (detail["before"], detail["after"]) == (ON, OFF)
    assert detail["way_back"] == "Send the finding again: what was taken back is a finding once more."


def test_what_is_pending_is_announced_and_a_look_at_it_later_is_not(site: Site, bus: Bus) -> None:
    site.cloud.stubborn.add("desk")
    body = {"mode": "apply", "findings": [{"fix": "aws.lamp.warm-up", "target": lamp("desk")}]}
    assert outcomes(site.post(body)) == ["pending"]
    site.post({}, path=f"/v1/remediations/{KEY}/refresh", key=UNDO)
    assert [detail["outcome"] for detail in bus.details] == ["pending"]


def test_a_write_of_which_nobody_knows_what_became_is_announced(site: Site, bus: Bus) -> None:
    """The reply was lost, and then the setting couldn't be read: it may be changed."""
    lamps = site.cloud

    def put(name: str, setting: Any) -> None:
        lamps.lamps[name] = setting
        lamps.broken_lamps[name] = CloudError("Unreachable")
        raise CloudError("Timeout")

    lamps.put_lamp = put  # type: ignore[assignment, method-assign]
    assert outcomes(site.post(asking("desk"))) == ["failed"]
    assert [detail["outcome"] for detail in bus.details] == ["failed"]


def test_what_failed_before_anything_was_written_is_not_announced(site: Site, bus: Bus) -> None:
    site.cloud.broken_lamps["desk"] = CloudError("AccessDenied")
    assert outcomes(site.post(asking("desk"))) == ["failed"]
    assert not bus.heard


def test_what_can_never_go_back_says_why(site: Site, bus: Bus) -> None:
    finding = {"fix": "aws.lamp.burn-out", "target": lamp("desk"), "acknowledge_irreversible": True}
    assert outcomes(site.post({"mode": "apply", "findings": [finding]})) == ["fixed"]
    assert bus.details[0]["way_back"] == "None: The filament is gone."


@pytest.mark.parametrize("crash", ["crash_before", "crash_after"])
@pytest.mark.parametrize("step", ["bus.announce", "ledger.finish"])
def test_a_crash_around_the_announcement_announces_again_under_the_same_id(
    site: Site, bus: Bus, crash: str, step: str
) -> None:
    site.post(asking("hall"), key=UNDO)
    at = site.steps.taken.index(step) + 1
    bus.heard.clear()
    setattr(site.steps, crash, len(site.steps.taken) + at)
    with pytest.raises(Crash):
        site.post(asking("desk"))
    site.clock.now += 300
    site.rotate("run-2")
    again = site.post(asking("desk"), keys=site.keys(window_at(site.clock())))
    assert outcomes(again) == ["fixed"]
    assert {one.id for one in bus.heard} == {f"{KEY}/0"}
    assert site.cloud.writes == ["hall", "desk"]


@pytest.mark.parametrize(
    ("breaks", "lost", "reason"),
    [(NotTaken(1, "ThrottlingException"), 1, "ThrottlingException"), (RuntimeError("secret"), 2, "RuntimeError")],
)
def test_a_bus_that_breaks_changes_no_answer_and_rings(
    site: Site, bus: Bus, breaks: Exception, lost: int, reason: str
) -> None:
    bus.breaks = breaks
    assert outcomes(site.post(asking("desk", "hall"))) == ["fixed", "fixed"]
    assert site.monitor.metrics["NotAnnounced"] == lost
    assert ("changes weren't announced", {"events": lost, "reason": reason}) in site.monitor.notes


def test_an_event_without_its_states_says_so_and_keeps_the_rest(site: Site, bus: Bus) -> None:
    site.post(asking("desk"))
    whole, bare = bus.heard[0], bus.heard[0].without_states()
    assert (bare.detail["before"], bare.detail["after"], bare.detail["states_left_out"]) == (None, None, True)
    assert whole.detail["states_left_out"] is False
    assert (bare.id, bare.at, bare.resource) == (whole.id, whole.at, whole.resource)
    changed = {"before", "after", "states_left_out"}
    assert {k: v for k, v in bare.detail.items() if k not in changed} == {
        k: v for k, v in whole.detail.items() if k not in changed
    }
