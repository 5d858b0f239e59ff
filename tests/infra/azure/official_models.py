"""Hold bodies to the models of Microsoft's own clients: names, types and closed lists of values."""

from __future__ import annotations

import enum
import types
import typing
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def objections(models: types.ModuleType, model: type, body: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Yield what a body has that the model hasn't, and what is of another type."""
    hints = typing.get_type_hints(model, {**vars(models), "_models": models, "datetime": __import__("datetime")})
    fields = _fields(model)
    for name, value in body.items():
        if name not in fields:
            yield f"{path}{name}: {model.__name__} has no such property"
        elif fields[name].visibility == ["read"]:
            yield f"{path}{name}: is only read"
        else:
            yield from _misfits(models, hints[fields[name].attribute], value, f"{path}{name}")


class _Field(typing.NamedTuple):
    attribute: str
    visibility: list[str]


def _fields(model: type) -> dict[str, _Field]:
    found = {}
    for one in reversed(model.__mro__):
        for attribute, field in vars(one).items():
            if type(field).__name__ == "_RestField":
                found[field._rest_name_input or attribute] = _Field(attribute, field._visibility)
    return found


def _misfits(models: types.ModuleType, hint: Any, value: Any, path: str) -> Iterator[str]:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        yield from _none_of(models, inner, value, path)
    elif origin is list:
        if not isinstance(value, list):
            yield f"{path}: {value!r} is no list"
            return
        for index, one in enumerate(value):
            yield from _misfits(models, inner[0], one, f"{path}[{index}]")
    elif origin is dict:
        for name, one in value.items():
            yield from _misfits(models, inner[1], one, f"{path}.{name}")
    elif isinstance(hint, type) and _fields(hint):
        if not isinstance(value, dict):
            yield f"{path}: {value!r} is no {hint.__name__}"
            return
        yield from objections(models, hint, value, f"{path}.")
    elif not _is_plainly(hint, value):
        yield f"{path}: {value!r} is no {hint}"


def _is_plainly(hint: Any, value: Any) -> bool:
    """Tell whether a value is of a type that has no parts."""
    if typing.get_origin(hint) is typing.Literal:
        return value in typing.get_args(hint)
    return hint is Any or (isinstance(value, hint) and not (hint is int and isinstance(value, bool)))


def _none_of(models: types.ModuleType, choices: tuple[Any, ...], value: Any, path: str) -> Iterator[str]:
    """Yield nothing if one choice fits; an enum beside `str` is taken as a closed list."""
    closed = [one for one in choices if isinstance(one, type) and issubclass(one, enum.Enum)]
    if value is None and type(None) in choices:
        return
    if closed:
        if value not in {member.value for one in closed for member in one}:
            yield f"{path}: {value!r} is none of {closed[0].__name__}"
        return
    tried = [list(_misfits(models, one, value, path)) for one in choices if one is not type(None)]
    if all(tried):
        yield from tried[0]
