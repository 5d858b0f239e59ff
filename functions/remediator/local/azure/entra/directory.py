"""Hold a tenant's directory: app registrations, service principals, managed identities, app role assignments.

Graph writes it, Entra signs in by it.
"""

from __future__ import annotations

import secrets
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from remediator.local.azure.entra.first_party import FIRST_PARTY, FirstParty
from remediator.local.azure.places import TENANT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediator.local.azure.faults import Delays

_YEARS: Final = 2 * 365 * 86_400
_SECRET_BYTES: Final = 30


@dataclass(frozen=True, slots=True)
class Key:
    """Hold a certificate of an app registration; `certificate` is DER. Moments are Unix seconds.

    `usable_from` is when Entra's own copies know of it.
    """

    key_id: str
    certificate: bytes
    start: float
    end: float
    name: str | None
    usable_from: float


@dataclass(frozen=True, slots=True)
class Password:
    """Hold a client secret of an app registration; moments as in `Key`."""

    key_id: str
    secret: str
    start: float
    end: float
    name: str | None
    usable_from: float


@dataclass(slots=True)
class Application:
    """Hold an app registration. `document` has the properties that Graph shows, under its names."""

    object_id: str
    app_id: str
    tenant: str
    document: dict[str, Any]
    created: float
    keys: tuple[Key, ...] = ()
    passwords: tuple[Password, ...] = ()
    owners: set[str] = field(default_factory=set)
    deleted: float | None = None

    @property
    def name(self) -> str:
        """Return the name that people see."""
        return str(self.document["displayName"])

    @property
    def token_version(self) -> int:
        """Return which version of access tokens this API asks for."""
        return int(self.document["api"].get("requestedAccessTokenVersion") or 1)


@dataclass(slots=True)
class ServicePrincipal:
    """Hold a principal of the tenant. `kind` is `Application` or `ManagedIdentity`; `resource_id` only the latter's."""

    object_id: str
    app_id: str
    name: str
    kind: str
    home: str
    created: float
    document: dict[str, Any]
    resource_id: str | None = None
    owners: set[str] = field(default_factory=set)
    first_party: FirstParty | None = None

    @property
    def enabled(self) -> bool:
        """Say whether it may sign in."""
        return bool(self.document.get("accountEnabled", True))

    @property
    def assignment_required(self) -> bool:
        """Say whether it takes tokens only of those who were assigned one of its roles."""
        return bool(self.document.get("appRoleAssignmentRequired", False))


@dataclass(frozen=True, slots=True)
class AppRoleAssignment:
    """Hold that a principal has a role of a resource's."""

    id: str
    principal: str
    resource: str
    role: str
    created: float


class Directory:
    """Hold who and what there is in one tenant; foreign apps are known to Entra but not listed. Thread-safe."""

    def __init__(self, delays: Delays) -> None:
        self.lock = threading.RLock()
        self._delays = delays
        self._applications: dict[str, Application] = {}
        self._principals: dict[str, ServicePrincipal] = {}
        self._assignments: dict[str, AppRoleAssignment] = {}
        for party in FIRST_PARTY:
            principal = self.add_principal(party.app_id, party.name, home=party.home)
            principal.first_party = party

    def applications(self) -> Iterator[Application]:
        """Yield every app registration of the tenant's own that isn't deleted."""
        with self.lock:
            found = [app for app in self._applications.values() if app.deleted is None and app.tenant == TENANT]
        yield from found

    def deleted_applications(self) -> Iterator[Application]:
        """Yield what was deleted and can be restored."""
        with self.lock:
            found = [app for app in self._applications.values() if app.deleted is not None]
        yield from found

    def application(self, app_id: str) -> Application | None:
        """Return an app registration, of whatever tenant, by its client id."""
        with self.lock:
            found = (app for app in self._applications.values() if app.app_id == app_id and app.deleted is None)
            return next(found, None)

    def add_application(
        self, document: dict[str, Any], *, tenant: str = TENANT, owner: str | None = None
    ) -> Application:
        """Register an app."""
        app = Application(str(uuid.uuid4()), str(uuid.uuid4()), tenant, document, time.time())
        if owner is not None:
            app.owners.add(owner)
        with self.lock:
            self._applications[app.object_id] = app
        return app

    def purge_application(self, object_id: str) -> None:
        """Forget a deleted app for good."""
        with self.lock:
            del self._applications[object_id]

    def principals(self) -> Iterator[ServicePrincipal]:
        """Yield every service principal and managed identity."""
        with self.lock:
            found = list(self._principals.values())
        yield from found

    def principal(self, object_id: str) -> ServicePrincipal | None:
        """Return a principal by its object id."""
        with self.lock:
            return self._principals.get(object_id)

    def principal_of(self, app_id: str) -> ServicePrincipal | None:
        """Return an app's principal in this tenant."""
        with self.lock:
            return next((one for one in self._principals.values() if one.app_id == app_id), None)

    def add_principal(
        self, app_id: str, name: str, *, home: str = TENANT, document: dict[str, Any] | None = None
    ) -> ServicePrincipal:
        """Make an app's principal in this tenant."""
        kept = document or {}
        principal = ServicePrincipal(str(uuid.uuid4()), app_id, name, "Application", home, time.time(), kept)
        with self.lock:
            self._principals[principal.object_id] = principal
        return principal

    def add_managed_identity(self, name: str, resource_id: str, ids: tuple[str, str] | None = None) -> ServicePrincipal:
        """Make a user-assigned identity's principal; its client id has no app registration.

        `ids` are the object id and the client id, where somebody has chosen them already.
        """
        object_id, client_id = ids or (str(uuid.uuid4()), str(uuid.uuid4()))
        identity = ServicePrincipal(object_id, client_id, name, "ManagedIdentity", TENANT, time.time(), {}, resource_id)
        with self.lock:
            self._principals[identity.object_id] = identity
        return identity

    def managed_identity(self, resource_id: str) -> ServicePrincipal | None:
        """Return a managed identity by its resource's id."""
        with self.lock:
            found = (one for one in self._principals.values() if (one.resource_id or "").lower() == resource_id.lower())
            return next(found, None)

    def remove_principal(self, object_id: str) -> None:
        """Take a principal away, with every role it has or gives."""
        with self.lock:
            self._principals.pop(object_id, None)
            gone = [one.id for one in self._assignments.values() if object_id in {one.principal, one.resource}]
            for identity in gone:
                del self._assignments[identity]

    def assign(self, principal: str, resource: str, role: str) -> AppRoleAssignment:
        """Assign an app role."""
        assignment = AppRoleAssignment(secrets.token_urlsafe(24), principal, resource, role, time.time())
        with self.lock:
            self._assignments[assignment.id] = assignment
        return assignment

    def assignments(self, *, principal: str | None = None, resource: str | None = None) -> list[AppRoleAssignment]:
        """Return the app role assignments of a principal, of a resource, or both."""
        with self.lock:
            return [
                one
                for one in self._assignments.values()
                if principal in {None, one.principal} and resource in {None, one.resource}
            ]

    def unassign(self, assignment_id: str) -> None:
        """Take an app role away."""
        with self.lock:
            del self._assignments[assignment_id]

    def roles(self, principal: str, resource: ServicePrincipal) -> list[str]:
        """Return the values of a resource's enabled app roles that a principal has."""
        held = {one.role for one in self.assignments(principal=principal, resource=resource.object_id)}
        return [role["value"] for role in self.roles_of(resource) if role["isEnabled"] and role["id"] in held]

    def roles_of(self, resource: ServicePrincipal) -> list[dict[str, Any]]:
        """Return the app roles that a resource offers."""
        if resource.first_party is not None:
            return [dict(role) for role in resource.first_party.roles]
        app = self.application(resource.app_id)
        return list(app.document["appRoles"]) if app else []

    def add_password(self, app: Application, name: str | None = None, end: float | None = None) -> Password:
        """Make a client secret; its value is Entra's choice and shown once."""
        now = time.time()
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        usable = now + self._delays.credentials
        password = Password(str(uuid.uuid4()), secret, now, end or now + _YEARS, name, usable)
        app.passwords = (*app.passwords, password)
        return password

    def new_key(self, certificate: bytes, start: float, end: float, name: str | None, key_id: str | None = None) -> Key:
        """Return a key that isn't any app's yet."""
        usable = time.time() + self._delays.credentials
        return Key(key_id or str(uuid.uuid4()), certificate, start, end, name, usable)
