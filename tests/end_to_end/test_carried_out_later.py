"""What AWS accepts and carries out later, through the deployed functions: pending, under way, refreshed, taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from remediator.catalogue import registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediator.vendor import Finding
    from remediator.vendor.answers import Answer
    from tests.end_to_end.world import World

pytestmark = pytest.mark.xdist_group("embedded account")

AN_HOUR = 3600


def fix_of(finding: Finding) -> str:
    return finding.fix or registry.answering(str(finding.finding))[0].id


@pytest.fixture
def slow(world: World) -> Iterator[World]:
    """An account that takes an hour for what it carries out later."""
    world.break_again()
    world.account.faults.settling(AN_HOUR)
    yield world
    world.account.faults.clear()


def outcomes(answer: Answer) -> set[str]:
    return {result.outcome.value for result in answer.results}


def reasons(answer: Answer) -> set[str | None]:
    return {result.reason.code if result.reason else None for result in answer.results}


def test_a_change_is_pending_until_it_has_come_about_and_can_be_taken_back_then(slow: World) -> None:
    asked = [one for one in slow.findings() if registry.load(fix_of(one)).asynchronous]
    assert {fix_of(one) for one in asked} == {fix.id for fix in registry.all_fixes("aws") if fix.asynchronous}
    vendor, operator = slow.vendor(), slow.operator().client()
    applied = vendor.apply(asked)
    assert outcomes(applied) == {"pending"}
    assert outcomes(vendor.refresh(applied.id)) == {"pending"}
    for answer in (vendor.plan(asked), vendor.apply(asked), operator.roll_back(applied.id)):
        assert (outcomes(answer), reasons(answer)) == ({"failed"}, {"underway"})
        assert not [call for result in answer.results for call in result.calls if "Modify" in call]
    slow.account.faults.settling(0)
    assert outcomes(vendor.refresh(applied.id)) == {"fixed"}
    assert outcomes(vendor.apply(asked)) == {"already_compliant"}
    assert outcomes(operator.roll_back(applied.id)) == {"rolled_back"}
