"""Create, change, delete and restore app registrations.

https://learn.microsoft.com/graph/api/resources/application
"""

from __future__ import annotations

import copy
import time
from typing import TYPE_CHECKING, Any, Final

from remediator.local.azure.graph.documents import EMPTY_API, EMPTY_APPLICATION, password, seconds
from remediator.local.azure.graph.keys import keys_of
from remediator.local.azure.graph.problem import GraphProblem, bad, missing
from remediator.local.azure.graph.properties import APPLICATION, PASSWORD, REMOVAL, check
from remediator.local.azure.places import TENANT, TENANT_DOMAIN

if TYPE_CHECKING:
    from remediator.local.azure.entra.directory import Application, Directory

_AUDIENCES: Final = ("AzureADMyOrg", "AzureADMultipleOrgs", "AzureADandPersonalMicrosoftAccount")
_TOKEN_VERSIONS: Final = (None, 1, 2)
_MEMBERS: Final = frozenset({"User", "Application"})
_COLLECTIONS: Final = ("identifierUris", "tags", "appRoles", "requiredResourceAccess")


class Applications:
    """Write the tenant's own app registrations; all methods raise `GraphProblem`."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def find(self, key: str, *, by_app_id: bool) -> Application:
        """Return an app registration by its object id or its client id."""
        for app in self._directory.applications():
            if key.lower() == (app.app_id if by_app_id else app.object_id):
                return app
        raise missing(key)

    def named(self, unique_name: str) -> Application | None:
        """Return the app registration of a unique name."""
        found = (app for app in self._directory.applications() if app.document["uniqueName"] == unique_name)
        return next(found, None)

    def create(self, document: dict[str, Any], owner: str) -> Application:
        """Register an app; whoever does is its owner."""
        check(document, APPLICATION)
        if not document.get("displayName"):
            raise bad("A value is required for property 'displayName' of resource 'Application'.")
        keys = keys_of(self._directory, None, document.get("keyCredentials") or [])
        merged = _merged({**copy.deepcopy(EMPTY_APPLICATION), "api": copy.deepcopy(EMPTY_API)}, document)
        self._judge(merged, None)
        self._judge_name(merged["uniqueName"])
        app = self._directory.add_application(merged, owner=owner)
        app.keys = keys
        return app

    def change(self, app: Application, document: dict[str, Any]) -> None:
        """Change an app registration: collections are replaced whole, nested objects are merged."""
        check(document, APPLICATION)
        if document.get("uniqueName", app.document["uniqueName"]) != app.document["uniqueName"]:
            raise bad("Property 'uniqueName' is read-only and cannot be set.")
        merged = _merged(copy.deepcopy(app.document), document)
        self._judge(merged, app)
        with self._directory.lock:
            if document.get("keyCredentials") is not None:
                app.keys = keys_of(self._directory, app, document["keyCredentials"])
            app.document = merged
            principal = self._directory.principal_of(app.app_id)
            if principal is not None:
                principal.name = app.name

    def delete(self, app: Application) -> None:
        """Delete an app registration, restorable; its principal goes with it."""
        with self._directory.lock:
            app.deleted = time.time()
            principal = self._directory.principal_of(app.app_id)
            if principal is not None:
                self._directory.remove_principal(principal.object_id)

    def find_deleted(self, object_id: str) -> Application:
        """Return a deleted app registration."""
        for app in self._directory.deleted_applications():
            if app.object_id == object_id.lower():
                return app
        raise missing(object_id)

    def add_password(self, app: Application, document: dict[str, Any]) -> dict[str, Any]:
        """Make a client secret; the answer is the only one that shows it."""
        check(document, PASSWORD)
        given = document.get("passwordCredential") or {}
        if given.get("startDateTime"):
            raise GraphProblem(501, "NotSupported", "The embedded Graph starts secrets now.")
        end = seconds(given["endDateTime"], "endDateTime") if given.get("endDateTime") else None
        made = self._directory.add_password(app, given.get("displayName"), end)
        return {**password(made), "secretText": made.secret}

    def remove_password(self, app: Application, document: dict[str, Any]) -> None:
        """Remove a client secret."""
        check(document, REMOVAL)
        left = tuple(one for one in app.passwords if one.key_id != document.get("keyId"))
        if len(left) == len(app.passwords):
            raise bad(f"No password credential found with keyId '{document.get('keyId')}'.")
        app.passwords = left

    def _judge(self, document: dict[str, Any], app: Application | None) -> None:
        """Refuse what types alone don't tell."""
        if document["signInAudience"] not in _AUDIENCES:
            raise bad("Invalid value specified for property 'signInAudience' of resource 'Application'.")
        if document["api"]["requestedAccessTokenVersion"] not in _TOKEN_VERSIONS:
            raise bad(
                "Invalid value specified for property 'requestedAccessTokenVersion' of resource 'ApiApplication'."
            )
        _judge_clients(document["api"])
        self._judge_uris(document["identifierUris"], app)
        _judge_roles(document["appRoles"], app.document["appRoles"] if app else [])

    def _judge_name(self, name: str | None) -> None:
        """Refuse a unique name that is in use, by a deleted app registration too."""
        others = (*self._directory.applications(), *self._directory.deleted_applications())
        if name is not None and any(other.document["uniqueName"] == name for other in others):
            what = "Another object with the same value for property uniqueName already exists."
            raise GraphProblem(409, "ObjectConflict", what)

    def _judge_uris(self, uris: list[str], app: Application | None) -> None:
        own = (f"api://{app.app_id}",) if app else ()
        for uri in uris:
            verified = uri.startswith((f"api://{TENANT}/", f"https://{TENANT_DOMAIN}/", f"api://{TENANT_DOMAIN}/"))
            if not verified and not any(uri == one or uri.startswith(f"{one}/") for one in own):
                what = (
                    "Values of identifierUris property must use a verified domain of the organization or its "
                    f"subdomain: '{uri}'"
                )
                raise GraphProblem(400, "HostNameNotOnVerifiedDomain", what)
        for other in self._directory.applications():
            if other is not app and set(uris) & set(other.document["identifierUris"]):
                what = "Another object with the same value for property identifierUris already exists."
                raise GraphProblem(400, "Request_BadRequest", what)


def _merged(document: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    for name, value in given.items():
        if name.startswith("@odata.") or name == "keyCredentials":
            continue
        if isinstance(value, dict):
            document[name] = _merged(dict(document.get(name) or {}), value)
        else:
            document[name] = [] if value is None and name in _COLLECTIONS else value
    return document


def _judge_clients(api: dict[str, Any]) -> None:
    """Refuse to authorize clients for scopes that the API doesn't have."""
    scopes = {scope["id"] for scope in api["oauth2PermissionScopes"]}
    for client in api["preAuthorizedApplications"]:
        if unknown := set(client.get("delegatedPermissionIds") or ()) - scopes:
            what = (
                f"Property api.preAuthorizedApplications refers to a permission '{min(unknown)}' that can't be found."
            )
            raise GraphProblem(400, "InvalidValue", what)


def _judge_roles(roles: list[dict[str, Any]], before: list[dict[str, Any]]) -> None:
    for role in roles:
        needed = ("id", "allowedMemberTypes", "description", "displayName", "value")
        if lacking := [name for name in needed if not role.get(name)]:
            raise bad(f"Invalid value specified for property '{lacking[0]}' of resource 'AppRole'.")
        if not set(role["allowedMemberTypes"]) <= _MEMBERS:
            raise bad("Invalid value specified for property 'allowedMemberTypes' of resource 'AppRole'.")
        role.setdefault("isEnabled", True)
        role.setdefault("origin", "Application")
    for name in ("id", "value"):
        values = [role[name].lower() for role in roles]
        if len(values) != len(set(values)):
            raise bad(f"It contains duplicate value. Please Provide unique value for property '{name}' of 'AppRole'.")
    kept = {role["id"] for role in roles}
    if any(role["isEnabled"] and role["id"] not in kept for role in before):
        what = "Property value cannot be deleted unless it is disabled first."
        raise GraphProblem(400, "CannotDeleteOrUpdateEnabledEntitlement", what)
