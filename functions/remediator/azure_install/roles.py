"""Give the remediator app registration exactly the roles that the enabled fixes need, in the given scopes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from remediator.catalogue.azure.roles import service_roles
from remediator.catalogue.registry import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from remediator.azure_install.plan import Site
    from remediator.azure_install.rest import Rest

API: Final = "api-version=2022-04-01"
AUTHORIZATION: Final = "providers/Microsoft.Authorization"


DESCRIPTION: Final = 1024
"""Characters that Azure takes of a role's description."""


@dataclass(frozen=True, slots=True)
class CustomRole:
    """Hold a custom role of one installation."""

    id: str
    name: str
    description: str
    actions: tuple[str, ...]

    def definition(self, scopes: Sequence[str]) -> dict[str, Any]:
        """Return the role's definition, assignable in these scopes and nowhere else."""
        permissions = {"actions": list(self.actions), "notActions": [], "dataActions": [], "notDataActions": []}
        return {
            "roleName": self.name,
            "description": self.description,
            "type": "CustomRole",
            "permissions": [permissions],
            "assignableScopes": list(scopes),
        }


def custom_roles(site: Site, fixes: Iterable[str]) -> list[CustomRole]:
    """Return the roles that the catalogue derives for these fixes, under this installation's own names and ids."""
    return [
        CustomRole(
            id=site.id_of("role", role.service),
            name=f"Remediator {role.service} {site.key}",
            description=f"Lets Remediator run: {', '.join(role.fixes)}."[:DESCRIPTION],
            actions=role.actions,
        )
        for role in service_roles(load(one) for one in fixes)
    ]


class Roles:
    """Look up and change roles of one installation."""

    def __init__(self, arm: Rest, site: Site) -> None:
        self._arm = arm
        self._site = site
        self._subscription = f"/subscriptions/{site.subscription}"

    def definition(self, role: CustomRole, scopes: Sequence[str]) -> Mapping[str, Any] | None:
        """Return a role's definition as it stands, or None."""
        found = self._arm.get(_definition(role, scopes))
        return found["properties"] if found else None

    def held(self, principal: str) -> dict[str, Mapping[str, Any]]:
        """Return a service principal's assignments in the subscription: id → properties, in lower case."""
        query = f"$filter=principalId%20eq%20'{principal}'&{API}"
        found = self._arm.listed(f"{self._subscription}/{AUTHORIZATION}/roleAssignments?{query}")
        return {one["id"].lower(): one["properties"] for one in found}

    def wanted(self, principal: str, roles: Iterable[CustomRole], scopes: Iterable[str]) -> dict[str, str]:
        """Return the assignments that must be: id → id of the role's definition."""
        return {
            f"{scope}/{AUTHORIZATION}/roleAssignments/{self._site.id_of('grant', scope, role.id, principal)}": role.id
            for scope in scopes
            for role in roles
        }

    def ensure(self, principal: str, roles: Sequence[CustomRole], scopes: Sequence[str]) -> bool:
        """Let the principal hold exactly these roles in exactly these scopes; tell whether anything was changed.

        What is too much goes first: a role doesn't give up a scope in which somebody still holds it.
        """
        changed = False
        wanted, held = self.wanted(principal, roles, scopes), self.held(principal)
        for assignment in held.keys() - {one.lower() for one in wanted}:
            self._arm.delete(f"{assignment}?{API}")
            changed = True
        for role in roles:
            if not self.is_current(role, scopes):
                self._arm.ask("PUT", _definition(role, scopes), {"properties": role.definition(scopes)})
                changed = True
        for assignment, role_id in wanted.items():
            if assignment.lower() not in held:
                self._assign(assignment, role_id, principal)
                changed = True
        return changed

    def is_current(self, role: CustomRole, scopes: Sequence[str]) -> bool:
        """Tell whether a role stands as it must."""
        found = self.definition(role, scopes)
        if found is None:
            return False
        (permission,) = found["permissions"]
        same_actions = {one.lower() for one in permission["actions"]} == {one.lower() for one in role.actions}
        return same_actions and _lower(found["assignableScopes"]) == _lower(scopes) and not permission["dataActions"]

    def remove(self, principal: str | None, roles: Iterable[CustomRole], scopes: Sequence[str]) -> bool:
        """Take every role from the principal and delete the definitions; tell whether there were any."""
        changed = False
        for assignment in self.held(principal) if principal else ():
            changed |= self._arm.delete(f"{assignment}?{API}")
        for role in roles:
            changed |= self.definition(role, scopes) is not None and self._arm.delete(_definition(role, scopes))
        return changed

    def withdraw(self, principal: str, resource: str) -> bool:
        """Take every role on a resource, and on what is in it, from a principal; tell whether it held one."""
        scope = f"{resource.lower()}/"
        held = [one for one in self.held(principal) if one.startswith(scope)]
        for assignment in held:
            self._arm.delete(f"{assignment}?{API}")
        return bool(held)

    def _assign(self, assignment: str, role_id: str, principal: str) -> None:
        properties = {
            "roleDefinitionId": f"{self._subscription}/{AUTHORIZATION}/roleDefinitions/{role_id}",
            "principalId": principal,
            "principalType": "ServicePrincipal",
        }
        self._arm.ask("PUT", f"{assignment}?{API}", {"properties": properties})


def _definition(role: CustomRole, scopes: Sequence[str]) -> str:
    """Return where a role is defined: at its first scope, since above its scopes Azure doesn't show it."""
    return f"{scopes[0]}/{AUTHORIZATION}/roleDefinitions/{role.id}?{API}"


def _lower(texts: Iterable[str]) -> set[str]:
    return {text.lower() for text in texts}
