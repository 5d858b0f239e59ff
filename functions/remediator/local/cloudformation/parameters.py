"""Give a template's parameters their values, as given, as before, or by default."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from remediator.local.cloudformation.values import Invalid, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


def values_of(
    declared: Mapping[str, Mapping[str, Any]],
    given: Mapping[str, str],
    read_ssm: Callable[[str], str],
) -> dict[str, Value]:
    """Return what `Ref` gives for each parameter; raises `Invalid`.

    `given` holds texts. Parameters of an SSM type name what is read with `read_ssm`; lists are split at commas.
    """
    unknown = sorted(given.keys() - declared.keys())
    if unknown:
        raise Invalid(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    missing = sorted(name for name, about in declared.items() if name not in given and "Default" not in about)
    if missing:
        raise Invalid(f"Parameters: [{', '.join(missing)}] must have values")
    texts = {name: str(given.get(name, about.get("Default", ""))) for name, about in declared.items()}
    for name, text in texts.items():
        _check(name, text, declared[name])
    return {name: _value(text, str(declared[name].get("Type", "String")), read_ssm) for name, text in texts.items()}


def merge(given: Sequence[Mapping[str, Any]], before: Mapping[str, str]) -> dict[str, str]:
    """Return the texts that a request gives, previous ones where it asks for them; raises `Invalid`."""
    merged: dict[str, str] = {}
    for parameter in given:
        name = str(parameter["ParameterKey"])
        if not parameter.get("UsePreviousValue"):
            merged[name] = str(parameter.get("ParameterValue", ""))
        elif name in before:
            merged[name] = before[name]
    return merged


def _check(name: str, text: str, about: Mapping[str, Any]) -> None:
    allowed = about.get("AllowedValues")
    if allowed is not None and text not in [str(value) for value in allowed]:
        raise Invalid(f"Parameter '{name}' must be one of AllowedValues")
    pattern = about.get("AllowedPattern")
    if pattern is not None and not re.fullmatch(pattern, text):
        reason = about.get("ConstraintDescription") or f"must match pattern {pattern}"
        raise Invalid(f"Parameter {name} failed to satisfy constraint: {reason}")
    if not int(about.get("MinLength", 0)) <= len(text) <= int(about.get("MaxLength", len(text))):
        raise Invalid(f"Parameter '{name}' has a length that isn't allowed")


def _value(text: str, kind: str, read_ssm: Callable[[str], str]) -> Value:
    if kind.startswith("AWS::SSM::Parameter::Value<"):
        text, kind = read_ssm(text), kind.removeprefix("AWS::SSM::Parameter::Value<").removesuffix(">")
    if kind == "CommaDelimitedList" or kind.startswith("List<"):
        return [item.strip() for item in text.split(",")]
    return text
