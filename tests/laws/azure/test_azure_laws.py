"""Hold every fix for Azure to the laws that hold for all fixes. No fix is named here."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import pytest

from remediator.catalogue import policies, registry
from remediator.catalogue.azure.arm import ArmError
from remediator.catalogue.engine import Job, Outcome
from remediator.catalogue.spec import OneWay
from tests.laws.azure.azure_trials import AT_ONCE, Case, Trial
from tests.laws.azure.wire import FIXER, Cloud

if TYPE_CHECKING:
    from collections.abc import Iterable

FIXES = registry.all_fixes("azure")
CASES = [Case(fix, example) for fix in FIXES for example in fix.examples]
NAMES = [f"{fix.id}-{number}" for fix in FIXES for number, _ in enumerate(fix.examples, start=1)]

every_example = pytest.mark.parametrize("case", CASES, ids=NAMES)
every_fix = pytest.mark.parametrize("fix", FIXES, ids=[fix.id for fix in FIXES])
every_way_back = pytest.mark.parametrize(
    "case",
    [case for case in CASES if not isinstance(case.fix, OneWay)],
    ids=[name for case, name in zip(CASES, NAMES, strict=True) if not isinstance(case.fix, OneWay)],
)


def reads_of(fix: Any) -> frozenset[str]:
    return policies.operations_of(fix.service, fix.reads)


def writes_of(fix: Any) -> frozenset[str]:
    return policies.operations_of(fix.service, fix.writes)


def declared(operations: Iterable[str], actions: Iterable[str]) -> set[str]:
    """Return the actions that stand for operations; an operation that none stands for stands for itself."""
    return {
        next((action for action in actions if fnmatchcase(operation, action)), operation) for operation in operations
    }


@every_example
def test_1_you_read_what_you_wrote(case: Case) -> None:
    trial = Trial(case)
    assert trial.job.read() == trial.broken
    back = [] if isinstance(case.fix, OneWay) else [*trial.others, trial.broken]
    for state in (trial.fixed, *back):
        trial.change_to(state)
        assert trial.job.read() == state


@every_example
def test_2_it_repairs(case: Case) -> None:
    trial = Trial(case)
    change, outcome = trial.apply()
    assert (change.before, change.after) == (trial.broken, trial.fixed)
    assert outcome is Outcome.FIXED
    assert trial.job.read() == trial.fixed


@every_example
def test_3_twice_is_once(case: Case) -> None:
    trial = Trial(case)
    change, _ = trial.apply()
    assert not trial.job.plan().needed
    with trial.recording() as calls:
        assert trial.job.resume(change, pauses=AT_ONCE) is Outcome.FIXED
    assert set(calls) <= reads_of(case.fix)


@every_example
def test_3_what_was_begun_but_not_written_is_written(case: Case) -> None:
    trial = Trial(case)
    change = trial.job.plan()
    assert trial.job.resume(change, pauses=AT_ONCE) is Outcome.FIXED
    assert trial.job.read() == trial.fixed


@every_way_back
def test_4_it_goes_back(case: Case) -> None:
    trial = Trial(case)
    resource = trial.cloud.arm.resource(trial.job.target.id)
    change, _ = trial.apply()
    assert trial.job.roll_back(change, pauses=AT_ONCE) is Outcome.ROLLED_BACK
    assert trial.job.read() == trial.broken
    assert trial.cloud.arm.resource(trial.job.target.id).keys() == resource.keys()
    with trial.recording() as calls:
        assert trial.job.roll_back(change, pauses=AT_ONCE) is Outcome.ALREADY_ROLLED_BACK
    assert set(calls) <= reads_of(case.fix)


@every_way_back
def test_5_a_rollback_tramples_nothing(case: Case) -> None:
    trial = Trial(case)
    change, _ = trial.apply()
    for other in trial.others:
        trial.change_to(other)
        with trial.recording() as calls:
            assert trial.job.roll_back(change, pauses=AT_ONCE) is Outcome.DRIFTED
        assert set(calls) <= reads_of(case.fix)
        assert trial.job.read() == other


@every_example
def test_5_going_on_tramples_nothing_either(case: Case) -> None:
    for other in case.example.others:
        trial = Trial(case)
        change = trial.job.plan()
        trial.change_to(other)
        leads_there = case.fix.desired(other, case.options) == trial.fixed
        outcome, left = (Outcome.FIXED, trial.fixed) if leads_there else (Outcome.DRIFTED, other)
        assert trial.job.resume(change, pauses=AT_ONCE) is outcome
        assert trial.job.read() == left


@every_fix
def test_5_the_examples_show_what_somebody_else_may_do(fix: Any) -> None:
    others = [(example, other) for example in fix.examples for other in example.others]
    switch = all(len({json.dumps(one.broken), json.dumps(one.fixed)}) == 2 for one in fix.examples)
    assert others or (switch and len(fix.examples) == 1 and isinstance(fix.examples[0].broken, bool | str))
    assert all(other not in (example.broken, example.fixed) for example, other in others)


@every_example
def test_6_a_plan_only_reads(case: Case) -> None:
    trial = Trial(case)
    with trial.recording() as calls:
        trial.job.plan()
    assert set(calls) <= reads_of(case.fix)
    assert trial.job.read() == trial.broken


@every_example
def test_6_a_state_survives_json(case: Case) -> None:
    trial = Trial(case)
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
        trial = Trial(Case(fix, example))
        job = trial.job
        with trial.recording() as calls:
            change = job.plan()
        reads |= set(calls)
        with trial.recording() as calls:
            fix.write(job.client, job.target, change.before, change.after)
            if not isinstance(fix, OneWay):
                fix.write(job.client, job.target, change.after, change.before)
        writes |= set(calls)
    assert reads == reads_of(fix)
    assert declared(writes - reads, writes_of(fix)) == writes_of(fix)


@every_fix
def test_7_what_it_declares_is_enough_and_none_of_it_is_too_much(fix: Any) -> None:
    granted = {action for grant in (*fix.reads, *fix.writes) for action in grant.actions}
    for missing in (None, *granted):
        refused = set()
        for example in fix.examples:
            refused |= refusals(Case(fix, example), granted - {missing})
        assert declared(refused, granted) == ({missing} if missing else set())


def refusals(case: Case, allowed: set[str]) -> set[str]:
    """Return the operations that a principal with these actions is refused when it repairs, and goes back."""
    trial = Trial(case)
    trial.cloud.arm.allowed = lambda principal, operation, _: (
        principal != FIXER or any(fnmatchcase(operation, action) for action in allowed)
    )
    with suppress(ArmError):
        change, _ = trial.apply()
        if not isinstance(case.fix, OneWay):
            trial.job.roll_back(change, pauses=AT_ONCE)
    assert {one.status for one in trial.cloud.arm.exchanges} <= {200, 201, 202, 403}
    refused = [one for one in trial.cloud.arm.exchanges if one.status == 403]
    return {
        operation
        for one in refused
        for operation, _ in one.operations
        if not any(fnmatchcase(operation, action) for action in allowed)
    }


@every_example
def test_a_change_between_the_look_and_the_write_is_not_trampled_where_azure_can_tell(case: Case) -> None:
    trial = Trial(case)
    change = trial.job.plan()
    tagged = "etag" in trial.cloud.arm.resource(trial.job.target.id)
    for other in case.example.others[:1]:
        trial.change_to(other)
        outcome = trial.job.apply(change, pauses=AT_ONCE)
        assert outcome is (Outcome.DRIFTED if tagged else Outcome.FIXED)
        assert trial.job.read() == (other if tagged else trial.fixed)


@every_example
def test_what_takes_longer_than_anybody_waits_is_pending_and_stands_in_the_end(case: Case) -> None:
    cloud = Cloud()
    trial = Trial(case, cloud)
    cloud.arm.operations.seconds = 300
    job = Job(case.fix, cloud.client(patience=20), trial.job.target, case.options)
    outcome = job.apply(job.plan(), pauses=AT_ONCE)
    assert outcome is (Outcome.PENDING if case.fix.asynchronous else Outcome.FIXED)
    assert sum(cloud.clock.slept) < 25
    cloud.clock.sleep(300)
    assert job.read() == trial.fixed


@every_fix
def test_a_setting_that_somebody_deleted_is_missing(fix: Any) -> None:
    cloud = Cloud()
    target = Trial(Case(fix, fix.examples[0])).job.target
    with pytest.raises(ArmError) as refused:
        Job(fix, cloud.client(), target, Case(fix, fix.examples[0]).options).plan()
    assert refused.value.status == 404
