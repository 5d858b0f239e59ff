"""Use one deployment on Azure for all that it is there for, then ask it anything: no right is unused or missing."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from remediator.catalogue import registry
from remediator.catalogue.azure.roles import READ_TAGS
from remediator.local.azure.cloud import EmbeddedAzure
from tests.fuzz.azure_place import AzurePlace
from tests.fuzz.judging import ask_anything
from tests.permissions.azure_run import AzureRun, azure_rights, first_azure_uses, principals
from tests.permissions.page import PAGE, section, shape
from tests.permissions.reasons import UNUSED_ON_AZURE, reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from remediator.local.azure.calls import Call
    from tests.permissions.granted import Right

pytestmark = pytest.mark.xdist_group("embedded azure")

DEEP = pytest.mark.deep


@dataclass(frozen=True)
class Seen:
    """What a whole run showed."""

    rights: list[Right]
    uses: Mapping[Right, str]
    names: Mapping[str, str]
    calls: tuple[Call, ...]
    run: AzureRun

    @property
    def ours(self) -> list[Call]:
        return [call for call in self.calls if call.principal in self.names]


@pytest.fixture(scope="module")
def seen() -> Iterator[Seen]:
    with EmbeddedAzure() as azure:
        azure.clock.shift(-time.time() % 86_400 + 43_200)  # noon: what expired goes once a day, at its turn
        before = frozenset(one.name for one in azure.rbac.assignments())
        azure.deploy()
        run = AzureRun(azure)
        used = run.used()
        rights, names = azure_rights(azure, before), principals(azure)
        yield Seen(rights, first_azure_uses(rights, used, names), names, azure.calls.since(), run)


def test_every_right_is_used_or_has_its_reason(seen: Seen) -> None:
    unused = [right for right in seen.rights if right not in seen.uses]
    assert not [right for right in unused if reason(right, UNUSED_ON_AZURE) is None]
    for pattern, why in UNUSED_ON_AZURE.items():
        assert [right for right in unused if reason(right, {pattern: why})], f"nothing is left of {pattern}"
    assert not [right for right in seen.uses if reason(right, UNUSED_ON_AZURE)], "it is used after all"


def test_whatever_a_principal_of_ours_did_one_of_its_roles_allows(seen: Seen) -> None:
    done = {(seen.names[call.principal], pair) for call in seen.ours if call.allowed for pair in call.checked}
    assert len(done) > 40
    assert not [one for one in done if not any(right.role == one[0] and right.covers(*one[1]) for right in seen.rights)]


def test_nothing_is_refused_but_what_is_asked_for_at_the_subscription(seen: Seen) -> None:
    refused = {action for call in seen.ours if not call.allowed for action, _ in call.checked}
    assert refused == {action for _, _, action in UNUSED_ON_AZURE if "/locations/" in action}


def test_the_app_registration_may_what_the_fixes_declare(seen: Seen) -> None:
    fixes = registry.all_fixes("azure")
    grants = [grant for fix in fixes for grant in (*fix.reads, *fix.writes)]
    declared = {action for grant in (*grants, *READ_TAGS) for action in grant.actions}
    assert {right.action for right in seen.rights if right.role == "Remediator"} == declared


def test_the_page_says_what_was_seen(seen: Seen) -> None:
    told = section("Azure", seen.rights, seen.uses, UNUSED_ON_AZURE)
    assert shape(told) in shape(PAGE.read_text(encoding="utf-8")), "run `make generate`"


@pytest.mark.parametrize("examples", [pytest.param(60, id="seconds"), pytest.param(2_500, marks=DEEP, id="minutes")])
def test_whatever_is_asked_is_answered_as_the_document_says_and_nothing_else_is_done(seen: Seen, examples: int) -> None:
    run = seen.run
    run.break_again()
    deployment = run.azure.outputs["Deployment"]
    counted = ask_anything(AzurePlace(run), run.client(), run.findings, deployment, examples=examples)
    assert counted["200"]
    assert {name[:3] for name in counted} >= ({"400", "403"} if examples < 100 else {"400", "401", "403", "404", "405"})
