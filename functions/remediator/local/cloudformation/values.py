"""Read templates: JSON or YAML, with the short forms of the intrinsic functions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import yaml  # type: ignore[import-untyped] # comes with moto; its stubs aren't among our tools

Value = Any
Properties = Mapping[str, Any]


class _NoValue:
    """Stand for `AWS::NoValue`: the property that holds it isn't there."""

    def __repr__(self) -> str:
        return "AWS::NoValue"


NO_VALUE: Final = _NoValue()


class Invalid(Exception):  # noqa: N818 - errors are named for what is the case
    """Say what is wrong with a template or its parameters: CloudFormation's ValidationError."""


class _Loader(yaml.CSafeLoader):  # type: ignore[misc] # untyped package
    """Read YAML as CloudFormation does: dates stay text, `!X` is `Fn::X`."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def _short_form(loader: Any, suffix: str, node: Any) -> dict[str, Value]:  # noqa: ANN401 - untyped package
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)


def parse(text: str) -> dict[str, Value]:
    """Return a template's document; raises `Invalid`."""
    try:
        document = json.loads(text)
    except ValueError:
        try:
            document = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader's subclass
        except yaml.YAMLError as error:
            raise Invalid(f"Template format error: {error}") from error
    if not isinstance(document, dict) or not document.get("Resources"):
        raise Invalid("Template format error: At least one Resources member must be defined.")
    return document
