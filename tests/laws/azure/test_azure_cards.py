"""Hold every Azure fix's card to the cloud's own list, and to the form that all cards have. No fix is named here."""

from __future__ import annotations

import inspect
import json
import re
from dataclasses import fields
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastjsonschema
import pytest

from remediator.catalogue import registry
from remediator.catalogue.azure.resources import VERSIONS
from remediator.catalogue.pages import SCANNERS
from remediator.catalogue.spec import Fix, Grant, Home, OneWay
from tests.laws.azure.azure_trials import HOME

if TYPE_CHECKING:
    from collections.abc import Iterator

FIXES = registry.all_fixes("azure")
LISTED = json.loads((Path(__file__).parent / "operations.json").read_text(encoding="utf-8"))["operations"]

every_fix = pytest.mark.parametrize("fix", FIXES, ids=[fix.id for fix in FIXES])


def grants(fix: Any) -> Iterator[tuple[Grant, str]]:
    return ((grant, action) for grant in (*fix.reads, *fix.writes) for action in grant.actions)


@every_fix
def test_8_its_actions_are_on_azures_own_list(fix: Any) -> None:
    for _, action in grants(fix):
        assert [one for one in LISTED if fnmatchcase(one.lower(), action.lower())], action


@every_fix
def test_8_a_wildcard_stands_for_nothing_but_the_progress_of_writes(fix: Any) -> None:
    assert not [
        one for _, one in grants(fix) if "*" in one and not re.fullmatch(r"Microsoft\.\w+/locations/\*/read", one)
    ]


@every_fix
def test_8_what_is_granted_on_the_target_is_of_its_type_and_nothing_else_is(fix: Any) -> None:
    for grant, action in grants(fix):
        assert action.startswith(f"{fix.target.type}/") is grant.on_target, action


@every_fix
def test_8_reading_is_not_writing(fix: Any) -> None:
    assert {action.rpartition("/")[2] for grant in fix.reads for action in grant.actions} == {"read"}
    written = [action for grant in fix.writes if grant.on_target for action in grant.actions]
    assert written
    assert {action.rpartition("/")[2] for action in written} == {"write"}


@every_fix
def test_8_it_neither_deletes_nor_grants_nor_reads_secrets(fix: Any) -> None:
    for _, action in grants(fix):
        assert not action.startswith("Microsoft.Authorization/")
        assert not re.search(r"/(delete|list\w*/action|regenerate\w*/action)$", action)


@every_fix
def test_8_its_id_is_its_path(fix: Any) -> None:
    path = Path(inspect.getfile(type(fix)))
    catalogue = Path(inspect.getfile(Fix)).parent
    assert ".".join(path.relative_to(catalogue).with_suffix("").parts).replace("_", "-") == fix.id
    assert registry.load(fix.id) is fix


@every_fix
def test_8_it_says_what_it_does_and_what_that_means(fix: Any) -> None:
    assert type(fix).__doc__
    assert re.fullmatch(r"[A-Z][^\n]{10,90}\.", fix.title())
    assert len(fix.consequence()) > 80


@every_fix
def test_8_one_way_fixes_say_why(fix: Any) -> None:
    assert not isinstance(fix, OneWay) or len(fix.why) > 20


@every_fix
def test_its_service_is_its_targets_provider_and_has_one_version(fix: Any) -> None:
    assert fix.service == fix.target.provider
    assert fix.target.api == VERSIONS[fix.service]


@every_fix
def test_its_parameters_are_described_and_their_defaults_are_valid(fix: Any) -> None:
    schema = fix.parameter_schema()
    assert all(len(one["description"]) > 5 and "type" in one for one in schema["properties"].values())
    accept = fastjsonschema.compile(schema)
    for example in fix.examples:
        given_and_default = accept(dict(example.parameters))
        assert set(given_and_default) == {one.name for one in fields(fix.parameters)}
        fix.parameters(**given_and_default)


@every_fix
def test_the_findings_it_answers_find_it(fix: Any) -> None:
    accept = fastjsonschema.compile(fix.parameter_schema())
    for scanner, findings in fix.answers.items():
        assert scanner in SCANNERS
        assert findings
        for finding, implied in findings.items():
            assert registry.answering(f"{scanner}:{finding}", "azure") == (fix, implied)
            accept(dict(implied))


@every_fix
def test_its_examples_are_played_on_targets_of_its_kind(fix: Any) -> None:
    accept = fastjsonschema.compile(fix.target.schema())
    for example in fix.examples:
        target = dict(example.target or fix.target.example)
        assert fix.target.parse(accept(target), Home("azure", "elsewhere")).account == HOME.account


def test_every_shape_that_was_asked_for_is_there() -> None:
    assert len(FIXES) == 12
    assert {fix.service for fix in FIXES} == set(VERSIONS)
