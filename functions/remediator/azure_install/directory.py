"""Keep the app registrations, their service principals and who may call, in Microsoft Graph.

Every registration is found by its `uniqueName`, which the directory lets nobody use twice: a crash after making one
leaves nothing that the next run doesn't find.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from remediator.azure.callers import OPERATOR_ROLE, READER_ROLE
from remediator.azure_install.certificates import thumbprint_of
from remediator.azure_install.rest import NOT_FOUND, AzureRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from remediator.azure_install.certificates import Made
    from remediator.azure_install.plan import Site
    from remediator.azure_install.rest import Rest

ONE_TENANT: Final = "AzureADMyOrg"
TRIES: Final = 6
PAUSE: Final = 5.0
"""Seconds between two tries of a call about something just made, which not every copy of the directory knows yet."""

CONFLICT: Final = 409
BIN: Final = "/v1.0/directory/deletedItems"

API: Final = "api"
REMEDIATOR: Final = "remediator"
TITLES: Final = {API: "Remediator API", REMEDIATOR: "Remediator"}
ROLES: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    READER_ROLE: ("Plan and apply remediations: the vendor.", ("Application",)),
    OPERATOR_ROLE: ("Look, plan and roll back: your operator.", ("Application", "User")),
}
AZURE_CLI: Final = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
"""The client id of Azure's own command line, through which a person gets a token for the API."""


class Directory:
    """Look up and make what one installation has in the directory."""

    def __init__(self, graph: Rest, site: Site, pause: Callable[[float], None] = time.sleep) -> None:
        self._graph = graph
        self._site = site
        self._pause = pause

    def unique_name(self, kind: str) -> str:
        """Return the name that a registration of this installation alone has."""
        return f"remediator-{self._site.key}-{kind}"

    def registration(self, kind: str) -> Mapping[str, Any] | None:
        """Return a registration with its certificates, or None."""
        fields = "id,appId,displayName,uniqueName,signInAudience,identifierUris,api,appRoles,keyCredentials"
        found: Mapping[str, Any] | None = self._graph.get(f"{self._by_name(kind)}?$select={fields}")
        return found

    def principal(self, app_id: str) -> Mapping[str, Any] | None:
        """Return a registration's service principal, or None."""
        found: Mapping[str, Any] | None = self._graph.get(f"/v1.0/servicePrincipals(appId='{app_id}')")
        return found

    def app_of(self, principal: str) -> str:
        """Return the client id of a service principal's app; raise `AzureRefused` if it is none of this tenant's."""
        found = self._graph.get(f"/v1.0/servicePrincipals/{principal}")
        if found is None:
            raise AzureRefused("GET", NOT_FOUND, "NoServicePrincipal", f"{principal} is no service principal here")
        return str(found["appId"])

    def ensure_registration(self, kind: str) -> tuple[Mapping[str, Any], bool]:
        """Make a registration, or put right one that isn't as it must be; tell whether anything was changed."""
        found = self.registration(kind)
        if found is None:
            named = {"displayName": TITLES[kind], "signInAudience": ONE_TENANT}
            self._graph.ask("PATCH", self._by_name(kind), named, prefer="create-if-missing")
            found = self._known(lambda: self.registration(kind))
            self._put_right(kind, found)
            return self._known(lambda: self.registration(kind)), True
        return found, self._put_right(kind, found)

    def ensure_principal(self, app_id: str, *, assigned_only: bool) -> tuple[Mapping[str, Any], bool]:
        """Make a service principal; `assigned_only` gives tokens for it to those alone who were assigned a role."""
        found = self.principal(app_id)
        if found is not None and bool(found.get("appRoleAssignmentRequired")) == assigned_only:
            return found, False
        if found is None:
            self._make("/v1.0/servicePrincipals", {"appId": app_id, "appRoleAssignmentRequired": assigned_only})
            return self._known(lambda: self.principal(app_id)), True
        self._graph.ask("PATCH", f"/v1.0/servicePrincipals/{found['id']}", {"appRoleAssignmentRequired": assigned_only})
        return found, True

    def assigned(self, api_principal: str) -> set[tuple[str, str]]:
        """Return who holds which of the API's roles: object ids of principals, ids of roles."""
        held = self._graph.listed(f"/v1.0/servicePrincipals/{api_principal}/appRoleAssignedTo")
        return {(one["principalId"].lower(), one["appRoleId"].lower()) for one in held}

    def role_id(self, value: str) -> str:
        """Return the id of one of the API's roles."""
        return self._site.id_of("app role", value)

    def assign(self, api_principal: str, callers: Mapping[str, str]) -> bool:
        """Let exactly these callers (role → object id) call, and nobody else; tell whether anything was changed."""
        wanted = {(who.lower(), self.role_id(role)) for role, who in callers.items()}
        path = f"/v1.0/servicePrincipals/{api_principal}/appRoleAssignedTo"
        changed = False
        for one in list(self._graph.listed(path)):
            if (one["principalId"].lower(), one["appRoleId"].lower()) not in wanted:
                self._graph.delete(f"{path}/{one['id']}")
                changed = True
        for who, role in sorted(wanted - self.assigned(api_principal)):
            self._make(path, {"principalId": who, "resourceId": api_principal, "appRoleId": role})
            changed = True
        return changed

    def set_certificates(self, registration: str, credentials: list[Mapping[str, Any]]) -> None:
        """Write the whole collection of certificates, which Graph knows no other way to change without a proof."""
        self._graph.ask("PATCH", f"/v1.0/applications/{registration}", {"keyCredentials": credentials})

    def add_certificate(self, made: Made) -> None:
        """Add a certificate beside those there are."""
        found = self._known(lambda: self.registration(REMEDIATOR))
        self.set_certificates(found["id"], [*found["keyCredentials"], made.key_credential()])

    def keep_certificates(self, thumbprints: set[str]) -> bool:
        """Remove every other certificate, and tell whether there was one."""
        found = self._known(lambda: self.registration(REMEDIATOR))
        kept = [one for one in found["keyCredentials"] if thumbprint_of(one) in thumbprints]
        if len(kept) == len(found["keyCredentials"]):
            return False
        self.set_certificates(found["id"], kept)
        return True

    def remove(self, kind: str) -> bool:
        """Delete a registration for good, from the bin too; its service principal and its assignments go with it."""
        found = self.registration(kind)
        removed = found is not None and self._graph.delete(f"/v1.0/applications/{found['id']}")
        binned = list(self._graph.listed(f"{BIN}/microsoft.graph.application?$select=id,uniqueName"))
        for one in binned:
            if one.get("uniqueName") == self.unique_name(kind):
                removed |= self._graph.delete(f"{BIN}/{one['id']}")
        return removed

    def _by_name(self, kind: str) -> str:
        return f"/v1.0/applications(uniqueName='{quote(self.unique_name(kind))}')"

    def _put_right(self, kind: str, found: Mapping[str, Any]) -> bool:
        wanted: dict[str, Any] = {"displayName": TITLES[kind], "signInAudience": ONE_TENANT}
        if kind == API:
            wanted |= self._api(found["appId"])
        if all(_holds(found.get(name), value) for name, value in wanted.items()):
            return False
        path = f"/v1.0/applications/{found['id']}"
        if kind == API:  # nobody can be authorized for a scope that isn't there yet
            bare = {name: value for name, value in wanted["api"].items() if name != "preAuthorizedApplications"}
            self._graph.ask("PATCH", path, wanted | {"api": bare})
        self._graph.ask("PATCH", path, wanted)
        return True

    def _api(self, app_id: str) -> dict[str, Any]:
        scope = self._site.id_of("scope", "Remediation.Use")
        use = {
            "id": scope,
            "value": "Remediation.Use",
            "type": "Admin",
            "isEnabled": True,
            "adminConsentDisplayName": "Call Remediator",
            "adminConsentDescription": "Call Remediator as the person who signed in; what they may do is their role's.",
        }
        return {
            "identifierUris": [f"api://{app_id}"],
            "api": {
                "requestedAccessTokenVersion": 2,
                "oauth2PermissionScopes": [use],
                "preAuthorizedApplications": [{"appId": AZURE_CLI, "delegatedPermissionIds": [scope]}],
            },
            "appRoles": [self._role(value) for value in ROLES],
        }

    def _role(self, value: str) -> dict[str, Any]:
        description, members = ROLES[value]
        return {
            "id": self.role_id(value),
            "value": value,
            "displayName": value,
            "description": description,
            "allowedMemberTypes": list(members),
            "isEnabled": True,
        }

    def _make(self, path: str, body: Mapping[str, Any]) -> None:
        """Make something, trying again where the directory doesn't know yet what it refers to; made already is made."""
        for left in range(TRIES - 1, -1, -1):
            try:
                self._graph.ask("POST", path, body)
            except AzureRefused as refused:
                if refused.status == CONFLICT or refused.code == "ObjectConflict":
                    return
                if not left or refused.code not in ("Request_ResourceNotFound", "NoBackingApplicationObject"):
                    raise
                self._pause(PAUSE)
            else:
                return

    def _known(self, look: Callable[[], Mapping[str, Any] | None]) -> Mapping[str, Any]:
        """Return what was just made, as soon as the directory knows it."""
        for _ in range(TRIES):
            found = look()
            if found is not None:
                return found
            self._pause(PAUSE)
        raise AzureRefused("GET", 404, "NotThereYet", "what was just made isn't known to the directory yet; run again")


def _holds(found: Any, wanted: Any) -> bool:  # noqa: ANN401 - any JSON value
    """Tell whether something holds all that is wanted; what it has besides doesn't matter, but for lists."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(_holds(found.get(name), value) for name, value in wanted.items())
    if isinstance(wanted, list):
        same = isinstance(found, list) and len(found) == len(wanted)
        return same and all(any(_holds(one, value) for one in found) for value in wanted)
    return bool(found == wanted)
