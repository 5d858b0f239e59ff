"""Derive Azure's custom roles from the cards of the fixes: one for each family of services, and no action but theirs.

Azure has no session policies: what the remediator's app registration may do is the union of the roles that it is
assigned, in the scopes that the customer gave. The remediator itself refuses a target outside of those.
"""

from __future__ import annotations

import uuid
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from remediator.catalogue.spec import JSON, Fix

    AnyFix: TypeAlias = Fix[Any, Any, Any]

NAMESPACE: Final = uuid.UUID("8d0c3b1e-5a55-4f0e-9d53-0c6f2f0f6d3a")
"""What the ids of our roles are derived in: the same deployment gets the same ids every time."""


def family(fix: AnyFix) -> str:
    """Return the family of services that a fix belongs to, such as `storage`: the second part of its id."""
    return fix.id.split(".")[1]


def role_definitions(fixes: Iterable[AnyFix], scopes: Sequence[str], deployment: str) -> list[dict[str, JSON]]:
    """Return a custom role for each family, as `Microsoft.Authorization/roleDefinitions` resources have it.

    `scopes` are ids of subscriptions or resource groups where the roles can be assigned; `deployment` tells apart those
    of several deployments in a tenant, where names are unique. Only what the fixes declare is allowed; nothing of data.
    """
    if not scopes:
        raise ValueError("name the scopes: a role that can be assigned nowhere is of no use")
    by_family = groupby(sorted(fixes, key=lambda fix: (family(fix), fix.id)), key=family)
    return [_role(name, list(same), sorted({*scopes}), deployment) for name, same in by_family]


def actions(fixes: Iterable[AnyFix]) -> list[str]:
    """Return the actions that fixes declare, sorted, each once."""
    grants = (grant for fix in fixes for grant in (*fix.reads, *fix.writes))
    return sorted({action for grant in grants for action in grant.actions})


def _role(name: str, fixes: Sequence[AnyFix], scopes: list[str], deployment: str) -> dict[str, JSON]:
    return {
        "name": str(uuid.uuid5(NAMESPACE, f"{deployment}/{name}")),
        "properties": {
            "roleName": f"Remediator {name} ({deployment})",
            "description": f"Lets the remediator run: {', '.join(fix.id for fix in fixes)}.",
            "type": "CustomRole",
            "permissions": [{"actions": actions(fixes), "notActions": [], "dataActions": [], "notDataActions": []}],
            "assignableScopes": scopes,
        },
    }
