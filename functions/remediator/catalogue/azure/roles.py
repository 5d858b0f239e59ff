"""Derive Azure's custom roles from the cards of the fixes: one for each service, no action but theirs, and for tags.

Azure has no session policies: what the remediator's app registration may do is the union of the roles that it is
assigned, in the scopes that the customer gave. The remediator itself refuses a target outside of those.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from remediator.catalogue.spec import Tags, allow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from remediator.catalogue.spec import Fix

    AnyFix: TypeAlias = Fix[Any, Any, Any]


READ_TAGS: Final = allow("Microsoft.Resources/tags/read")
"""What it takes to read the tags of resources of every kind."""


@dataclass(frozen=True, slots=True)
class ServiceRole:
    """Say what the fixes of one service, such as `Microsoft.Storage`, need: actions on resources, nothing of data.

    The service `tags` is what the customer's policy needs to exclude their targets by tag.
    """

    service: str
    fixes: tuple[str, ...]
    actions: tuple[str, ...]


def service_roles(fixes: Iterable[AnyFix]) -> list[ServiceRole]:
    """Return a role for each service that fixes repair, sorted, and one to read tags where targets show them."""
    ordered = sorted(fixes, key=lambda fix: (fix.service, fix.id))
    roles = [_role(service, list(same)) for service, same in groupby(ordered, key=lambda fix: fix.service)]
    tagged = tuple(fix.id for fix in ordered if fix.target.tags is Tags.SHOWN)
    actions = tuple(action for grant in READ_TAGS for action in grant.actions)
    return [*roles, *([ServiceRole("tags", tagged, actions)] if tagged else ())]


def _role(service: str, fixes: list[AnyFix]) -> ServiceRole:
    grants = (grant for fix in fixes for grant in (*fix.reads, *fix.writes))
    actions = {action for grant in grants for action in grant.actions}
    return ServiceRole(service, tuple(fix.id for fix in fixes), tuple(sorted(actions)))
