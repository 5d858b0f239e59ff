"""Show apps, principals and assignments as Graph does."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from remediator.local.azure.entra.tokens import thumbprints
from remediator.local.azure.graph.problem import bad

if TYPE_CHECKING:
    from remediator.local.azure.entra.directory import (
        Application,
        AppRoleAssignment,
        Directory,
        Key,
        Password,
        ServicePrincipal,
    )

EMPTY_APPLICATION: Final[dict[str, Any]] = {
    "uniqueName": None,
    "description": None,
    "notes": None,
    "signInAudience": "AzureADMyOrg",
    "serviceManagementReference": None,
    "identifierUris": [],
    "tags": [],
    "appRoles": [],
    "groupMembershipClaims": None,
    "isFallbackPublicClient": None,
    "requiredResourceAccess": [],
    "web": {
        "homePageUrl": None,
        "logoutUrl": None,
        "redirectUris": [],
        "implicitGrantSettings": {"enableIdTokenIssuance": False, "enableAccessTokenIssuance": False},
    },
}
EMPTY_API: Final[dict[str, Any]] = {
    "acceptMappedClaims": None,
    "knownClientApplications": [],
    "requestedAccessTokenVersion": None,
    "oauth2PermissionScopes": [],
    "preAuthorizedApplications": [],
}


def application(app: Application, *, with_keys: bool = False) -> dict[str, Any]:
    """Return an app registration; certificates' bytes only where they were asked for by name."""
    shown = {
        "id": app.object_id,
        "appId": app.app_id,
        "createdDateTime": moment(app.created),
        "deletedDateTime": None if app.deleted is None else moment(app.deleted),
        "publisherDomain": "customer.onmicrosoft.com",
        **app.document,
        "keyCredentials": [_key(key, with_value=with_keys) for key in app.keys],
        "passwordCredentials": [password(one) for one in app.passwords],
    }
    return dict(sorted(shown.items()))


def principal(directory: Directory, one: ServicePrincipal) -> dict[str, Any]:
    """Return a service principal."""
    app = directory.application(one.app_id)
    uris = list(app.document["identifierUris"]) if app else []
    names = [one.app_id, *uris] if one.first_party is None else [one.app_id, *one.first_party.resources]
    shown = {
        "id": one.object_id,
        "appId": one.app_id,
        "displayName": one.name,
        "appDisplayName": one.name,
        "appOwnerOrganizationId": one.home,
        "servicePrincipalType": one.kind,
        "servicePrincipalNames": names,
        "createdDateTime": moment(one.created),
        "deletedDateTime": None,
        "accountEnabled": one.enabled,
        "appRoleAssignmentRequired": one.assignment_required,
        "appRoles": directory.roles_of(one),
        "oauth2PermissionScopes": list(app.document["api"]["oauth2PermissionScopes"]) if app else [],
        "alternativeNames": [] if one.resource_id is None else ["isExplicit=True", one.resource_id],
        "tags": list(one.document.get("tags") or ()),
        "notes": one.document.get("notes"),
        "description": one.document.get("description"),
        "keyCredentials": [],
        "passwordCredentials": [],
    }
    return dict(sorted(shown.items()))


def assignment(directory: Directory, one: AppRoleAssignment) -> dict[str, Any]:
    """Return an app role assignment."""
    holder, resource = directory.principal(one.principal), directory.principal(one.resource)
    return {
        "id": one.id,
        "deletedDateTime": None,
        "appRoleId": one.role,
        "createdDateTime": moment(one.created),
        "principalDisplayName": holder.name if holder else None,
        "principalId": one.principal,
        "principalType": "ServicePrincipal",
        "resourceDisplayName": resource.name if resource else None,
        "resourceId": one.resource,
    }


def password(one: Password) -> dict[str, Any]:
    """Return a client secret, without its value."""
    return {
        "customKeyIdentifier": None,
        "displayName": one.name,
        "endDateTime": moment(one.end),
        "hint": one.secret[:3],
        "keyId": one.key_id,
        "secretText": None,
        "startDateTime": moment(one.start),
    }


def _key(key: Key, *, with_value: bool) -> dict[str, Any]:
    return {
        "customKeyIdentifier": thumbprints(key.certificate)[1].hex().upper(),
        "displayName": key.name,
        "endDateTime": moment(key.end),
        "key": base64.b64encode(key.certificate).decode() if with_value else None,
        "keyId": key.key_id,
        "startDateTime": moment(key.start),
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
    }


def moment(seconds: float) -> str:
    """Return a moment in Graph's form."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(text: str, where: str) -> float:
    """Return what a moment in Graph's form is in Unix seconds; raises `GraphProblem`."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise bad(f"Cannot convert the literal '{text}' to the expected type of property '{where}'.") from None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
