"""Create, change and delete service principals, and give them app roles.

https://learn.microsoft.com/graph/api/resources/serviceprincipal and .../approleassignment
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remediator.local.azure.graph.problem import GraphProblem, bad, missing
from remediator.local.azure.graph.properties import ASSIGNMENT, SERVICE_PRINCIPAL, check
from remediator.local.azure.places import TENANT

if TYPE_CHECKING:
    from remediator.local.azure.entra.directory import AppRoleAssignment, Directory, ServicePrincipal


class Principals:
    """Write the tenant's principals; all methods raise `GraphProblem`."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def find(self, key: str, *, by_app_id: bool) -> ServicePrincipal:
        """Return a principal by its object id or its app's client id."""
        found = self._directory.principal_of(key.lower()) if by_app_id else self._directory.principal(key.lower())
        if found is None:
            raise missing(key)
        return found

    def create(self, document: dict[str, Any], owner: str) -> ServicePrincipal:
        """Make an app's principal in this tenant."""
        check(document, SERVICE_PRINCIPAL)
        app_id = str(document.get("appId") or "")
        app = self._directory.application(app_id)
        if app is None or (app.tenant != TENANT and app.document["signInAudience"] == "AzureADMyOrg"):
            what = f"The appId '{app_id}' of the service principal does not reference a valid application object."
            raise GraphProblem(400, "NoBackingApplicationObject", what)
        with self._directory.lock:
            if self._directory.principal_of(app_id) is not None:
                what = (
                    "The service principal cannot be created, updated, or restored because the service principal name "
                    f"{app_id} is already in use."
                )
                raise GraphProblem(409, "Request_MultipleObjectsWithSameKeyValue", what)
            kept = {name: value for name, value in document.items() if name != "appId"}
            made = self._directory.add_principal(app_id, app.name, home=app.tenant, document=kept)
            made.owners.add(owner)
        return made

    def change(self, principal: ServicePrincipal, document: dict[str, Any]) -> None:
        """Change a principal."""
        check(document, SERVICE_PRINCIPAL)
        if "appId" in document and document["appId"] != principal.app_id:
            raise bad("Property 'appId' is read-only and cannot be set.")
        principal.document = {**principal.document, **document}

    def delete(self, principal: ServicePrincipal) -> None:
        """Delete a principal, with every role that it has or gives."""
        if principal.kind == "ManagedIdentity":
            raise bad("Managed identities are deleted through Azure Resource Manager.")
        self._directory.remove_principal(principal.object_id)

    def assign(self, document: dict[str, Any]) -> AppRoleAssignment:
        """Give a principal one of a resource's app roles."""
        check(document, ASSIGNMENT)
        if lacking := [name for name in ASSIGNMENT if not document.get(name)]:
            raise bad(f"One or more properties are invalid: '{lacking[0]}' is missing.")
        holder = self.find(document["principalId"], by_app_id=False)
        resource = self.find(document["resourceId"], by_app_id=False)
        wanted = document["appRoleId"].lower()
        offered = {role["id"]: role for role in self._directory.roles_of(resource)}
        if wanted not in offered or "Application" not in offered[wanted]["allowedMemberTypes"]:
            raise bad("Permission being assigned was not found on application.")
        with self._directory.lock:
            held = self._directory.assignments(principal=holder.object_id, resource=resource.object_id)
            if any(one.role == wanted for one in held):
                raise bad("Permission being assigned already exists on the object.")
            return self._directory.assign(holder.object_id, resource.object_id, wanted)

    def unassign(self, principal: ServicePrincipal, assignment_id: str) -> None:
        """Take an app role away; `principal` is whoever has it or gives it."""
        with self._directory.lock:
            for one in self._directory.assignments():
                if one.id == assignment_id and principal.object_id in {one.principal, one.resource}:
                    self._directory.unassign(assignment_id)
                    return
        raise missing(assignment_id)
