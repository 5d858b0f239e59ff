"""Know the properties of Graph's objects: which can be written, and of what type each is.

Types: https://learn.microsoft.com/graph/api/resources/application and .../serviceprincipal. What isn't listed is
refused, as Graph refuses properties that its types don't have.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final

from remediator.local.azure.graph.problem import bad

if TYPE_CHECKING:
    from collections.abc import Mapping

_APP_ROLE: Final = {
    "id": "guid",
    "allowedMemberTypes": ["str"],
    "description": "str",
    "displayName": "str",
    "isEnabled": "bool",
    "value": "str",
    "origin": "str",
}
_SCOPE: Final = {
    "id": "guid",
    "adminConsentDescription": "str",
    "adminConsentDisplayName": "str",
    "isEnabled": "bool",
    "type": "str",
    "userConsentDescription": "str",
    "userConsentDisplayName": "str",
    "value": "str",
}
_KEY: Final = {
    "keyId": "guid",
    "customKeyIdentifier": "str",
    "displayName": "str",
    "startDateTime": "str",
    "endDateTime": "str",
    "type": "str",
    "usage": "str",
    "key": "str",
}
APPLICATION: Final[Mapping[str, Any]] = {
    "displayName": "str",
    "uniqueName": "str",
    "description": "str",
    "notes": "str",
    "signInAudience": "str",
    "serviceManagementReference": "str",
    "identifierUris": ["str"],
    "tags": ["str"],
    "appRoles": [_APP_ROLE],
    "keyCredentials": [_KEY],
    "groupMembershipClaims": "str",
    "isFallbackPublicClient": "bool",
    "api": {
        "acceptMappedClaims": "bool",
        "knownClientApplications": ["guid"],
        "requestedAccessTokenVersion": "int",
        "oauth2PermissionScopes": [_SCOPE],
        "preAuthorizedApplications": [{"appId": "guid", "delegatedPermissionIds": ["guid"]}],
    },
    "requiredResourceAccess": [{"resourceAppId": "guid", "resourceAccess": [{"id": "guid", "type": "str"}]}],
    "web": {
        "homePageUrl": "str",
        "logoutUrl": "str",
        "redirectUris": ["str"],
        "implicitGrantSettings": {"enableIdTokenIssuance": "bool", "enableAccessTokenIssuance": "bool"},
    },
}
SERVICE_PRINCIPAL: Final[Mapping[str, Any]] = {
    "appId": "guid",
    "accountEnabled": "bool",
    "appRoleAssignmentRequired": "bool",
    "description": "str",
    "displayName": "str",
    "notes": "str",
    "tags": ["str"],
}
ASSIGNMENT: Final[Mapping[str, Any]] = {"principalId": "guid", "resourceId": "guid", "appRoleId": "guid"}
PASSWORD: Final[Mapping[str, Any]] = {
    "passwordCredential": {"displayName": "str", "startDateTime": "str", "endDateTime": "str"}
}
REMOVAL: Final[Mapping[str, Any]] = {"keyId": "guid"}

_PLAIN: Final = {"str": str, "bool": bool, "int": int}


def check(document: Any, shape: Any, where: str = "") -> None:  # noqa: ANN401 - any JSON value
    """Raise `GraphProblem` unless a value has the shape: an object, a list or a plain type; null may always be."""
    if document is None:
        return
    if isinstance(shape, list):
        if not isinstance(document, list):
            raise bad(f"A value for the collection property '{where}' was expected to be an array.")
        for one in document:
            check(one, shape[0], where)
    elif isinstance(shape, str):
        _check_plain(document, shape, where)
    else:
        _check_object(document, shape, where)


def _check_object(document: Any, shape: Mapping[str, Any], where: str) -> None:  # noqa: ANN401 - as above
    if not isinstance(document, dict):
        raise bad(f"An object was expected for '{where or 'the request body'}'.")
    for name, value in document.items():
        if name.startswith("@odata."):
            continue
        if name not in shape:
            raise bad(f"The property '{name}' does not exist on type of '{where or 'the resource'}'.")
        check(value, shape[name], f"{where}.{name}" if where else name)


def _check_plain(document: Any, shape: str, where: str) -> None:  # noqa: ANN401 - as above
    expected = _PLAIN.get(shape, str)
    if type(document) is not expected:
        raise bad(f"Cannot convert the literal '{document}' to the expected type of property '{where}'.")
    if shape == "guid" and not is_guid(str(document)):
        raise bad(f"Invalid GUID '{document}' specified for property '{where}'.")


def is_guid(text: str) -> bool:
    """Tell whether a text is a GUID in its usual form."""
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
