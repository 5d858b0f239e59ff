"""Resolve the intrinsic functions of a template's values."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Final, Protocol

from remediator.local.cloudformation.values import NO_VALUE, Invalid, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_SUBSTITUTION: Final = re.compile(r"\$\{(!?)([^}]+)\}")


class Scope(Protocol):
    """Know what names in a template stand for."""

    def ref(self, name: str) -> Value:
        """Return what `Ref` gives: a parameter, a pseudo parameter, or a resource's physical id."""

    def attribute(self, resource: str, name: str) -> Value:
        """Return what `Fn::GetAtt` gives."""

    def mapping(self, name: str) -> Mapping[str, Mapping[str, Value]]:
        """Return an entry of Mappings."""

    def condition(self, name: str) -> bool:
        """Return an entry of Conditions, decided."""


def resolve(value: Value, scope: Scope) -> Value:
    """Return a value with every function carried out and every `AWS::NoValue` gone; raises `Invalid`."""
    if isinstance(value, dict):
        if len(value) == 1:
            (name, argument) = next(iter(value.items()))
            if name == "Ref":
                return scope.ref(argument)
            if name in _FUNCTIONS:
                return _FUNCTIONS[name](argument, scope)
            if name.startswith("Fn::"):
                raise Invalid(f"Template error: {name} isn't supported by the embedded account")
        resolved = {key: resolve(item, scope) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not NO_VALUE}
    if isinstance(value, list):
        return [item for item in (resolve(item, scope) for item in value) if item is not NO_VALUE]
    return value


def decide(condition: Value, scope: Scope) -> bool:
    """Return the truth of a condition expression."""
    (name, argument) = next(iter(condition.items()))
    if name == "Condition":
        return scope.condition(argument)
    if name == "Fn::And":
        return all(decide(item, scope) for item in argument)
    if name == "Fn::Or":
        return any(decide(item, scope) for item in argument)
    if name == "Fn::Not":
        return not decide(argument[0], scope)
    if name == "Fn::Equals":
        left, right = (resolve(item, scope) for item in argument)
        return bool(left == right)
    if name == "Fn::Contains":
        return resolve(argument[1], scope) in resolve(argument[0], scope)
    raise Invalid(f"Template error: {name} isn't a condition that the embedded account supports")


def references(value: Value) -> Iterator[str]:
    """Yield every logical name that a value refers to, by `Ref`, `Fn::GetAtt` or `Fn::Sub`."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    if not isinstance(value, dict):
        return
    for name, argument in value.items():
        if name == "Ref":
            yield argument
        elif name == "Fn::GetAtt":
            yield argument[0] if isinstance(argument, list) else argument.split(".", 1)[0]
        else:
            if name == "Fn::Sub":
                text = argument[0] if isinstance(argument, list) else argument
                yield from (found[2].split(".", 1)[0] for found in _SUBSTITUTION.finditer(text) if not found[1])
            yield from references(argument)


def _get_att(argument: Value, scope: Scope) -> Value:
    resource, attribute = argument if isinstance(argument, list) else argument.split(".", 1)
    return scope.attribute(resource, attribute)


def _sub(argument: Value, scope: Scope) -> str:
    text, extra = (argument[0], argument[1]) if isinstance(argument, list) else (argument, {})

    def value(match: re.Match[str]) -> str:
        literal, name = match.groups()
        if literal:
            return f"${{{name}}}"
        if name in extra:
            return str(resolve(extra[name], scope))
        return str(_get_att(name, scope) if "." in name else scope.ref(name))

    return _SUBSTITUTION.sub(value, text)


def _join(argument: Value, scope: Scope) -> str:
    separator, items = argument
    return str(separator).join(str(item) for item in resolve(items, scope))


def _if(argument: Value, scope: Scope) -> Value:
    name, then, otherwise = argument
    return resolve(then if scope.condition(name) else otherwise, scope)


def _select(argument: Value, scope: Scope) -> Value:
    index, items = argument
    return resolve(items, scope)[int(resolve(index, scope))]


def _split(argument: Value, scope: Scope) -> list[str]:
    separator, text = argument
    return str(resolve(text, scope)).split(separator)


def _find_in_map(argument: Value, scope: Scope) -> Value:
    name, first, second = (resolve(item, scope) for item in argument)
    return scope.mapping(name)[first][second]


_FUNCTIONS: Final[dict[str, Callable[[Value, Scope], Value]]] = {
    "Fn::GetAtt": _get_att,
    "Fn::Sub": _sub,
    "Fn::Join": _join,
    "Fn::If": _if,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::FindInMap": _find_in_map,
    "Fn::Base64": lambda argument, scope: base64.b64encode(str(resolve(argument, scope)).encode()).decode(),
    "Fn::ToJsonString": lambda argument, scope: json.dumps(resolve(argument, scope)),
}
