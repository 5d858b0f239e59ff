"""Answer for Microsoft.Authorization in Resource Manager: role definitions and role assignments.

https://learn.microsoft.com/rest/api/authorization/role-assignments and .../role-definitions
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from remediator.local.azure.exchange import NO_CONTENT, Answer, Request, json_answer
from remediator.local.azure.places import TENANT_DOMAIN, subscription_id
from remediator.local.azure.rbac.documents import (
    Unfit,
    assignment,
    definition,
    wanted_assignment,
    wanted_definition,
)
from remediator.local.azure.rbac.roles import NoSuchPrincipal, NoSuchRole, covers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.local.azure.rbac.roles import Rbac

VERSIONS: Final = ("2015-07-01", "2022-04-01")
_GUID: Final = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_PATH: Final = re.compile(
    rf"(?P<scope>/?|/.+)/providers/Microsoft\.Authorization/(?P<kind>role(?:Assignments|Definitions))(?:/(?P<name>{_GUID}))?",
    re.IGNORECASE,
)
_FILTER: Final = re.compile(r"(principalId|roleName|type) eq '([^']*)'|(atScope\(\))")
_ACTIONS: Final = {"GET": "read", "PUT": "write", "DELETE": "delete"}


class Asked:
    """Hold what a request is about."""

    def __init__(self, request: Request, match: re.Match[str]) -> None:
        self.scope = match["scope"].rstrip("/")
        self.definitions = match["kind"].lower() == "roledefinitions"
        self.name = match["name"].lower() if match["name"] else None
        self.method = request.method
        self.body = request.body
        self.query = request.query

    @property
    def operation(self) -> str:
        """Return the operation that the caller needs a right to."""
        kind = "roleDefinitions" if self.definitions else "roleAssignments"
        return f"Microsoft.Authorization/{kind}/{_ACTIONS[self.method]}"


class Authorization:
    """Serve one tenant's roles."""

    def __init__(self, rbac: Rbac) -> None:
        self._rbac = rbac

    def understand(self, request: Request) -> Asked | None:
        """Return what a request is about; None if it isn't about roles. Raises `Unfit`."""
        match = _PATH.fullmatch(request.path.rstrip("/"))
        if match is None:
            return None
        if request.query.get("api-version") not in VERSIONS:
            what = f"No registered resource provider found for API version '{request.query.get('api-version')}'."
            raise Unfit(400, "NoRegisteredProviderFound", what)
        if request.method not in _ACTIONS or (request.method != "GET" and match["name"] is None):
            raise Unfit(405, "MethodNotAllowed", f"The resource does not support http method '{request.method}'.")
        return Asked(request, match)

    def perform(self, asked: Asked) -> Answer:
        """Carry it out; raises `Unfit`."""
        kind = "definition" if asked.definitions else "assignment"
        verb = "list" if asked.name is None else _ACTIONS[asked.method]
        answer: Answer = getattr(self, f"_{verb}_{kind}")(asked)
        return answer

    def _list_assignment(self, asked: Asked) -> Answer:
        wanted, at_scope = _filter(asked.query, ("principalId",))
        found = [
            one
            for one in self._rbac.assignments()
            if (covers(one.scope, asked.scope) or (not at_scope and covers(asked.scope, one.scope)))
            and wanted.get("principalId", one.principal) == one.principal
        ]
        return _ok({"value": [assignment(one, subscription_id()) for one in found]})

    def _read_assignment(self, asked: Asked) -> Answer:
        for one in self._rbac.assignments():
            if one.name == asked.name and one.scope.lower() == asked.scope.lower():
                return _ok(assignment(one, subscription_id()))
        raise Unfit(404, "RoleAssignmentNotFound", f"The role assignment '{asked.name}' is not found.")

    def _write_assignment(self, asked: Asked) -> Answer:
        role, principal = wanted_assignment(asked.body)
        before = {one.name for one in self._rbac.assignments()}
        try:
            made = self._rbac.assign(principal, role, asked.scope, asked.name)
        except NoSuchRole:
            raise Unfit(
                400, "RoleDefinitionDoesNotExist", f"The specified role definition '{role}' does not exist."
            ) from None
        except NoSuchPrincipal:
            what = f"Principal {principal.replace('-', '')} does not exist in the directory {TENANT_DOMAIN}."
            raise Unfit(400, "PrincipalNotFound", what) from None
        if made.name != asked.name:
            raise Unfit(409, "RoleAssignmentExists", "The role assignment already exists.")
        status = HTTPStatus.OK if made.name in before else HTTPStatus.CREATED
        return json_answer(status, assignment(made, subscription_id()))

    def _delete_assignment(self, asked: Asked) -> Answer:
        gone = self._rbac.unassign(str(asked.name))
        return NO_CONTENT if gone is None else _ok(assignment(gone, subscription_id()))

    def _list_definition(self, asked: Asked) -> Answer:
        wanted, _ = _filter(asked.query, ("roleName", "type"))
        found = [
            definition(role, subscription_id())
            for role in self._rbac.definitions()
            if wanted.get("roleName", role.name) == role.name
        ]
        kept = [one for one in found if wanted.get("type", one["properties"]["type"]) == one["properties"]["type"]]
        return _ok({"value": kept})

    def _read_definition(self, asked: Asked) -> Answer:
        try:
            return _ok(definition(self._rbac.role(str(asked.name)), subscription_id()))
        except NoSuchRole:
            raise _no_definition(asked) from None

    def _write_definition(self, asked: Asked) -> Answer:
        role = wanted_definition(str(asked.name), asked.body)
        for other in self._rbac.definitions():
            if other.name == role.name and other.guid != role.guid:
                what = f"A custom role with the same name '{role.name}' already exists in this directory."
                raise Unfit(409, "RoleDefinitionWithSameNameExists", what)
            if other.guid == role.guid and not other.custom:
                raise Unfit(403, "RoleDefinitionCannotBeModified", "A built-in role can't be changed.")
        self._rbac.define(role)
        return json_answer(HTTPStatus.CREATED, definition(role, subscription_id()))

    def _delete_definition(self, asked: Asked) -> Answer:
        try:
            role = self._rbac.role(str(asked.name))
        except NoSuchRole:
            return NO_CONTENT
        if any(one.role.guid == role.guid for one in self._rbac.assignments()):
            what = "There are existing role assignments referencing role."
            raise Unfit(400, "RoleDefinitionHasAssignments", what)
        self._rbac.undefine(role.guid)
        return _ok(definition(role, subscription_id()))


def _filter(query: Mapping[str, str], known: tuple[str, ...]) -> tuple[dict[str, str], bool]:
    """Return what `$filter` asks for; raises `Unfit` for what isn't understood."""
    if "$filter" not in query:
        return {}, False
    found: dict[str, str] = {}
    at_scope = False
    for clause in query["$filter"].split(" and "):
        match = _FILTER.fullmatch(clause.strip())
        if match is None or (not match[3] and match[1] not in known):
            raise Unfit(400, "UnsupportedFilter", f"The filter '{clause}' isn't one that the embedded Azure knows.")
        if match[3]:
            at_scope = True
        else:
            found[str(match[1])] = match[2]
    return found, at_scope


def _no_definition(asked: Asked) -> Unfit:
    return Unfit(
        404, "RoleDefinitionDoesNotExist", f"The specified role definition with ID '{asked.name}' does not exist."
    )


def _ok(document: dict[str, Any]) -> Answer:
    return json_answer(HTTPStatus.OK, document)
