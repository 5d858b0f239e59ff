"""Hold every fix of the catalogue to the same laws. No fix is named here."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from remediator.catalogue import policies, registry
from remediator.catalogue.engine import Outcome
from remediator.catalogue.spec import OneWay
from tests.laws.trials import AT_ONCE, Case, staged

FIXES = registry.all_fixes("aws")
CASES = [Case(fix, example) for fix in FIXES for example in fix.examples]
NAMES = [f"{fix.id}-{number}" for fix in FIXES for number, _ in enumerate(fix.examples, start=1)]

every_example = pytest.mark.parametrize("case", CASES, ids=NAMES)
every_fix = pytest.mark.parametrize("fix", FIXES, ids=[fix.id for fix in FIXES])


def reads_of(fix: Any) -> frozenset[str]:
    return policies.operations_of(fix.service, fix.reads)


def writes_of(fix: Any) -> frozenset[str]:
    return policies.operations_of(fix.service, fix.writes)


@every_example
def test_1_you_read_what_you_wrote(case: Case) -> None:
    with staged(case) as trial:
        assert trial.job.read() == trial.broken
        for state in (trial.fixed, *trial.others, *([trial.broken] if case.goes_back else [])):
            trial.change_to(state)
            assert trial.job.read() == state


@every_example
def test_2_it_repairs(case: Case) -> None:
    with staged(case) as trial:
        change, outcome = trial.apply()
        assert (change.before, change.after) == (trial.broken, trial.fixed)
        assert outcome is Outcome.FIXED
        assert trial.job.read() == trial.fixed


@every_example
def test_3_twice_is_once(case: Case) -> None:
    with staged(case) as trial:
        change, _ = trial.apply()
        assert not trial.job.plan().needed
        with trial.recording() as calls:
            assert trial.job.resume(change, pauses=AT_ONCE) is Outcome.FIXED
        assert calls.operations <= reads_of(case.fix)


@every_example
def test_3_what_was_begun_but_not_written_is_written(case: Case) -> None:
    with staged(case) as trial:
        change = trial.job.plan()
        assert trial.job.resume(change, pauses=AT_ONCE) is Outcome.FIXED
        assert trial.job.read() == trial.fixed


@every_example
def test_4_it_goes_back(case: Case) -> None:
    if not case.goes_back:
        assert isinstance(case.fix, OneWay)
        return
    with staged(case) as trial:
        change, _ = trial.apply()
        assert trial.job.roll_back(change, pauses=AT_ONCE) is Outcome.ROLLED_BACK
        assert trial.job.read() == trial.broken
        with trial.recording() as calls:
            assert trial.job.roll_back(change, pauses=AT_ONCE) is Outcome.ALREADY_ROLLED_BACK
        assert calls.operations <= reads_of(case.fix)


@every_example
def test_5_a_rollback_tramples_nothing(case: Case) -> None:
    with staged(case) as trial:
        change, _ = trial.apply()
        for other in trial.others:
            trial.change_to(other)
            with trial.recording() as calls:
                assert trial.job.roll_back(change, pauses=AT_ONCE) is Outcome.DRIFTED
            assert calls.operations <= reads_of(case.fix)
            assert trial.job.read() == other


@every_example
def test_5_going_on_tramples_nothing_either(case: Case) -> None:
    with staged(case) as trial:
        change = trial.job.plan()
        for other in trial.others:
            trial.change_to(other)
            leads_there = case.fix.desired(other, case.options) == trial.fixed
            outcome, left = (Outcome.FIXED, trial.fixed) if leads_there else (Outcome.DRIFTED, other)
            assert trial.job.resume(change, pauses=AT_ONCE) is outcome
            assert trial.job.read() == left


@every_fix
def test_5_the_examples_show_what_somebody_else_may_do(fix: Any) -> None:
    others = [(example, other) for example in fix.examples for other in example.others]
    assert others or all(isinstance(example.broken, bool) for example in fix.examples), "a switch knows nothing else"
    assert all(other not in (example.broken, example.fixed) for example, other in others)


@every_example
def test_6_a_plan_only_reads(case: Case) -> None:
    with staged(case) as trial:
        with trial.recording() as calls:
            trial.job.plan()
        assert calls.operations <= reads_of(case.fix)
        assert trial.job.read() == trial.broken


@every_example
def test_6_a_state_survives_json(case: Case) -> None:
    with staged(case) as trial:
        for state in (trial.job.read(), case.fix.desired(trial.broken, case.options)):
            assert json.loads(json.dumps(state)) == state


@every_example
def test_6_judgement_is_pure(case: Case) -> None:
    example, kept = case.example, copy.deepcopy(case.example)
    assert case.fix.desired(example.broken, case.options) == example.fixed
    assert case.fix.desired(example.fixed, case.options) == example.fixed
    assert example == kept


@every_fix
def test_7_it_calls_exactly_what_it_declares(fix: Any) -> None:
    reads: set[str] = set()
    writes: set[str] = set()
    for example in fix.examples:
        case = Case(fix, example)
        with staged(case) as trial:
            job = trial.job
            with trial.recording() as calls:
                change = job.plan()
            reads |= calls.operations
            with trial.recording() as calls:
                fix.write(job.client, job.target, change.before, change.after)
                if case.goes_back:
                    fix.write(job.client, job.target, change.after, change.before)
            writes |= calls.operations
    assert reads == reads_of(fix)
    assert writes - reads_of(fix) == writes_of(fix), "a write may look again, to write only over what it finds"


@every_example
def test_7_every_call_to_s3_names_the_owner(case: Case) -> None:
    with staged(case) as trial:
        with trial.recording() as calls:
            change, _ = trial.apply()
            if case.goes_back:
                trial.job.roll_back(change, pauses=AT_ONCE)
        owners = [params.get("ExpectedBucketOwner") for name, params in calls.made if name.startswith("s3:")]
        assert set(owners) <= {trial.job.target.account}
