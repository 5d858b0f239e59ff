"""Evaluate templates, with the evaluator that lies beside the project's own template.

It stands in for the ids that Azure chooses (of identities, say), always the same for the same resource: the embedded
cloud then gives exactly those.
"""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from remediator.local.azure.arm.refusals import ArmRefusal
from remediator.local.azure.places import LOCATION, SUBSCRIPTION, TENANT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT: Final = Path(__file__).resolve().parents[5]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Hold a resource as a template asks for it; `after` are the ids of those that it needs."""

    id: str
    type: str
    api: str
    body: Mapping[str, Any]
    after: frozenset[str]


def evaluated(template: Mapping[str, Any], given: Mapping[str, Any], group: str) -> tuple[list[Wanted], dict[str, Any]]:
    """Return resources, each after those that it needs, and outputs; raises `ArmRefusal`."""
    evaluator, expressions = _module("infra.azure.evaluate"), _module("infra.azure.expressions")
    place = evaluator.Place(SUBSCRIPTION, group, LOCATION, TENANT)
    try:
        found = evaluator.evaluate(template, given, place)
    except (expressions.Malformed, KeyError, TypeError) as malformed:
        raise ArmRefusal(400, "InvalidTemplate", f"Deployment template validation failed: '{malformed}'.") from None
    wanted = [
        Wanted(one.id, one.type, one.api, one.body, frozenset(name.lower() for name in (*one.after, *one.referred)))
        for one in found.resources
    ]
    return _ordered(wanted), dict(found.outputs)


def identity_ids(resource_id: str) -> tuple[str, str]:
    """Return the object id and the client id that the evaluator says a managed identity has."""
    known = _module("infra.azure.evaluate")._stand_in(resource_id, "2023-01-31")  # noqa: SLF001 - said above
    return known["principalId"], known["clientId"]


def _ordered(wanted: Sequence[Wanted]) -> list[Wanted]:
    """Return resources so that each comes after what it needs; raises `ArmRefusal` if they need each other."""
    left, done = list(wanted), list[Wanted]()
    while left:
        names = {one.id.lower() for one in left}
        ready = [one for one in left if not one.after & (names - {one.id.lower()})]
        if not ready:
            raise ArmRefusal(400, "InvalidTemplate", "Circular dependency detected on a resource.")
        done += ready
        left = [one for one in left if one not in ready]
    return done


def _module(name: str) -> Any:  # noqa: ANN401 - a module outside of this package
    if str(ROOT) not in sys.path:
        sys.path.append(str(ROOT))
    return importlib.import_module(name)
