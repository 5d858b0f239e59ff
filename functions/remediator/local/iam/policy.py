"""Read policy documents into statements that can be evaluated."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from .conditions import Condition
from .matching import Unresolved, action_matches, blank, resolve, resource_matches

if TYPE_CHECKING:
    from collections.abc import Sequence

_WITH_VARIABLES: Final = "2012-10-17"


class Malformed(ValueError):  # noqa: N818 - named for what is the case
    """Say that a policy document can't be read."""


@dataclass(frozen=True, slots=True)
class Statement:
    """Hold one statement; `label` is its Sid, or its place in the document."""

    label: str
    allows: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...] | None
    conditions: tuple[Condition, ...]
    principals: tuple[tuple[str, str], ...] | None = None
    not_action: bool = False
    not_resource: bool = False
    not_principal: bool = False
    variables: bool = True

    def applies(self, action: str, resource: str, context: Mapping[str, str | Sequence[str]]) -> bool:
        """Tell whether action, resource and conditions match; the principal is the evaluator's business."""
        if action_matches(self.actions, action) is self.not_action:
            return False
        if not self._covers(resource, context):
            return False
        return all(condition.met(context) for condition in self.conditions)

    def _covers(self, resource: str, context: Mapping[str, str | Sequence[str]]) -> bool:
        if self.resources is None:
            return True
        named = [self._names(pattern, resource, context) for pattern in self.resources]
        # An unresolved variable makes the statement invalid, says the User Guide ("Variables and tags", first note).
        return all(hit is False for hit in named) if self.not_resource else any(named)

    def _names(self, pattern: str, resource: str, context: Mapping[str, str | Sequence[str]]) -> bool | None:
        """Match one pattern; None if only a variable without a value stands between it and a match."""
        try:
            return resource_matches(resolve(pattern, context) if self.variables else pattern, resource)
        except Unresolved:
            return None if resource_matches(blank(pattern), resource) else False


@dataclass(frozen=True, slots=True)
class Policy:
    """Hold a named policy. `bound` maps principal ARNs in it to the unique ids that they had when it was written."""

    name: str
    statements: tuple[Statement, ...]
    bound: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, name: str, document: str | Mapping[str, object], bound: Mapping[str, str] | None = None) -> Policy:
        """Read a document given as JSON text or as an object; raises `Malformed`."""
        text = document if isinstance(document, str) else json.dumps(document)
        try:
            return cls(name, _statements(text), bound or {})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Malformed(f"policy {name!r} can't be read: {error!r}") from error


@lru_cache(maxsize=1024)
def _statements(text: str) -> tuple[Statement, ...]:
    document = json.loads(text)
    variables = document.get("Version") == _WITH_VARIABLES
    listed = document["Statement"]
    listed = listed if isinstance(listed, list) else [listed]
    return tuple(_statement(entry, number, variables=variables) for number, entry in enumerate(listed, 1))


def _statement(entry: Mapping[str, object], number: int, *, variables: bool) -> Statement:
    not_action, not_resource = "NotAction" in entry, "NotResource" in entry
    not_principal = "NotPrincipal" in entry
    resources = entry.get("NotResource" if not_resource else "Resource")
    return Statement(
        label=str(entry.get("Sid") or f"#{number}"),
        allows={"Allow": True, "Deny": False}[str(entry["Effect"])],
        actions=_texts(entry["NotAction" if not_action else "Action"]),
        resources=None if resources is None else _texts(resources),
        conditions=_conditions(entry.get("Condition"), variables=variables),
        principals=_principals(entry.get("NotPrincipal" if not_principal else "Principal")),
        not_action=not_action,
        not_resource=not_resource,
        not_principal=not_principal,
        variables=variables,
    )


def _texts(value: object) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(str(item).lower() if isinstance(item, bool) else str(item) for item in values)


def _conditions(block: object, *, variables: bool) -> tuple[Condition, ...]:
    if not isinstance(block, Mapping):
        return ()
    return tuple(
        Condition(str(name), str(key).lower(), _texts(values), variables)
        for name, keys in block.items()
        for key, values in keys.items()
    )


def _principals(element: object) -> tuple[tuple[str, str], ...] | None:
    if element is None:
        return None
    if isinstance(element, str):
        return (("AWS", element),)
    if not isinstance(element, Mapping):
        raise TypeError("Principal is neither a string nor an object")
    return tuple((str(kind), name) for kind, names in element.items() for name in _texts(names))
