"""Name the services that tokens are asked for, as every tenant has them.

Ids of Microsoft's own apps and of Graph's app roles:
https://learn.microsoft.com/troubleshoot/entra/entra-id/governance/verify-first-party-apps-sign-in,
https://learn.microsoft.com/graph/permissions-reference
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_MICROSOFT: Final = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"

APPLICATION_READ: Final = "Application.Read.All"
APPLICATION_WRITE: Final = "Application.ReadWrite.All"
APPLICATION_WRITE_OWNED: Final = "Application.ReadWrite.OwnedBy"
ASSIGNMENT_WRITE: Final = "AppRoleAssignment.ReadWrite.All"
DIRECTORY_READ: Final = "Directory.Read.All"

_GRAPH_ROLES: Final = {
    APPLICATION_READ: "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30",
    APPLICATION_WRITE: "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9",
    APPLICATION_WRITE_OWNED: "18a4783c-866b-4cc7-a460-3d5e5662c884",
    ASSIGNMENT_WRITE: "06b708a9-e830-4db3-a914-8e69da51d44f",
    DIRECTORY_READ: "7ab1d382-f21e-4acd-a863-ba3e13f7da61",
}


@dataclass(frozen=True, slots=True)
class FirstParty:
    """Hold one service: the resources by which tokens are asked for, and the app roles it gives."""

    name: str
    app_id: str
    resources: tuple[str, ...]
    roles: tuple[dict[str, object], ...] = ()
    home: str = _MICROSOFT


def _role(value: str, identity: str) -> dict[str, object]:
    return {
        "id": identity,
        "value": value,
        "displayName": value,
        "description": value,
        "isEnabled": True,
        "allowedMemberTypes": ["Application"],
        "origin": "Application",
    }


MANAGEMENT: Final = FirstParty(
    "Windows Azure Service Management API",
    "797f4846-ba00-4fd7-ba43-dac1f8f63013",
    ("https://management.azure.com", "https://management.core.windows.net"),
)
VAULT: Final = FirstParty("Azure Key Vault", "cfa8b339-82a2-471a-a3c9-0fc0be7a4093", ("https://vault.azure.net",))
STORAGE: Final = FirstParty("Azure Storage", "e406a681-f3d4-42a8-90b6-c2b029497af1", ("https://storage.azure.com",))
EVENTS: Final = FirstParty(
    "Microsoft.EventGrid", "4962773b-9cdb-44cf-a8bf-237846a00ab7", ("https://eventgrid.azure.net",)
)
GRAPH: Final = FirstParty(
    "Microsoft Graph",
    "00000003-0000-0000-c000-000000000000",
    ("https://graph.microsoft.com",),
    tuple(_role(value, identity) for value, identity in _GRAPH_ROLES.items()),
)
FIRST_PARTY: Final = (MANAGEMENT, VAULT, STORAGE, EVENTS, GRAPH)
