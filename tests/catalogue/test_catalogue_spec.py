from __future__ import annotations

import fastjsonschema
import pytest

from remediator.catalogue.spec import Grant, Target, allow, allow_on_all, ids
from tests.catalogue.toys import NoDemands, SmashLamp, TurnUp


def test_a_title_is_the_first_line_and_the_consequence_is_the_rest() -> None:
    assert TurnUp.title() == "Turn up a lamp."
    assert TurnUp.consequence() == "It gets brighter."


def test_parameters_become_a_closed_schema_with_their_defaults() -> None:
    schema = TurnUp.parameter_schema()
    assert schema["properties"]["least"] == {
        "description": "The least brightness.",
        "type": "integer",
        "minimum": 1,
        "maximum": 9,
        "default": 5,
    }
    accept = fastjsonschema.compile(schema)
    assert accept({}) == {"least": 5, "colours": [], "room": "hall"}
    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        accept({"volume": 1})


def test_a_parameter_without_a_default_must_be_given() -> None:
    assert SmashLamp.parameter_schema()["required"] == ["name"]


def test_a_fix_without_parameters_takes_none() -> None:
    accept = fastjsonschema.compile(NoDemands.parameter_schema())
    assert NoDemands.parameters(**accept({})) == NoDemands.parameters()
    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        accept({"least": 1})


def test_grants_are_on_the_target_unless_said_otherwise() -> None:
    assert allow("a:B", "a:C") == (Grant(("a:B", "a:C"), on_target=True),)
    assert allow_on_all("a:B") == (Grant(("a:B",), on_target=False),)


def test_plain_findings_imply_nothing() -> None:
    assert ids("one", "two") == {"one": {}, "two": {}}


def test_a_target_gives_the_parts_of_its_name() -> None:
    target = Target("id", "aws", "123456789012", None, {"bucket": "b"})
    assert target["bucket"] == "b"
    assert target == Target("id", "aws", "123456789012", None, {})
