"""Match policy patterns: wildcards, ARNs, policy variables."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Context = "Mapping[str, str | Sequence[str]]"

_ARN_PARTS: Final = 6
_VARIABLE: Final = re.compile(r"\$\{([^}]*)\}")
_DEFAULT: Final = re.compile(r"(.*?), ?'(.*)'", re.DOTALL)
# What a policy writes to mean the character itself; private-use code points keep them apart from wildcards.
_LITERALS: Final = {"*": "\ue000", "?": "\ue001", "$": "$"}
_UNESCAPE: Final = {ord("\ue000"): "*", ord("\ue001"): "?"}


class Unresolved(LookupError):  # noqa: N818 - named for what is the case
    """Say that a policy variable has no single value in this request, so its pattern matches nothing."""


@lru_cache(maxsize=8192)
def _expression(pattern: str, *, ignore_case: bool) -> re.Pattern[str]:
    translated = "".join({"*": ".*", "?": "."}.get(char, re.escape(char.translate(_UNESCAPE))) for char in pattern)
    return re.compile(translated, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def glob(pattern: str, value: str, *, ignore_case: bool = False) -> bool:
    """Match `*` and `?` in the pattern against the whole value."""
    return _expression(pattern, ignore_case=ignore_case).fullmatch(value) is not None


@lru_cache(maxsize=4096)
def _alternatives(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{_expression(p, ignore_case=True).pattern})" for p in patterns), re.IGNORECASE)


def action_matches(patterns: tuple[str, ...], action: str) -> bool:
    """Match an action against a statement's list, ignoring case; one expression for lists of a thousand."""
    return _alternatives(patterns).fullmatch(action) is not None


def resolve(pattern: str, context: Mapping[str, str | Sequence[str]], *, wildcards: bool = True) -> str:
    """Put the request's values into `${…}` of a pattern; they and `${*}` match only themselves.

    With `wildcards=False` the result is plain text. Raises `Unresolved` for a variable without a single value and
    without a default (`${key, 'default'}`).
    """
    if "${" not in pattern:
        return pattern
    resolved = _VARIABLE.sub(lambda match: _variable(match[1], context), pattern)
    return resolved if wildcards else resolved.translate(_UNESCAPE)


def blank(pattern: str) -> str:
    """Put a wildcard where a pattern has a variable: what it matches then is what some value could make it match."""
    return _VARIABLE.sub("*", pattern)


def _variable(inside: str, context: Mapping[str, str | Sequence[str]]) -> str:
    if inside in _LITERALS:
        return _LITERALS[inside]
    with_default = _DEFAULT.fullmatch(inside)
    key = (with_default[1] if with_default else inside).strip().lower()
    value = context.get(key)
    if not isinstance(value, str):
        if with_default and value is None:
            return _literal(with_default[2])
        raise Unresolved(key)
    return _literal(value)


def _literal(value: str) -> str:
    return value.replace("*", _LITERALS["*"]).replace("?", _LITERALS["?"])


def arn_like(pattern: str, value: str) -> bool:
    """Match two ARNs part by part, so that a wildcard never reaches over one of the first five colons.

    A pattern that is no ARN matches nothing; raises ValueError if the value is none.
    """
    wanted, given = pattern.split(":", _ARN_PARTS - 1), value.split(":", _ARN_PARTS - 1)
    if len(given) != _ARN_PARTS:
        raise ValueError(f"{value!r} is not an ARN")
    return len(wanted) == _ARN_PARTS and all(glob(part, actual) for part, actual in zip(wanted, given, strict=True))


def resource_matches(pattern: str, resource: str) -> bool:
    """Match a statement's Resource against the request's; `*` as the request means an action without a resource."""
    if pattern == "*":
        return True
    if resource == "*":
        return False
    parts = pattern.split(":", _ARN_PARTS - 1)
    if len(parts) < _ARN_PARTS and parts[-1].endswith("*"):
        pattern = ":".join([*parts, *["*"] * (_ARN_PARTS - len(parts))])
    return resource.count(":") >= _ARN_PARTS - 1 and arn_like(pattern, resource)
