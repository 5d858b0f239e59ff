"""The OpenAPI document is valid, and says of every route, problem and answer what the code does."""

from __future__ import annotations

import re
from typing import Any

import fastjsonschema
import pytest
from openapi_spec_validator import validate

from remediator.catalogue.engine import Outcome
from remediator.catalogue.registry import all_fixes
from remediator.service.endpoint import _ROUTES, Endpoint
from remediator.service.problems import Problem
from remediator.service.records import Mode, State
from remediator.service.requests import openapi
from tests.service.site import KEY, OPERATOR, STRANGER, Site, asking, lamp

DOCUMENT = openapi()
SCHEMAS = DOCUMENT["components"]["schemas"]


def conforms(name: str, body: Any) -> None:
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    fastjsonschema.compile(schema)(body)


def test_the_document_is_valid_openapi() -> None:
    validate(DOCUMENT)


def test_every_route_is_described_and_every_description_is_a_route() -> None:
    described = {
        (method.upper(), re.sub(r"\{[a-z]+\}", "{}", path), operation["operationId"])
        for path, operations in DOCUMENT["paths"].items()
        for method, operation in operations.items()
        if method != "parameters"
    }
    routed = {
        (method, re.sub(r"\(\?P<[a-z]+>[^)]*\)", "{}", pattern.pattern), name) for method, pattern, name in _ROUTES
    }
    assert described == routed
    assert all(hasattr(Endpoint, f"_{name}") for _, _, name in _ROUTES)


def test_every_post_needs_all_the_headers_of_the_second_lock() -> None:
    wanted = {"Idempotency-Key", "Remediation-Code", "Remediation-Opening", "Content-Digest", "Signature-Input",
              "Signature"}  # fmt: skip
    parameters = DOCUMENT["components"]["parameters"]
    for operations in DOCUMENT["paths"].values():
        if "post" in operations:
            named = {parameters[one["$ref"].rpartition("/")[2]]["name"] for one in operations["post"]["parameters"]}
            assert named == wanted


def test_problems_modes_states_and_outcomes_are_the_code_s() -> None:
    assert SCHEMAS["Problem"]["properties"]["type"]["enum"] == [problem.type for problem in Problem]
    assert set(SCHEMAS["Remediation"]["properties"]["mode"]["enum"]) == set(Mode)
    assert set(SCHEMAS["Remediation"]["properties"]["state"]["enum"]) == set(State)
    assert set(SCHEMAS["Result"]["properties"]["outcome"]["enum"]) == set(Outcome)


def test_answers_are_what_the_document_says(site: Site) -> None:
    conforms("Remediation", site.post(asking("desk", "hall", reference="case-7")).body)
    conforms("Remediation", site.post({}, path=f"/v1/remediations/{KEY}/rollback", key="the-way-back-0001",
                                      principal=OPERATOR).body)  # fmt: skip
    conforms("Result", site.get(f"/v1/remediations/{KEY}/findings/0").body)
    conforms("Health", site.get("/v1/health").body)
    for card in site.get("/v1/fixes").body["fixes"]:
        conforms("Fix", card)


@pytest.mark.parametrize("principal", [OPERATOR, STRANGER])
def test_refusals_are_what_the_document_says(site: Site, principal: Any) -> None:
    conforms("Problem", site.post(asking("desk"), principal=principal).body)
    conforms("Problem", site.post(b"{").body)
    foreign = {"fix": "aws.lamp.switch-on", "target": lamp("x", account="999900001111")}
    conforms("Problem", site.post({"mode": "apply", "findings": [foreign]}).body)


@pytest.mark.parametrize("fix", all_fixes(), ids=lambda fix: fix.id)
def test_every_fix_s_target_passes_the_document_s_own_schema(fix: Any) -> None:
    conforms("Target", dict(fix.target.example))
