from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remediator.core.gate import gate_value, opening, verifier_of
from remediator.core.windows import PERIOD, Window, open_at, staged_at, window_at
from remediator.service.errors import LeaseTaken
from remediator.service.rotate import Rotated
from tests.service.site import Site
from tests.service.world import DEPLOYMENT, START, CloudError, Crash

WRITING_RUN = [
    "table.look", "table.take_lease", "table.look", "ring.held", "ring.keep", "table.stage", "gate.set",
    "table.give_lease_back",
]  # fmt: skip


def require_whole(site: Site) -> None:
    """Everything that must stand at this moment does, and agrees."""
    for window in staged_at(site.clock()):
        seed = site.ring.versions[window]
        assert site.table.verifiers[window] == verifier_of(DEPLOYMENT, window, seed)
        value = gate_value(DEPLOYMENT, window, opening(DEPLOYMENT, window, seed)).text()
        assert site.gate.values[value] == window


def test_the_first_run_opens_a_deployment_that_starts_closed() -> None:
    site = Site()
    assert site.table.state_now is None
    report = site.rotate()
    assert (report.staged, report.frozen, report.wrote) == (4, False, True)
    assert site.table.state_now == "open"
    require_whole(site)


def test_a_run_that_finds_everything_in_place_writes_nothing_in_two_calls(site: Site) -> None:
    assert site.rotate().wrote is False
    assert site.steps.taken == ["table.look", "gate.stands"]


def test_the_next_window_s_run_takes_eight_calls_and_stages_one_window(site: Site) -> None:
    site.clock.now += PERIOD
    site.rotate()
    assert site.steps.taken == WRITING_RUN
    require_whole(site)


def test_nothing_is_staged_in_the_window_that_first_needs_it(site: Site) -> None:
    site.clock.now += PERIOD
    staged_before = set(site.table.verifiers)
    site.rotate()
    (new,) = set(site.table.verifiers) - staged_before
    assert new == window_at(site.clock()) + 3


def test_two_lost_runs_cost_nothing(site: Site) -> None:
    site.clock.now += 3 * PERIOD
    window = window_at(site.clock())
    assert window in site.table.verifiers
    assert site.gate.opens(gate_value(DEPLOYMENT, window, site.keys(window).opening).text(), site.clock())


def test_a_dead_rotator_leaves_the_gate_closed_after_the_last_staged_window(site: Site) -> None:
    last = max(site.table.verifiers)
    values = list(site.gate.values)
    site.clock.now = last.closes - 1
    assert any(site.gate.opens(value, site.clock()) for value in values)
    site.clock.now = last.closes
    assert not any(site.gate.opens(value, site.clock()) for value in values)


def test_the_last_window_stays_open_during_its_grace_only() -> None:
    site = Site()
    site.rotate()
    window = window_at(site.clock())
    site.clock.now = window.not_after + 10
    site.rotate()
    assert window in site.gate.values.values()
    site.clock.now = window.closes + 1
    site.gate.values = {}
    site.rotate()
    assert window not in site.gate.values.values()


def test_a_gate_that_a_redeploy_reset_is_repaired_by_the_next_run(site: Site) -> None:
    site.gate.values = {}
    site.rotate()
    require_whole(site)


def test_a_gate_that_somebody_changed_is_put_right(site: Site) -> None:
    site.gate.values["f" * 64] = window_at(site.clock())
    site.rotate()
    assert "f" * 64 not in site.gate.values
    require_whole(site)


def test_a_run_that_finds_the_lease_taken_fails_so_that_its_retry_comes(site: Site) -> None:
    site.clock.now += PERIOD
    site.table.holder, site.table.until = "another run", site.clock() + 60
    with pytest.raises(LeaseTaken):
        site.rotate()
    site.clock.now += 61
    site.rotate()
    require_whole(site)


def test_an_in_place_run_doesn_t_need_the_lease(site: Site) -> None:
    site.table.holder, site.table.until = "another run", site.clock() + 60
    assert site.rotate().wrote is False


def test_every_run_while_frozen_writes_the_closed_gate_and_stages_nothing(site: Site) -> None:
    site.table.state_now = "frozen"
    verifiers = dict(site.table.verifiers)
    for _ in range(2):
        site.clock.now += PERIOD
        site.gate.values = {"f" * 64: window_at(site.clock())}
        report = site.rotate()
        assert (report.frozen, report.staged, site.gate.values) == (True, 0, {})
    assert site.table.verifiers == verifiers
    assert site.table.state_now == "frozen"


def test_a_freeze_between_the_look_and_the_stage_closes_the_gate(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.clock.now += PERIOD
    held = site.ring.held

    def freeze_meanwhile() -> object:
        site.table.state_now = "frozen"
        return held()

    monkeypatch.setattr(site.ring, "held", freeze_meanwhile)
    assert site.rotate().frozen is True
    assert site.gate.values == {}


def test_the_seed_that_was_stored_first_is_the_one_that_is_used(site: Site) -> None:
    site.clock.now += PERIOD
    site.steps.crash_after = len(site.steps.taken) + WRITING_RUN.index("ring.keep") + 1
    with pytest.raises(Crash):
        site.rotate()
    kept = dict(site.ring.versions)
    site.table.until = 0
    site.ring.stale = True
    site.rotate()
    assert site.ring.versions == kept
    require_whole(site)


def test_a_ring_that_shows_nothing_is_read_window_by_window() -> None:
    site = Site()
    site.rotate()
    window = window_at(site.clock())
    site.clock.now = window.not_after + 10
    site.ring.stale = True
    site.rotate()
    assert site.gate.opens(gate_value(DEPLOYMENT, window, site.keys(window).opening).text(), site.clock())
    require_whole(site)


@pytest.mark.parametrize("moment", ["crash_before", "crash_after"])
@pytest.mark.parametrize("number", range(1, len(WRITING_RUN) + 1))
def test_a_crash_between_any_two_steps_is_repaired_by_the_next_run(moment: str, number: int) -> None:
    site = Site()
    site.rotate()
    site.steps.taken.clear()
    site.clock.now += PERIOD
    setattr(site.steps, moment, number)
    with pytest.raises(Crash):
        site.rotate()
    setattr(site.steps, moment, None)
    site.clock.now += PERIOD
    site.rotate("run-2")
    require_whole(site)
    assert max(site.ring.writes.values()) <= 2


@given(st.lists(st.sampled_from(["tick", "double", "late", "crash", "lost"]), min_size=20, max_size=60), st.randoms())
@settings(max_examples=40, deadline=None)
def test_no_slot_is_written_more_than_a_hundred_times_a_day_whatever_happens(plan: list[str], dice: object) -> None:
    site = Site(clock=type(Site().clock)(START))
    for number, event in enumerate(plan):
        site.clock.now = START + number * PERIOD + (290 if event == "late" else 0)
        site.table.until = 0
        if event == "crash":
            site.steps.crash_after = len(site.steps.taken) + dice.randint(1, 8)  # type: ignore[attr-defined]
        runs = {"lost": 0, "double": 2}.get(event, 1)
        for run in range(runs):
            try:
                site.rotate(f"run-{number}-{run}")
            except Crash:
                site.steps.crash_after = None
        site.steps.crash_after = None
    site.table.until = 0
    site.rotate("last")
    require_whole(site)
    windows_a_day = 86_400 // PERIOD
    assert max(site.ring.writes.values()) <= len(plan) // 6 + 2
    assert 2 * (windows_a_day // 6) <= 100


def test_a_graced_window_whose_seed_is_gone_is_left_to_expire() -> None:
    site = Site()
    site.rotate()
    window = window_at(site.clock())
    site.clock.now = window.not_after + 10
    del site.ring.versions[window]
    site.ring.stale = True
    site.rotate()
    assert window not in site.gate.values.values()
    require_whole(site)


def test_seeds_of_two_windows_are_never_the_same(site: Site) -> None:
    seeds = [seed.reveal() for seed in site.ring.versions.values()]
    assert len(set(seeds)) == len(seeds) == 4


def test_windows_come_from_the_clock_at_each_write(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.clock.now += PERIOD
    take = site.table.take_lease

    def slow(holder: str, now: float) -> None:
        take(holder, now)
        site.clock.now += PERIOD

    monkeypatch.setattr(site.table, "take_lease", slow)
    site.rotate()
    require_whole(site)
    assert set(open_at(site.clock())) >= set(site.gate.values.values()) - {Window(0)}


def test_a_run_that_finds_everything_in_place_says_how_many_windows_stand(site: Site) -> None:
    assert site.rotate() == Rotated(4, frozen=False, wrote=False)


def test_the_lease_is_taken_and_given_back_in_the_run_s_own_name(site: Site) -> None:
    site.clock.now += PERIOD
    site.rotate("a-run-of-its-own")
    assert (site.table.holder, site.table.until) == ("a-run-of-its-own", 0)


def test_a_run_that_fails_under_the_lease_leaves_the_gate_s_fingerprint_as_it_was(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = site.table.gate
    site.clock.now += PERIOD

    def away() -> object:
        raise CloudError("the ring is away")

    monkeypatch.setattr(site.ring, "held", away)
    with pytest.raises(CloudError):
        site.rotate()
    assert (site.table.gate, site.table.until) == (left, 0)
