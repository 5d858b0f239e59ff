"""Decide a policy's Condition block: every operator of IAM, with qualifiers, IfExists, Null.

Source: IAM User Guide, "Condition operators" and "Single-valued vs. multivalued context keys".
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Final

from .matching import Unresolved, arn_like, glob, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_ANY: Final = "foranyvalue:"
_ALL: Final = "forallvalues:"
_IF_EXISTS: Final = "ifexists"


def _moment(text: str) -> datetime:
    try:
        return datetime.fromtimestamp(float(text), UTC)
    except ValueError:
        parsed = datetime.fromisoformat(text)
        return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _truth(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]


def _compared(read: Callable[[str], object], compare: Callable[..., bool]) -> Callable[[str, str], bool]:
    return lambda wanted, given: compare(read(given), read(wanted))


_ORDER: Final = {
    "equals": operator.eq,
    "lessthan": operator.lt,
    "lessthanequals": operator.le,
    "greaterthan": operator.gt,
    "greaterthanequals": operator.ge,
}
# name -> test(the policy's value, the request's value); both may raise ValueError or KeyError for nonsense.
_TESTS: Final[dict[str, Callable[[str, str], bool]]] = {
    "stringequals": operator.eq,
    "stringequalsignorecase": lambda wanted, given: wanted.lower() == given.lower(),
    "stringlike": glob,
    "arnequals": arn_like,
    "arnlike": arn_like,
    "bool": _compared(_truth, operator.eq),
    "binaryequals": operator.eq,
    "ipaddress": lambda wanted, given: ip_address(given) in ip_network(wanted, strict=False),
    **{f"numeric{name}": _compared(float, compare) for name, compare in _ORDER.items()},
    **{f"date{name}": _compared(_moment, compare) for name, compare in _ORDER.items()},
}
_NEGATIONS: Final = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "arnnotequals": "arnequals",
    "arnnotlike": "arnlike",
    "notipaddress": "ipaddress",
    "numericnotequals": "numericequals",
    "datenotequals": "dateequals",
}
_WITH_WILDCARDS: Final = frozenset({"stringlike", "arnequals", "arnlike"})
_WITH_VARIABLES: Final = frozenset({"stringequals", "stringequalsignorecase", "bool", "binaryequals"}) | _WITH_WILDCARDS


@dataclass(frozen=True, slots=True)
class Condition:
    """Hold one key of a Condition block: operator, key (lower case), the policy's values as text."""

    operator: str
    key: str
    values: tuple[str, ...]
    variables: bool

    def met(self, context: Mapping[str, str | Sequence[str]]) -> bool:
        """Tell whether the request's context (lower-case keys) meets this condition; unknown operators never do."""
        name = self.operator.lower()
        qualifier = next((q for q in (_ANY, _ALL) if name.startswith(q)), "")
        name = name.removeprefix(qualifier)
        if_exists = name.endswith(_IF_EXISTS)
        name = name.removesuffix(_IF_EXISTS)
        given = context.get(self.key)
        if name == "null":
            return any(_truth(value) == (given is None) for value in self.values)
        negated = name in _NEGATIONS
        name = _NEGATIONS.get(name, name)
        if name not in _TESTS:
            return False
        if given is None:
            return qualifier == _ALL or if_exists or (negated and not qualifier)
        outcomes = [self._holds(name, value, context, negated=negated) for value in _values(given)]
        if qualifier == _ALL:
            return all(outcomes)
        if qualifier == _ANY:
            return any(outcomes)
        # A key with many values needs a qualifier: without one AWS matches nothing.
        return isinstance(given, str) and outcomes[0]

    def _holds(self, name: str, given: str, context: Mapping[str, str | Sequence[str]], *, negated: bool) -> bool:
        results = [self._compare(name, wanted, given, context) for wanted in self.values]
        if negated:
            return all(result is False for result in results)
        return any(results)

    def _compare(self, name: str, wanted: str, given: str, context: Mapping[str, str | Sequence[str]]) -> bool | None:
        """Compare one pair; None where it can't be compared, which satisfies neither an operator nor its negation."""
        try:
            if self.variables and name in _WITH_VARIABLES:
                wanted = resolve(wanted, context, wildcards=name in _WITH_WILDCARDS)
            return _TESTS[name](wanted, given)
        except (Unresolved, ValueError, KeyError):
            return None


def _values(given: str | Sequence[str]) -> Sequence[str]:
    return [given] if isinstance(given, str) else given
