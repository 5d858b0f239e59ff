"""Carry out the operations that Graph offers on apps and their principals."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from remediator.local.azure.entra.first_party import APPLICATION_WRITE
from remediator.local.azure.exchange import NO_CONTENT, Answer, json_answer
from remediator.local.azure.graph import documents
from remediator.local.azure.graph.applications import Applications
from remediator.local.azure.graph.principals import Principals
from remediator.local.azure.graph.problem import GraphProblem, bad, missing
from remediator.local.azure.graph.queries import chosen, filtered, selected

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.local.azure.entra.directory import Application, AppRoleAssignment, Directory, ServicePrincipal
    from remediator.local.azure.entra.tokens import Caller

Owned = TypeVar("Owned", "Application", "ServicePrincipal")

_CONTEXT = "https://graph.microsoft.com/v1.0/$metadata#"


@dataclass(frozen=True, slots=True)
class Asked:
    """Hold what a request asks: who, with which options, for what, with what body."""

    caller: Caller
    query: Mapping[str, str]
    parts: Mapping[str, str | None]
    document: dict[str, Any]
    prefer: str


class Operations:
    """Carry out one request."""

    def __init__(self, directory: Directory, asked: Asked) -> None:
        self._directory = directory
        self._applications = Applications(directory)
        self._principals = Principals(directory)
        self._caller = asked.caller
        self._query = asked.query
        self._parts = asked.parts
        self._document = asked.document
        self._prefer = asked.prefer

    def list_applications(self) -> Answer:
        """List app registrations; certificates' bytes are never in a list."""
        return self._list("applications", [documents.application(app) for app in self._directory.applications()])

    def create_application(self) -> Answer:
        """Register an app."""
        app = self._applications.create(self._document, self._caller.object_id)
        return self._created("applications", documents.application(app, with_keys=True))

    def get_application(self) -> Answer:
        """Return an app registration, with certificates' bytes if they are asked for by name."""
        names = chosen(self._query)
        shown = documents.application(self._application(), with_keys="keyCredentials" in (names or ()))
        return self._one("applications", selected(shown, names))

    def update_application(self) -> Answer:
        """Change an app registration."""
        self._applications.change(self._owned(self._application()), self._document)
        return NO_CONTENT

    def upsert_application(self) -> Answer:
        """Change the app registration of a unique name, or make it where that is preferred."""
        name = str(self._parts["name"])
        app = self._applications.named(name)
        if app is not None:
            self._applications.change(self._owned(app), self._document)
            return NO_CONTENT
        if self._prefer != "create-if-missing":
            raise missing(name)
        made = self._applications.create({**self._document, "uniqueName": name}, self._caller.object_id)
        return self._created("applications", documents.application(made, with_keys=True))

    def delete_application(self) -> Answer:
        """Delete an app registration, restorable."""
        self._applications.delete(self._owned(self._application()))
        return NO_CONTENT

    def add_password(self) -> Answer:
        """Make a client secret."""
        made = self._applications.add_password(self._owned(self._application()), self._document)
        return json_answer(HTTPStatus.OK, {"@odata.context": f"{_CONTEXT}microsoft.graph.passwordCredential", **made})

    def remove_password(self) -> Answer:
        """Remove a client secret."""
        self._applications.remove_password(self._owned(self._application()), self._document)
        return NO_CONTENT

    def list_deleted(self) -> Answer:
        """List deleted app registrations."""
        deleted = [documents.application(app) for app in self._directory.deleted_applications()]
        return self._list("directoryObjects", deleted)

    def purge_application(self) -> Answer:
        """Forget a deleted app registration for good."""
        self._directory.purge_application(self._owned(self._deleted()).object_id)
        return NO_CONTENT

    def restore_application(self) -> Answer:
        """Bring a deleted app registration back; its principal has to be made anew."""
        app = self._owned(self._deleted())
        app.deleted = None
        return self._one("directoryObjects/$entity", documents.application(app))

    def list_principals(self) -> Answer:
        """List principals."""
        shown = [documents.principal(self._directory, one) for one in self._directory.principals()]
        return self._list("servicePrincipals", shown)

    def create_principal(self) -> Answer:
        """Make an app's principal."""
        app = self._directory.application(str(self._document.get("appId") or ""))
        if app is not None:
            self._owned(app)
        made = self._principals.create(self._document, self._caller.object_id)
        return self._created("servicePrincipals", documents.principal(self._directory, made))

    def get_principal(self) -> Answer:
        """Return a principal."""
        shown = documents.principal(self._directory, self._principal())
        return self._one("servicePrincipals", selected(shown, chosen(self._query)))

    def update_principal(self) -> Answer:
        """Change a principal."""
        self._principals.change(self._owned(self._principal()), self._document)
        return NO_CONTENT

    def delete_principal(self) -> Answer:
        """Delete a principal."""
        self._principals.delete(self._owned(self._principal()))
        return NO_CONTENT

    def list_assigned_to(self) -> Answer:
        """List who has roles of a resource."""
        return self._list_assignments(self._directory.assignments(resource=self._principal().object_id))

    def list_assignments(self) -> Answer:
        """List the roles that a principal has."""
        return self._list_assignments(self._directory.assignments(principal=self._principal().object_id))

    def assign_as_resource(self) -> Answer:
        """Give one of the resource's roles."""
        if self._document.get("resourceId") != self._principal().object_id:
            raise bad("The resourceId isn't the resource that the path names.")
        return self._assigned()

    def assign_as_principal(self) -> Answer:
        """Give a role to the principal."""
        if self._document.get("principalId") != self._principal().object_id:
            raise bad("The principalId isn't the principal that the path names.")
        return self._assigned()

    def unassign(self) -> Answer:
        """Take a role away."""
        self._principals.unassign(self._principal(), str(self._parts["assignment"]))
        return NO_CONTENT

    def _assigned(self) -> Answer:
        made = self._principals.assign(self._document)
        return self._created("appRoleAssignments", documents.assignment(self._directory, made))

    def _list_assignments(self, found: list[AppRoleAssignment]) -> Answer:
        return self._list("appRoleAssignments", [documents.assignment(self._directory, one) for one in found])

    def _application(self) -> Application:
        name = self._parts.get("name")
        if name is not None:
            found = self._applications.named(name)
            if found is None:
                raise missing(name)
            return found
        return self._applications.find(str(self._parts["id"] or self._parts["app_id"]), by_app_id=not self._parts["id"])

    def _deleted(self) -> Application:
        return self._applications.find_deleted(str(self._parts["id"]))

    def _principal(self) -> ServicePrincipal:
        return self._principals.find(str(self._parts["id"] or self._parts["app_id"]), by_app_id=not self._parts["id"])

    def _owned(self, thing: Owned) -> Owned:
        """Return a thing that the caller may write: any, or only its own."""
        if APPLICATION_WRITE not in self._caller.roles and self._caller.object_id not in thing.owners:
            message = "Insufficient privileges to complete the operation."
            raise GraphProblem(403, "Authorization_RequestDenied", message)
        return thing

    def _list(self, kind: str, found: list[dict[str, Any]]) -> Answer:
        names = chosen(self._query)
        shown = [selected(one, names) for one in filtered(found, self._query)]
        return json_answer(HTTPStatus.OK, {"@odata.context": f"{_CONTEXT}{kind}", "value": shown})

    def _one(self, kind: str, document: dict[str, Any]) -> Answer:
        return json_answer(HTTPStatus.OK, {"@odata.context": f"{_CONTEXT}{kind}/$entity", **document})

    def _created(self, kind: str, document: dict[str, Any]) -> Answer:
        return json_answer(HTTPStatus.CREATED, {"@odata.context": f"{_CONTEXT}{kind}/$entity", **document})
