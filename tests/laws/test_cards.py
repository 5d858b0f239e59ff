"""Hold every fix's card to the cloud's own lists, and to the form that all cards have. No fix is named here."""

from __future__ import annotations

import inspect
import json
import re
from dataclasses import fields
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.session
import fastjsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remediator.catalogue import policies, registry
from remediator.catalogue.pages import SCANNERS
from remediator.catalogue.spec import Fix, Grant, Home, OneWay
from tests.laws.trials import HOME

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FIXES = registry.all_fixes("aws")
LISTS = Path(__file__).parents[2] / "node_modules" / "@cloud-copilot" / "iam-data" / "data"
"""AWS's service authorization reference, as data; package-lock.json pins it."""

every_fix = pytest.mark.parametrize("fix", FIXES, ids=[fix.id for fix in FIXES])


@cache
def listed(kind: str, service: str) -> Mapping[str, Any]:
    """Return AWS's list of a service's `actions` or `resourceTypes`, by lower-case name."""
    found: Mapping[str, Any] = json.loads((LISTS / kind / f"{service}.json").read_bytes())
    return found


def grants(fix: Any) -> Iterator[tuple[Grant, str]]:
    return ((grant, action) for grant in (*fix.reads, *fix.writes) for action in grant.actions)


def action_of(name: str) -> Mapping[str, Any]:
    service, _, action = name.partition(":")
    found: Mapping[str, Any] = listed("actions", service)[action.lower()]
    return found


def arns_of(action: str) -> list[str]:
    """Return the forms of the ARNs that AWS can narrow an action to, as patterns."""
    service = action.partition(":")[0]
    types = [listed("resourceTypes", service)[one["name"].lower()] for one in action_of(action)["resourceTypes"]]
    return [re.sub(r"\$\{[A-Za-z]+\}", "*", one["arn"]) for one in types]


@every_fix
def test_8_its_actions_are_on_awss_own_list(fix: Any) -> None:
    for _, action in grants(fix):
        assert action_of(action)["name"] == action.partition(":")[2]


@every_fix
def test_8_what_can_be_narrowed_to_the_target_is(fix: Any) -> None:
    for grant, action in grants(fix):
        at_home = fix.target.patterns(HOME)
        narrow = any(fnmatchcase(name, arn) for name in at_home for arn in arns_of(action))
        assert grant.on_target is narrow, action


@every_fix
def test_8_none_of_its_actions_shows_the_gate(fix: Any) -> None:
    assert not [action for _, action in grants(fix) if policies.is_forbidden(action)]


@every_fix
def test_8_its_operations_are_the_sdks(fix: Any) -> None:
    model = botocore.session.get_session().get_service_model(fix.service)
    wanted = policies.operations(fix)
    assert wanted <= {f"{fix.service}:{operation}" for operation in model.operation_names}


@every_fix
def test_8_reading_is_not_writing(fix: Any) -> None:
    for grant in fix.reads:
        assert {action_of(action)["accessLevel"] for action in grant.actions} <= {"Read", "List"}
    for grant in fix.writes:
        assert not {action_of(action)["accessLevel"] for action in grant.actions} & {"Read", "List"}


@every_fix
def test_8_its_policy_fits_for_a_full_chunk(fix: Any) -> None:
    arn = st.from_regex(re.compile(fix.target.form, re.ASCII), fullmatch=True)

    @settings(max_examples=10, deadline=None)
    @given(st.lists(arn, min_size=1, max_size=50))
    def fits(arns: list[str]) -> None:
        region = {"region": "eu-west-1"} if "region" in fix.target.schema()["required"] else {}
        item = {fix.target.item.name: fix.target.example[fix.target.item.name]} if fix.target.item else {}
        targets = [fix.target.parse({"arn": arn, **region, **item}, HOME) for arn in arns]
        for chunk in policies.chunks(fix, targets, deadline=1_900_000_000, write=True):
            policy = policies.session_policy(fix, chunk, deadline=1_900_000_000, write=True)
            assert len(policies.compact(policy)) <= policies.SESSION_LIMIT

    fits()


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
            assert registry.answering(f"{scanner}:{finding}") == (fix, implied)
            accept(dict(implied))


@every_fix
def test_its_examples_are_played_on_targets_of_its_kind(fix: Any) -> None:
    accept = fastjsonschema.compile(fix.target.schema())
    for example in fix.examples:
        target = dict(example.target or fix.target.example)
        assert fix.target.parse(accept(target), Home("aws", "123456789012")).account == "123456789012"
