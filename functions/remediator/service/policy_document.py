"""Read the customer's policy, and check it where it is edited: a closed schema, one for each cloud."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import fastjsonschema

from remediator.service.policy import UNRESTRICTED, Policy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from remediator.catalogue.spec import JSON

VERSION: Final = 1
"""The version of the schema; a policy of another one can't be read."""

LONGEST: Final = 16_000
"""The most characters of a policy as JSON, so that every cloud's store takes it in one piece."""

_FIX: Final = r"^[a-z]+(\.[a-z0-9-]+){2}$"
_REGION: Final = r"^[a-z]{2,4}(-[a-z]{2,12}){1,3}-[0-9]{1,2}$"
_GROUP: Final = r"^[A-Za-z0-9._()-]{1,90}$"
_TEXT: Final = r"^[^\x00-\x1f\x7f]+$"

MEMBERS: Final[Mapping[str, str]] = {
    "version": "The version of this form: 1.",
    "plan_only": "true: the vendor may plan, and nothing is applied.",
    "fixes": "The fixes that may run, by id; null for all that the deployment enables.",
    "regions": "The regions in which resources may be touched; null for all that the deployment allows.",
    "resource_groups": "The resource groups whose resources may be touched; null for all in the deployment's scopes.",
    "exclude": "Resources that are never touched: patterns of the cloud's own name (ARN, resource id), * for anything.",
    "exclude_tags": "Resources that are never touched by their own tags: a key, or key=value.",
    "findings_per_day": "How many findings may be applied in a day (UTC), all callers together; null for no limit.",
    "note": "A remark for your colleagues.",
}
"""Every member and what it means, in the order in which a policy is written."""

_PLACES: Final = {"aws": "regions", "azure": "resource_groups"}


class PolicyUnfit(Exception):  # noqa: N818 - errors are named for what is the case
    """Say which member of a policy isn't as it must be, and how it must be."""


def schema(cloud: str) -> dict[str, JSON]:
    """Return the JSON Schema of a cloud's policy: an ARN shows the region, a resource id the resource group."""
    place = _PLACES[cloud]
    forms: dict[str, dict[str, JSON]] = {
        "version": {"type": "integer", "const": VERSION},
        "plan_only": {"type": "boolean"},
        "fixes": _listed(_FIX, most=1_000, nullable=True),
        "regions": _listed(_REGION, most=50, nullable=True),
        "resource_groups": _listed(_GROUP, most=200, nullable=True),
        "exclude": _listed(_TEXT, most=200, longest=512),
        "exclude_tags": _listed(_TEXT, most=50, longest=400),
        "findings_per_day": {"type": ["integer", "null"], "minimum": 0, "maximum": 1_000_000},
        "note": {"type": "string", "maxLength": 500},
    }
    absent = {one for one in _PLACES.values() if one != place}
    properties = {name: {"description": MEMBERS[name], **form} for name, form in forms.items() if name not in absent}
    return {"type": "object", "additionalProperties": False, "required": ["version"], "properties": properties}


def blank(cloud: str) -> dict[str, JSON]:
    """Return the policy that forbids nothing, every member written out."""
    written: dict[str, JSON] = {"version": VERSION, "plan_only": False, "fixes": None, _PLACES[cloud]: None}
    return written | {"exclude": [], "exclude_tags": [], "findings_per_day": None, "note": ""}


def checked(text: str, cloud: str) -> dict[str, JSON]:
    """Return a policy's document, every member written out; raise `PolicyUnfit` naming what is wrong."""
    if len(text) > LONGEST:
        raise PolicyUnfit(f"the policy is longer than {LONGEST} characters")
    try:
        document = json.loads(text, object_pairs_hook=_distinct, parse_constant=_unknown, parse_float=_fraction)
        json.dumps(document, ensure_ascii=False).encode()  # half a character, as \ud800, can't be stored
    except (ValueError, RecursionError) as error:
        raise PolicyUnfit(f"the policy isn't JSON: {error}") from None
    try:
        _validator(cloud)(document)
    except fastjsonschema.JsonSchemaValueException as error:
        raise PolicyUnfit(_told(error)) from None
    written: dict[str, JSON] = document
    return blank(cloud) | written


@lru_cache(maxsize=4)
def read(text: str | None, cloud: str) -> Policy:
    """Return the policy that is stored; where there is none nothing is forbidden, where it is broken everything is."""
    if text is None:
        return UNRESTRICTED
    try:
        document = checked(text, cloud)
    except PolicyUnfit as unfit:
        return Policy(fault=str(unfit))
    return Policy(
        plan_only=document["plan_only"],
        fixes=_set(document["fixes"]),
        regions=_set(document.get("regions")),
        resource_groups=_set(document.get("resource_groups")),
        exclude=tuple(document["exclude"]),
        exclude_tags=tuple(document["exclude_tags"]),
        findings_per_day=document["findings_per_day"],
    )


def _listed(pattern: str, *, most: int, longest: int = 100, nullable: bool = False) -> dict[str, JSON]:
    items = {"type": "string", "pattern": pattern, "maxLength": longest}
    kind: JSON = ["array", "null"] if nullable else "array"
    return {"type": kind, "items": items, "maxItems": most, "uniqueItems": True}


def _set(listed: list[str] | None) -> frozenset[str] | None:
    return None if listed is None else frozenset(one.casefold() for one in listed)


def _distinct(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    names = [name for name, _ in pairs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{twice[0]} stands twice in one object")
    return dict(pairs)


def _unknown(name: str) -> JSON:
    raise ValueError(f"{name} isn't JSON")


def _fraction(number: str) -> JSON:
    """Refuse what JSON Schema would take for an integer, as 5.0, and Python doesn't count with as with one."""
    raise ValueError(f"{number} isn't a whole number, written as one")


def _told(error: fastjsonschema.JsonSchemaValueException) -> str:
    text = str(error.message)[:300]
    return text.removeprefix("data.") if text.startswith("data.") else text.replace("data", "the policy", 1)


@lru_cache(maxsize=2)
def _validator(cloud: str) -> Callable[[Any], Any]:
    compiled: Callable[[Any], Any] = fastjsonschema.compile(schema(cloud))
    return compiled
