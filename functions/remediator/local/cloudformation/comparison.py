"""Compare what a template wants with what a service shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from remediator.local.cloudformation.values import Value


def same(wanted: Value, live: Value) -> bool:
    """Say if everything wanted is there.

    An object may hold more than is wanted (defaults of the service), a list may not; its order says nothing. Numbers
    and truth values may be written as text, as templates do.
    """
    if isinstance(wanted, dict):
        return isinstance(live, dict) and all(key in live and same(item, live[key]) for key, item in wanted.items())
    if isinstance(wanted, list):
        return isinstance(live, list) and len(wanted) == len(live) and _each_has_its_own(wanted, live)
    equal: bool = _scalar(wanted) == _scalar(live)
    return equal


def identical(wanted: Value, live: Value) -> bool:
    """Say if two documents are the same, to the letter and the order: policies, for example."""
    equal: bool = wanted == live
    return equal


def _each_has_its_own(wanted: list[Value], live: list[Value]) -> bool:
    left = list(live)
    for item in wanted:
        found = next((index for index, candidate in enumerate(left) if same(item, candidate)), None)
        if found is None:
            return False
        del left[found]
    return True


def _scalar(value: Value) -> Value:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value.lower() if value.lower() in {"true", "false"} else value
    return value
