"""Make the people and companies that exist before anything is deployed."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from remediator.local.azure.entra import first_party
from remediator.local.azure.graph.documents import EMPTY_API, EMPTY_APPLICATION
from remediator.local.azure.places import TENANT, VENDOR_TENANT

if TYPE_CHECKING:
    from remediator.local.azure.entra.directory import Application, Directory, ServicePrincipal
    from remediator.local.azure.rbac.roles import Rbac

_ADMIN_ROLES: Final = (first_party.APPLICATION_WRITE, first_party.ASSIGNMENT_WRITE, first_party.DIRECTORY_READ)


@dataclass(frozen=True, slots=True)
class Identity:
    """Hold a service principal of the customer's tenant, and the secret of its app."""

    name: str
    client_id: str
    object_id: str
    secret: str

    def describe(self) -> dict[str, str]:
        """Return what signing in takes, under the names of `ClientSecretCredential`, and the object id."""
        return {
            "tenant_id": TENANT,
            "client_id": self.client_id,
            "client_secret": self.secret,
            "object_id": self.object_id,
        }


@dataclass(frozen=True, slots=True)
class Identities:
    """Hold who there is.

    The administrator owns the subscription and writes the directory; the operator may do nothing yet; the vendor's app
    is registered in the vendor's own tenant and known here by a principal, which may look at everything.
    """

    admin: Identity
    operator: Identity
    vendor: Identity


def make_identities(directory: Directory, rbac: Rbac) -> Identities:
    """Make the three, and give them what they have before a deployment."""
    admin = _identity(directory, "administrator", TENANT)
    graph = directory.principal_of(first_party.GRAPH.app_id)
    if graph is None:
        raise LookupError(first_party.GRAPH.name)
    offered = {role["value"]: role["id"] for role in directory.roles_of(graph)}
    for value in _ADMIN_ROLES:
        directory.assign(admin.object_id, graph.object_id, offered[value])
    rbac.assign(admin.object_id, "Owner")
    vendor = _identity(directory, "vendor-cloud", VENDOR_TENANT)
    rbac.assign(vendor.object_id, "Reader")
    return Identities(admin, _identity(directory, "operator", TENANT), vendor)


def new_application(directory: Directory, name: str, *, tenant: str = TENANT, **document: Any) -> Application:  # noqa: ANN401 - Graph's properties
    """Register an app without going through Graph."""
    empty = {**copy.deepcopy(EMPTY_APPLICATION), "api": copy.deepcopy(EMPTY_API), "displayName": name}
    return directory.add_application(empty | document, tenant=tenant)


def new_principal(directory: Directory, app: Application) -> ServicePrincipal:
    """Make an app's principal in the customer's tenant."""
    return directory.add_principal(app.app_id, app.name, home=app.tenant)


def _identity(directory: Directory, name: str, tenant: str) -> Identity:
    audience = "AzureADMyOrg" if tenant == TENANT else "AzureADMultipleOrgs"
    app = new_application(directory, name, tenant=tenant, signInAudience=audience)
    password = directory.add_password(app)
    return Identity(name, app.app_id, new_principal(directory, app).object_id, password.secret)
