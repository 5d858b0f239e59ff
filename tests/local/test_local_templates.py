"""Templates: parameters, conditions, rules and functions, as CloudFormation documents them."""

from __future__ import annotations

from typing import Any

import pytest

from remediator.local.cloudformation.parameters import merge, values_of
from remediator.local.cloudformation.template import Place, Template
from remediator.local.cloudformation.values import Invalid, parse

PLACE = Place("111122223333", "eu-west-1", "aws", "arn:aws:cloudformation:eu-west-1:111122223333:stack/s/id", "s")
TOPIC = {"Type": "AWS::SNS::Topic"}


class Existing:
    def physical_id(self, logical_id: str) -> str:
        return f"physical-{logical_id}"

    def attribute(self, logical_id: str, name: str) -> str:
        return f"{name}-of-{logical_id}"


def template(resources: dict[str, Any], parameters: dict[str, Any] | None = None, **sections: Any) -> Template:
    return Template({"Resources": resources, **sections}, PLACE, parameters or {})


def resolved(value: Any, parameters: dict[str, Any] | None = None, **sections: Any) -> Any:
    resources = {"R": {"Type": "T", "Properties": {"P": value}}, "Other": TOPIC}
    return template(resources, parameters, **sections).properties("R", Existing()).get("P", "nothing")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Other"}, "physical-Other"),
        ({"Ref": "AWS::Region"}, "eu-west-1"),
        ({"Ref": "AWS::NoValue"}, "nothing"),
        ({"Fn::GetAtt": ["Other", "Arn"]}, "Arn-of-Other"),
        ({"Fn::GetAtt": "Other.Arn"}, "Arn-of-Other"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Other"}, 3]]}, "a-physical-Other-3"),
        ({"Fn::Join": ["", {"Ref": "List"}]}, "xy"),
        ({"Fn::Sub": "${Other}/${Other.Arn}/${!Literal}/${AWS::AccountId}"}, None),
        ({"Fn::Sub": ["${A}${Other}", {"A": {"Ref": "AWS::Partition"}}]}, "awsphysical-Other"),
        ({"Fn::Select": [1, ["a", "b"]]}, "b"),
        ({"Fn::Select": ["0", {"Fn::Split": ["/", "a/b"]}]}, "a"),
        ({"Fn::FindInMap": ["M", {"Ref": "AWS::Region"}, "k"]}, "mapped"),
        ({"Fn::Base64": "hi"}, "aGk="),
        ({"Fn::ToJsonString": {"a": {"Ref": "Other"}}}, '{"a": "physical-Other"}'),
        ({"Fn::If": ["Yes", "then", "else"]}, "then"),
        ({"Fn::If": ["No", "then", {"Ref": "AWS::NoValue"}]}, "nothing"),
        (["a", {"Ref": "AWS::NoValue"}, "b"], ["a", "b"]),
        ({"x": {"Ref": "AWS::NoValue"}, "y": 1}, {"y": 1}),
    ],
)
def test_functions_give_what_is_documented(value: Any, expected: Any) -> None:
    sections = {
        "Mappings": {"M": {"eu-west-1": {"k": "mapped"}}},
        "Conditions": {"Yes": {"Fn::Equals": ["a", "a"]}, "No": {"Fn::Not": [{"Condition": "Yes"}]}},
    }
    if expected is None:
        expected = "physical-Other/Arn-of-Other/${Literal}/111122223333"
    assert resolved(value, {"List": ["x", "y"]}, **sections) == expected


@pytest.mark.parametrize(
    "value",
    [
        {"Ref": "Nobody"},
        {"Fn::GetAtt": ["Nobody", "Arn"]},
        {"Fn::Sub": "${Nobody}"},
        {"Fn::ImportValue": "x"},
        {"Fn::Cidr": ["10.0.0.0/8", 2]},
        {"Fn::If": ["Unknown", 1, 2]},
    ],
)
def test_what_cant_be_resolved_is_refused_and_never_left_as_it_is(value: Any) -> None:
    with pytest.raises(Invalid):
        resolved(value)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"Fn::And": [{"Fn::Equals": ["a", "a"]}, {"Fn::Equals": ["a", "b"]}]}, False),
        ({"Fn::Or": [{"Fn::Equals": ["a", "a"]}, {"Fn::Equals": ["a", "b"]}]}, True),
        ({"Fn::Not": [{"Fn::Equals": [{"Ref": "P"}, "given"]}]}, False),
    ],
)
def test_a_resource_exists_only_if_its_condition_holds(condition: Any, holds: bool) -> None:  # noqa: FBT001
    read = template({"R": {**TOPIC, "Condition": "C"}, "S": TOPIC}, {"P": "given"}, Conditions={"C": condition})
    assert ("R" in read.wanted) is holds


def test_a_resource_comes_after_all_that_it_refers_to() -> None:
    resources = {
        "A": {"Type": "T", "Properties": {"x": {"Fn::Sub": "${B.Arn}"}}, "DependsOn": "D"},
        "B": {"Type": "T", "Properties": {"x": {"Fn::Join": ["", [{"Ref": "C"}]]}}},
        "C": TOPIC,
        "D": {"Type": "T", "DependsOn": ["C"]},
    }
    order = template(resources).order()
    assert order.index("C") < order.index("B") < order.index("A")
    assert order.index("C") < order.index("D") < order.index("A")


def test_a_circle_is_refused() -> None:
    resources = {"A": {"Type": "T", "DependsOn": "B"}, "B": {"Type": "T", "DependsOn": "A"}}
    with pytest.raises(Invalid, match="Circular"):
        template(resources).order()


def test_outputs_have_value_description_and_export_and_obey_conditions() -> None:
    outputs = {
        "One": {"Value": {"Ref": "R"}, "Description": "d", "Export": {"Name": {"Fn::Sub": "${AWS::StackName}-one"}}},
        "Two": {"Value": "x", "Condition": "Never"},
    }
    read = template({"R": TOPIC}, Outputs=outputs, Conditions={"Never": {"Fn::Equals": [1, 2]}})
    (one,) = read.outputs(Existing())
    assert (one.key, one.value, one.description, one.export) == ("One", "physical-R", "d", "s-one")


def test_a_rule_that_fails_refuses_the_template() -> None:
    check = {"Fn::Not": [{"Fn::Contains": [["1", "2"], {"Ref": "Version"}]}]}
    rules = {"CheckVersion": {"Assertions": [{"Assert": check, "AssertDescription": "bootstrap again"}]}}
    template({"R": TOPIC}, {"Version": "33"}, Rules=rules)
    with pytest.raises(Invalid, match="bootstrap again"):
        template({"R": TOPIC}, {"Version": "2"}, Rules=rules)


@pytest.mark.parametrize(
    "document",
    [
        {"Resources": {"R": TOPIC}, "Transform": "AWS::Serverless-2016-10-31"},
        {"Resources": {"R": {**TOPIC, "UpdatePolicy": {}}}},
        {"Resources": {"R": {**TOPIC, "Condition": "Unknown"}}},
    ],
)
def test_what_the_embedded_account_would_ignore_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        Template(document, PLACE, {})


def test_yaml_is_read_with_short_forms_and_dates_as_text() -> None:
    read = parse(
        """
        Resources:
          R:
            Type: AWS::IAM::Policy
            Condition: C
            Properties:
              Version: 2012-10-17
              A: !Ref X
              B: !GetAtt X.Arn
              C: !Sub "${X}"
              D: !If [C, !Ref X, !Ref AWS::NoValue]
        Conditions:
          C: !Not [!Condition Other]
        """
    )
    properties = read["Resources"]["R"]["Properties"]
    assert properties["Version"] == "2012-10-17"
    assert properties["A"] == {"Ref": "X"}
    assert properties["B"] == {"Fn::GetAtt": ["X", "Arn"]}
    assert properties["C"] == {"Fn::Sub": "${X}"}
    assert properties["D"] == {"Fn::If": ["C", {"Ref": "X"}, {"Ref": "AWS::NoValue"}]}
    assert read["Conditions"]["C"] == {"Fn::Not": [{"Condition": "Other"}]}


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"Resources": {}}', "a: [", "Resources: !!python/object:os.system {}"]
)
def test_what_isnt_a_template_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        parse(text)


def read_ssm(name: str) -> str:
    return {"/v": "33", "/l": "a,b"}[name]


def test_parameters_take_given_values_then_defaults_and_lists_are_split() -> None:
    declared: dict[str, dict[str, Any]] = {
        "A": {"Type": "String", "Default": "a"},
        "B": {"Type": "Number", "Default": 3},
        "C": {"Type": "CommaDelimitedList", "Default": "x, y"},
        "D": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/v"},
        "E": {"Type": "AWS::SSM::Parameter::Value<List<String>>", "Default": "/l"},
    }
    values = values_of(declared, {"A": "given"}, read_ssm)
    assert values == {"A": "given", "B": "3", "C": ["x", "y"], "D": "33", "E": ["a", "b"]}


@pytest.mark.parametrize(
    ("about", "given"),
    [
        ({}, {}),
        ({}, {"P": "x", "Q": "unknown"}),
        ({"AllowedValues": ["a", "b"]}, {"P": "c"}),
        ({"AllowedPattern": "[a-z]+"}, {"P": "A"}),
        ({"MinLength": 2}, {"P": "x"}),
        ({"MaxLength": "2"}, {"P": "xxx"}),
    ],
)
def test_parameters_that_dont_fit_are_refused(about: dict[str, Any], given: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        values_of({"P": {"Type": "String", **about}}, given, read_ssm)


def test_previous_values_are_kept_where_the_request_asks_for_them() -> None:
    given: list[dict[str, Any]] = [
        {"ParameterKey": "A", "UsePreviousValue": True},
        {"ParameterKey": "B", "ParameterValue": "new"},
        {"ParameterKey": "C", "UsePreviousValue": True},
    ]
    assert merge(given, {"A": "old", "B": "old"}) == {"A": "old", "B": "new"}
