"""Make workshops whose cloud is the embedded Azure, and whose pauses are steps of its clock."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Final

from azure.identity import ClientSecretCredential

from live.azure.workshop import AzureWorkshop
from remediator.local.azure.places import LOCATION, SUBSCRIPTION, TENANT
from remediator.vendor.transport import HttpTransport

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.local.azure.cloud import EmbeddedAzure

OURS: Final = {"administrator", "operator", "vendor-cloud"}
"""The apps that are there before anything is made."""


def workshop(azure: EmbeddedAzure, pause: Callable[[float], None] | None = None) -> AzureWorkshop:
    """Return a workshop of the administrator's."""
    admin = azure.identities.admin
    return AzureWorkshop(
        credential=ClientSecretCredential(TENANT, admin.client_id, admin.secret),
        subscription=SUBSCRIPTION,
        location=LOCATION,
        run=uuid.uuid4().hex[:8],  # vaults' names are known for the whole process, and accounts' to Azurite
        now=time.time,
        pause=pause or azure.clock.shift,
        transport=HttpTransport(str(azure.authority.file)),
    )


def traces(azure: EmbeddedAzure) -> list[str]:
    """Return everything that isn't as it was when the cloud started, looked for past what the cleaning looks at."""
    apps = [*azure.directory.applications(), *azure.directory.deleted_applications()]
    return [
        *(app.name for app in apps if app.name not in OURS),
        *(one.name for one in azure.directory.principals() if one.first_party is None and one.name not in OURS),
        *(role.name for role in azure.rbac.definitions() if role.custom),
        *(one.id for one in azure.rbac.assignments() if "/resourceGroups/" in one.scope),
        *(vault.name for vault, _ in azure.estate.deleted_vaults()),
        *azure.arm._resources,
    ]
