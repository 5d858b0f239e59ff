"""Use one deployment on AWS for all that it is there for, then ask it anything: no right is unused or missing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from live.aws.bucket import Bucket
from live.aws.workshop import Account, AwsWorkshop
from live.story import Stage, play
from remediator.catalogue import registry
from remediator.catalogue.policies import READ_TAGS
from tests.fuzz.aws_place import AwsPlace
from tests.fuzz.judging import ask_anything
from tests.permissions.granted import Right, every_role, rights
from tests.permissions.page import PAGE, section, shape
from tests.permissions.reasons import UNUSED_ON_AWS, reason
from tests.permissions.run import WholeRun, first_uses

if TYPE_CHECKING:
    from remediator.local.calls import Call
    from tests.end_to_end.world import World

pytestmark = pytest.mark.xdist_group("embedded account")

DEEP = pytest.mark.deep


@pytest.fixture(scope="module")
def allowed(world: World) -> list[Right]:
    return rights(world)


@pytest.fixture(scope="module")
def run(world: World) -> WholeRun:
    return WholeRun(world)


@pytest.fixture(scope="module")
def used(run: WholeRun) -> dict[str, tuple[Call, ...]]:
    return run.used()


def test_every_right_is_used_or_has_its_reason(allowed: list[Right], used: dict[str, tuple[Call, ...]]) -> None:
    uses = first_uses(allowed, used)
    unused = [right for right in allowed if right not in uses]
    assert not [right for right in unused if reason(right, UNUSED_ON_AWS) is None]
    for pattern, why in UNUSED_ON_AWS.items():
        assert [right for right in unused if reason(right, {pattern: why})], f"nothing is left of {pattern}"
    assert not [right for right in uses if reason(right, UNUSED_ON_AWS)], "it is used after all"


def test_whatever_a_role_of_ours_did_one_of_its_rights_allows(
    world: World, allowed: list[Right], used: dict[str, tuple[Call, ...]]
) -> None:
    """What AWS's own SecurityAudit allows besides is for the vendor's audit: nothing of ours leans on it."""
    ours = every_role(world)
    calls = [call for calls in used.values() for call in calls if call.role in ours]
    done = {(call.role, pair) for call in calls for pair in call.checked}
    assert len(done) > 50
    assert not [one for one in done if not any(right.role == one[0] and right.covers(*one[1]) for right in allowed)]


def test_nothing_that_the_whole_run_asks_for_is_refused(
    world: World, run: WholeRun, used: dict[str, tuple[Call, ...]]
) -> None:
    ours = every_role(world)
    assert used
    assert not [call for call in run.refused if call.role in ours]


def test_the_write_role_is_allowed_what_the_fixes_declare_and_uses_it(
    allowed: list[Right], used: dict[str, tuple[Call, ...]]
) -> None:
    declared = {
        action
        for fix in registry.all_fixes("aws")
        for grant in (*fix.reads, *fix.writes, *READ_TAGS)
        for action in grant.actions
    }
    assert {right.action for right in allowed if right.role == "remediator-write"} == declared
    done = {right.action for right in first_uses(allowed, used) if right.role == "remediator-write"}
    by_laws = {action for role, _, action in UNUSED_ON_AWS if role == "remediator-write"}
    assert done | by_laws == declared


def test_the_page_says_what_was_seen(allowed: list[Right], used: dict[str, tuple[Call, ...]]) -> None:
    told = section("AWS", allowed, first_uses(allowed, used), UNUSED_ON_AWS)
    assert shape(told) in shape(PAGE.read_text(encoding="utf-8")), "run `make generate`"


@pytest.mark.parametrize("examples", [pytest.param(60, id="seconds"), pytest.param(2_500, marks=DEEP, id="minutes")])
def test_whatever_is_asked_is_answered_as_the_document_says_and_nothing_else_is_done(
    world: World, examples: int
) -> None:
    world.break_again()
    counted = ask_anything(AwsPlace(world), world.vendor(), world.findings(), deployment_of(world), examples=examples)
    assert counted["200"]
    assert {name[:3] for name in counted} >= ({"400", "403"} if examples < 100 else {"400", "401", "403", "404", "405"})


def test_the_story_for_real_accounts_is_told_here_too_and_wrong_where_it_is_frozen(world: World) -> None:
    account = Account.of(world.account.client)
    shop = AwsWorkshop(
        customer=account,
        vendor=account,
        run="story",
        now=time.time,
        pause=world.account.clock.shift,
        sdk_session=lambda _: world.admin,
    )
    stage = Stage(world.vendor(), world.operator().client(), Bucket(shop))
    world.rotate_next()
    assert all(line.right for line in play(shop, stage))
    world.order("freeze")
    try:
        lines = play(shop, stage)
    finally:
        world.order("unfreeze")
        world.rotate_next()
    wrong = {line.step for line in lines if not line.right}
    assert wrong >= {"the first plan that passes", "the gate", "apply", "roll back"}
    assert not list(shop.leftovers())


def deployment_of(world: World) -> str:
    return str(world.account.outputs["Deployment"])
