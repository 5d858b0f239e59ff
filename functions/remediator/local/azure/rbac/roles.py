"""Keep role definitions and assignments, and say whether a principal may do something somewhere."""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from remediator.local.azure.places import subscription_id
from remediator.local.azure.rbac.definitions import BUILT_IN

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.local.azure.faults import Delays
    from remediator.local.azure.rbac.definitions import RoleDefinition

_INFIX: Final = "/roledefinitions/"
_NEVER: Final = float("inf")


class NoSuchRole(Exception):  # noqa: N818 - errors are named for what is the case
    """Say that no role of this name or id is defined."""


class NoSuchPrincipal(Exception):  # noqa: N818 - errors are named for what is the case
    """Say that a role was given to nobody who exists."""


@dataclass(frozen=True, slots=True)
class RoleAssignment:
    """Hold that a principal has a role in a scope and below, between two moments by the clock."""

    name: str
    principal: str
    role: RoleDefinition
    scope: str
    since: float
    until: float = _NEVER

    @property
    def id(self) -> str:
        """Return the assignment's resource id."""
        return f"{self.scope.rstrip('/')}/providers/Microsoft.Authorization/roleAssignments/{self.name}"


class Rbac:
    """Hold one tenant's roles. `known` tells whether an object id is a principal's. Thread-safe."""

    def __init__(self, delays: Delays, known: Callable[[str], bool] = lambda _: True) -> None:
        self._delays = delays
        self._known = known
        self._lock = threading.RLock()
        self._definitions = {role.guid: role for role in BUILT_IN}
        self._assignments: dict[str, RoleAssignment] = {}

    def define(self, role: RoleDefinition) -> RoleDefinition:
        """Add a custom role, or put it in the place of the one with the same guid."""
        with self._lock:
            self._definitions[role.guid] = role
            for name, held in list(self._assignments.items()):
                if held.role.guid == role.guid:
                    self._assignments[name] = RoleAssignment(
                        held.name, held.principal, role, held.scope, held.since, held.until
                    )
        return role

    def undefine(self, guid: str) -> None:
        """Remove a custom role; raises `NoSuchRole`."""
        with self._lock:
            if guid not in self._definitions:
                raise NoSuchRole(guid)
            del self._definitions[guid]

    def role(self, name_or_id: str) -> RoleDefinition:
        """Return a role by its name, its guid or its id in any scope; raises `NoSuchRole`."""
        guid = name_or_id.lower().rpartition(_INFIX)[2]
        with self._lock:
            for role in self._definitions.values():
                if guid == role.guid or name_or_id == role.name:
                    return role
        raise NoSuchRole(name_or_id)

    def definitions(self) -> list[RoleDefinition]:
        """Return every role."""
        with self._lock:
            return list(self._definitions.values())

    def assign(self, principal: str, role: str, scope: str | None = None, name: str | None = None) -> RoleAssignment:
        """Give a principal a role in a scope (default: the subscription); it counts after the roles' delay.

        The same again is the one that exists. Raises `NoSuchRole` or `NoSuchPrincipal`.
        """
        found = self.role(role)
        if not self._known(principal):
            raise NoSuchPrincipal(principal)
        where = (subscription_id() if scope is None else scope).rstrip("/")
        with self._lock:
            for held in self.assignments():
                if (held.principal, held.role.guid, held.scope.lower()) == (principal, found.guid, where.lower()):
                    return held
            since = time.time() + self._delays.roles
            assignment = RoleAssignment(name or str(uuid.uuid4()), principal, found, where, since)
            self._assignments[assignment.name] = assignment
        return assignment

    def unassign(self, name: str) -> RoleAssignment | None:
        """Take a role away; it counts until the roles' delay has passed. Returns what there was."""
        with self._lock:
            held = self._assignments.get(name)
            if held is None or held.until != _NEVER:
                return None
            ended = RoleAssignment(
                held.name, held.principal, held.role, held.scope, held.since, time.time() + self._delays.roles
            )
            self._assignments[name] = ended
            return ended

    def forget_below(self, scope: str) -> None:
        """Forget the assignments in a scope, which ends with its resource."""
        with self._lock:
            for name in [name for name, one in self._assignments.items() if covers(scope, one.scope)]:
                del self._assignments[name]

    def assignments(self, *, principal: str | None = None) -> list[RoleAssignment]:
        """Return the assignments that stand, whether they count yet or not."""
        with self._lock:
            return [
                one for one in self._assignments.values() if one.until == _NEVER and principal in {None, one.principal}
            ]

    def allows(self, principal: str, action: str, scope: str, *, data: bool = False) -> bool:
        """Tell whether a principal may do `action` on the resource that `scope` names; `data` for data actions."""
        now = time.time()
        with self._lock:
            held = list(self._assignments.values())
        return any(
            one.principal == principal
            and one.since <= now < one.until
            and covers(one.scope, scope)
            and one.role.grants(action, data=data)
            for one in held
        )


def covers(scope: str, resource: str) -> bool:
    """Tell whether a resource is a scope, or lies below it."""
    above, below = scope.rstrip("/").lower(), resource.rstrip("/").lower()
    return below == above or below.startswith(f"{above}/")
