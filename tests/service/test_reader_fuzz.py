"""Throw anything at what reads bodies and policies, beside another implementation of JSON Schema."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import schemathesis
from hypothesis import strategies as st
from schemathesis import GenerationMode

from remediator.catalogue import registry
from remediator.catalogue.spec import Home
from remediator.service.policy_document import LONGEST, blank, read, schema
from remediator.service.problems import Problem, Refused
from remediator.service.requests import openapi, read_body, read_remediation, read_selection
from tests.thoroughly import thoroughly

if TYPE_CHECKING:
    from collections.abc import Callable

DOCUMENT = openapi()
REFUSED = object()
HOMES = (Home("aws", "111122223333"), Home("azure", "3f0c9a54-8d21-4f5a-b7e6-91c2d4e8a633"))
FIXES = [fix for cloud in ("aws", "azure") for fix in registry.all_fixes(cloud)]
PIECES = st.one_of(
    st.sampled_from(['"', "{", "}", "[", "]", ",", ":", "\\", "\\ud800", "null", "true", "1.0", "-1", "1e999", "NaN"]),
    st.sampled_from(["0" * 5000, "9" * 5000, "[" * 2000, "\0", "\n", '"version"', "1", "2"]),
    st.characters(),
)


def judge(name: str) -> Any:
    """Return another implementation's judgement, on a schema of the document."""
    return jsonschema.Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    )


REQUESTS, SELECTIONS = judge("RemediationRequest"), judge("Selection")


def bodies(path: str) -> st.SearchStrategy[Any]:
    """Return bodies that the document allows for an operation, and bodies that it doesn't."""
    operation = schemathesis.openapi.from_dict(openapi())[path]["POST"]
    return st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in GenerationMode)).map(
        lambda case: case.body
    )


def raw(body: Any) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body if _is_json(body) else None).encode()


def _is_json(body: Any) -> bool:
    return body is None or isinstance(body, (bool, int, float, str, list, dict))


def agrees(body: bytes, name: str, valid: Any) -> None:
    """The body is taken exactly if the other implementation takes it; refused, with the one problem there is."""
    taken = taken_or_refused(read_body, body, name)
    assert (taken is not REFUSED) == _taken_by(valid, body)
    assert taken is REFUSED or taken == json.loads(body)


def taken_or_refused(read_it: Callable[..., Any], *arguments: Any) -> Any:
    """Return what was read, or `REFUSED`; no other problem and no other error may come of it."""
    try:
        return read_it(*arguments)
    except Refused as refused:
        if refused.problem is not Problem.INVALID_REQUEST:
            raise
        return REFUSED


def _taken_by(validator: Any, body: bytes) -> bool:
    try:
        document = json.loads(body.decode(), object_pairs_hook=_distinct, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return False
    return bool(validator.is_valid(document))


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError(pairs)
    return dict(pairs)


def _no_constant(name: str) -> Any:
    raise ValueError(name)


@thoroughly(50, bodies("/v1/remediations"))
def test_a_remediation_is_taken_exactly_if_the_document_allows_it(body: Any) -> None:
    agrees(raw(body), "RemediationRequest", REQUESTS)


@thoroughly(50, bodies("/v1/remediations/{id}/refresh"))
def test_a_selection_is_taken_exactly_if_the_document_allows_it(body: Any) -> None:
    agrees(raw(body), "Selection", SELECTIONS)


@thoroughly(50, bodies("/v1/remediations"), st.data())
def test_a_body_with_any_text_in_it_edited_is_read_or_refused_and_nothing_else(body: Any, data: st.DataObject) -> None:
    text = raw(body).decode("utf-8", "replace")
    edited = _edited(text, data).encode("utf-8", "surrogatepass")
    for home in HOMES:
        asked = taken_or_refused(read_remediation, edited, home)
        assert asked is REFUSED or asked.findings
    chosen = taken_or_refused(read_selection, edited, "Selection")
    assert chosen is REFUSED or chosen is None or chosen <= set(range(500))


@thoroughly(100, st.sampled_from(FIXES), st.data())
def test_whatever_a_target_is_it_is_this_cloud_s_or_unfit(fix: Any, data: st.DataObject) -> None:
    """What is near to a real target finds more than what is made up: it gets further."""
    target = {name: _edited(value, data) for name, value in fix.target.example.items()}
    body = json.dumps({"mode": "plan", "findings": [{"fix": fix.id, "target": target}]}).encode()
    for home in HOMES:
        asked = taken_or_refused(read_remediation, body, home)
        if asked is REFUSED:
            continue
        (one,) = asked.findings
        assert one.raw_target == target
        json.dumps([one.target.id, one.target.region]).encode("utf-8")


@thoroughly(150, st.sampled_from(["aws", "azure"]), st.data())
def test_a_policy_with_any_text_in_it_edited_is_read_strictly_or_allows_nothing(
    cloud: str, data: st.DataObject
) -> None:
    text = _edited(json.dumps(blank(cloud) | {"exclude": ["arn:aws:s3:::a*"], "findings_per_day": 7}), data)
    policy = read(text, cloud)
    fix = registry.load("aws.s3.block-public-access" if cloud == "aws" else "azure.storage.require-https")
    if policy.fault is None:
        document = json.loads(text)
        assert jsonschema.Draft202012Validator(schema(cloud)).is_valid(document)
        assert policy.findings_per_day == document.get("findings_per_day")
        assert policy.exclude == tuple(document.get("exclude", ()))
        return
    home = HOMES[0] if cloud == "aws" else HOMES[1]
    target = fix.target.parse(dict(fix.target.example), home)
    for write in (True, False):
        objection = policy.objection(fix, target, write=write)
        assert objection is not None
        assert objection.code == "policy_broken"


@pytest.mark.parametrize(
    "text", ["", "[", "[]", "1", '"', "{}", '{"version": 2}', '{"version": true}', " " * (LONGEST + 1)]
)
def test_what_is_no_policy_allows_nothing(text: str) -> None:
    assert read(text, "aws").fault is not None


def _edited(text: str, data: st.DataObject) -> str:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 6)))
    return text[:start] + data.draw(PIECES) + text[end:]
