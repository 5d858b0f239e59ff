"""Understand the query options of Graph that are used here; any other is refused, never ignored."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from remediator.local.azure.graph.problem import GraphProblem, bad

if TYPE_CHECKING:
    from collections.abc import Mapping

_EQUALS: Final = re.compile(r"(\w+) eq '((?:[^']|'')*)'")
_ANY: Final = re.compile(r"(\w+)/any\((\w+):\s*\2 eq '((?:[^']|'')*)'\)")
_KNOWN: Final = frozenset({"$filter", "$select", "$top", "$count"})
MOST: Final = 999
PAGE: Final = 100


def chosen(query: Mapping[str, str]) -> tuple[str, ...] | None:
    """Return the properties that `$select` names, or None; raises `GraphProblem` for options that aren't known."""
    if unknown := sorted(query.keys() - _KNOWN):
        raise bad(f"The query option '{unknown[0]}' isn't one that the embedded Graph knows.")
    text = query.get("$select")
    return None if text is None else tuple(part.strip() for part in text.split(","))


def selected(document: dict[str, Any], names: tuple[str, ...] | None) -> dict[str, Any]:
    """Return an object with only the properties that were asked for."""
    if names is None:
        return document
    if unknown := [name for name in names if name not in document]:
        raise bad(f"Could not find a property named '{unknown[0]}'.")
    return {name: document[name] for name in names}


def filtered(documents: list[dict[str, Any]], query: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return what `$filter` lets through, at most `$top` of it; raises `GraphProblem`."""
    text = query.get("$filter")
    found = documents if text is None else [one for one in documents if _matches(one, text)]
    top = query.get("$top", str(PAGE))
    if not top.isdecimal() or not 1 <= int(top) <= MOST:
        raise bad(f"Invalid page size specified: '{top}'. Must be between 1 and {MOST} inclusive.")
    if len(found) > int(top):
        raise GraphProblem(501, "NotSupported", "The embedded Graph has no second page: ask with a narrower $filter.")
    return found


def _matches(document: Mapping[str, Any], text: str) -> bool:
    return all(_holds(document, clause.strip()) for clause in text.split(" and "))


def _holds(document: Mapping[str, Any], clause: str) -> bool:
    if match := _EQUALS.fullmatch(clause):
        return _text(document, match[1]).lower() == match[2].replace("''", "'").lower()
    if match := _ANY.fullmatch(clause):
        values = document.get(match[1])
        if not isinstance(values, list):
            raise bad(f"'{match[1]}' isn't a collection.")
        return match[3].replace("''", "'") in values
    raise GraphProblem(400, "Request_UnsupportedQuery", f"Unsupported or invalid query filter clause: {clause}")


def _text(document: Mapping[str, Any], name: str) -> str:
    if name not in document or isinstance(document[name], list | dict):
        raise GraphProblem(400, "Request_UnsupportedQuery", f"Property '{name}' can't be compared in a filter.")
    return str(document[name])
