"""Compare what the fixes send with what the official SDK would send for the same: method, path, version, body."""

from __future__ import annotations

from collections.abc import Callable
from itertools import zip_longest
from typing import Any

import pytest

from remediator.catalogue import registry
from remediator.catalogue.spec import OneWay
from tests.catalogue.azure.official import INTENTS, Intent, Request, intent, taken
from tests.judged import SDK, note
from tests.laws.azure.azure_trials import Case, Trial
from tests.laws.azure.wire import FIXER

FIXES = registry.all_fixes("azure")
CASES = [Case(fix, example) for fix in FIXES for example in fix.examples]
NAMES = [f"{fix.id}-{number}" for fix in FIXES for number, _ in enumerate(fix.examples, start=1)]

every_example = pytest.mark.parametrize("case", CASES, ids=NAMES)

OUTBOUND = {
    "name": "no-mail",
    "properties": {
        "access": "Deny",
        "direction": "Outbound",
        "priority": 100,
        "protocol": "Tcp",
        "sourcePortRange": "*",
        "sourceAddressPrefix": "*",
        "destinationPortRanges": ["25", "465", "587"],
        "destinationAddressPrefix": "Internet",
    },
}


def staged(case: Case) -> Trial:
    """Return a trial; a resource that has rules of its own has one for what leaves as well."""
    trial = Trial(case)
    resource = trial.cloud.arm.resource(trial.job.target.id)
    if "securityRules" in resource.get("properties", {}):
        resource["properties"]["securityRules"].append(OUTBOUND)
        trial.cloud.arm.set(trial.job.target.id, resource)
    return trial


def sent(trial: Trial, mark: int) -> list[Request]:
    """Return what the fix sent since, but for looks at how far an operation is."""
    ours = [one for one in trial.cloud.arm.exchanges[mark:] if one.principal == FIXER]
    return [
        (one.method, one.path, one.query, one.body) for one in ours if one.operations[0][0].split("/")[1] != "locations"
    ]


def asked(trial: Trial, call: Any, wish: Intent) -> Request:
    kind: Any = trial.fix.target
    return taken(wish.client, kind.api, trial.job.target.account, call)


def wanted(trial: Trial) -> Intent:
    target = trial.job.target
    return intent(trial.fix.id, target, trial.cloud.arm.resource(target.id))


Comparison = Callable[[list[Request], list[Request]], None]


@pytest.fixture
def compare(record_property: Callable[[str, object], None]) -> Comparison:
    """Hold what was sent to what the SDK would send, and count it."""

    def compared(ours: list[Request], theirs: list[Request]) -> None:
        differences = sum(one != other for one, other in zip_longest(ours, theirs))
        note(record_property, SDK, what="requests of fixes", exchanges=len(ours), differences=differences)
        assert ours == theirs

    return compared


def test_the_sdk_is_asked_about_every_fix() -> None:
    assert set(INTENTS) == {fix.id for fix in FIXES}


@every_example
def test_a_look_is_what_the_sdk_would_send(case: Case, compare: Comparison) -> None:
    trial = staged(case)
    wish = wanted(trial)
    mark = len(trial.cloud.arm.exchanges)
    trial.job.read()
    compare(sent(trial, mark), [asked(trial, wish.read, wish)])


@every_example
def test_a_write_and_the_way_back_are_what_the_sdk_would_send(case: Case, compare: Comparison) -> None:
    trial = staged(case)
    change = trial.job.plan()
    ways = [change] if isinstance(case.fix, OneWay) else [change, change.reversed()]
    for way in ways:
        wish = wanted(trial)
        mark = len(trial.cloud.arm.exchanges)
        case.fix.write(trial.job.client, trial.job.target, way.before, way.after)
        *looks, write = sent(trial, mark)
        wished = [asked(trial, wish.read, wish)] * len(looks)
        compare([*looks, write], [*wished, asked(trial, wish.write(way.after), wish)])


@every_example
def test_the_comparison_notices_another_body(case: Case) -> None:
    trial = staged(case)
    wish = wanted(trial)
    assert asked(trial, wish.write(trial.fixed), wish) != asked(trial, wish.write(trial.broken), wish)
