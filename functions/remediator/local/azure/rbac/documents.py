"""Read and write the JSON of role definitions and role assignments; what isn't in the specification is refused."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from remediator.local.azure.rbac.definitions import RoleDefinition

if TYPE_CHECKING:
    from remediator.local.azure.rbac.roles import RoleAssignment

_DEFINITIONS: Final = "Microsoft.Authorization/roleDefinitions"
_ASSIGNMENTS: Final = "Microsoft.Authorization/roleAssignments"
_ACTION: Final = re.compile(r"\*|(?:\*/|[A-Za-z0-9.]+/)[A-Za-z0-9./*_-]+")
_KINDS: Final = ("actions", "notActions", "dataActions", "notDataActions")
_ASSIGNMENT_PROPERTIES: Final = frozenset({"roleDefinitionId", "principalId", "principalType", "description"})
_DEFINITION_PROPERTIES: Final = frozenset({"roleName", "description", "type", "permissions", "assignableScopes"})
_LONGEST_DESCRIPTION: Final = 1024


class Unfit(Exception):  # noqa: N818 - errors are named for what is the case
    """Refuse a request or what it says."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def assignment(one: RoleAssignment, subscription: str) -> dict[str, Any]:
    """Return a role assignment."""
    properties = {
        "roleDefinitionId": role_id(one.role, subscription),
        "principalId": one.principal,
        "principalType": "ServicePrincipal",
        "scope": one.scope or "/",
    }
    return {"properties": properties, "id": one.id, "type": _ASSIGNMENTS, "name": one.name}


def definition(role: RoleDefinition, subscription: str) -> dict[str, Any]:
    """Return a role definition."""
    permission = {
        "actions": list(role.actions),
        "notActions": list(role.not_actions),
        "dataActions": list(role.data_actions),
        "notDataActions": list(role.not_data_actions),
    }
    properties = {
        "roleName": role.name,
        "type": "CustomRole" if role.custom else "BuiltInRole",
        "description": role.description,
        "assignableScopes": list(role.scopes),
        "permissions": [permission],
    }
    return {"properties": properties, "id": role_id(role, subscription), "type": _DEFINITIONS, "name": role.guid}


def role_id(role: RoleDefinition, subscription: str) -> str:
    """Return a role's id as the subscription shows it."""
    return f"{subscription}{role.id}"


def wanted_assignment(body: bytes) -> tuple[str, str]:
    """Return role and principal of an assignment to make; raises `Unfit`."""
    properties = _properties(body, _ASSIGNMENT_PROPERTIES)
    role, principal = properties.get("roleDefinitionId"), properties.get("principalId")
    if not isinstance(role, str) or not isinstance(principal, str):
        raise Unfit(400, "InvalidRequestContent", "The request content was invalid: a role and a principal are needed.")
    return role, principal


def wanted_definition(guid: str, body: bytes) -> RoleDefinition:
    """Return a custom role to define; raises `Unfit`."""
    properties = _properties(body, _DEFINITION_PROPERTIES)
    name, scopes, permissions = (properties.get(part) for part in ("roleName", "assignableScopes", "permissions"))
    if not isinstance(name, str) or not name:
        raise Unfit(400, "RoleDefinitionNameNullOrEmpty", "The role definition name cannot be null or empty.")
    if not _texts(scopes) or not scopes:
        raise Unfit(400, "MissingAssignableScopes", "The role definition assignable scopes cannot be null or empty.")
    if not isinstance(permissions, list) or len(permissions) != 1 or not isinstance(permissions[0], dict):
        raise Unfit(400, "RoleDefinitionPermissionsInvalid", "The role definition needs exactly one permission.")
    description = properties.get("description") or ""
    if not isinstance(description, str) or len(description) > _LONGEST_DESCRIPTION:
        raise Unfit(400, "InvalidRequestContent", "The request content was invalid: 'description'.")
    actions, not_actions, data_actions, not_data_actions = _permission(permissions[0])
    return RoleDefinition(
        guid, name, actions, not_actions, data_actions, not_data_actions, tuple(scopes), True, description
    )


def _permission(permission: dict[str, Any]) -> tuple[tuple[str, ...], ...]:
    if unknown := sorted(permission.keys() - set(_KINDS)):
        raise _unknown(unknown[0])
    found = tuple(permission.get(kind) or [] for kind in _KINDS)
    if not all(_texts(part) for part in found):
        raise Unfit(400, "InvalidRequestContent", "The request content was invalid: actions are lists of strings.")
    for action in (one for part in found for one in part):
        if not _ACTION.fullmatch(action):
            what = f"'{action}' does not match any of the actions supported by the providers."
            raise Unfit(400, "InvalidActionOrNotAction", what)
    return tuple(tuple(part) for part in found)


def _properties(body: bytes, known: frozenset[str]) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        raise Unfit(400, "InvalidRequestContent", "The request content was invalid: it isn't JSON.") from None
    properties = document.get("properties") if isinstance(document, dict) else None
    if not isinstance(properties, dict):
        raise Unfit(400, "InvalidRequestContent", "The request content was invalid: 'properties' is needed.")
    if unknown := sorted((document.keys() - {"properties", "name", "id", "type"}) | (properties.keys() - known)):
        raise _unknown(unknown[0])
    return properties


def _unknown(name: str) -> Unfit:
    what = f"The request content was invalid and could not be deserialized: Could not find member '{name}'."
    return Unfit(400, "InvalidRequestContent", what)


def _texts(value: Any) -> bool:  # noqa: ANN401 - any JSON value
    return isinstance(value, list) and all(isinstance(one, str) for one in value)
