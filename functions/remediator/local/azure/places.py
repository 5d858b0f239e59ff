"""Name the tenants, the subscription and the hosts of the embedded Azure."""

from __future__ import annotations

from typing import Final

# Fixed: the Key Vault client remembers for the whole process which tenant a vault's host named.
TENANT: Final = "7e1d4c02-5c1f-4b8e-9a57-0c4f5f2f6a11"
TENANT_DOMAIN: Final = "customer.onmicrosoft.com"
VENDOR_TENANT: Final = "b39a6c4d-0f5e-4f0b-8d67-2f1d3a9c7e22"
SUBSCRIPTION: Final = "3f0c9a54-8d21-4f5a-b7e6-91c2d4e8a633"
LOCATION: Final = "westeurope"

LOGIN: Final = "login.microsoftonline.com"
MANAGEMENT: Final = "management.azure.com"
GRAPH: Final = "graph.microsoft.com"
VAULTS: Final = ".vault.azure.net"
TABLES: Final = ".table.core.windows.net"
EVENTS: Final = f".{LOCATION}-1.eventgrid.azure.net"
PUBLISHING: Final = ".scm.azurewebsites.net"
SITES: Final = ".azurewebsites.net"

HOSTS: Final = (LOGIN, MANAGEMENT, GRAPH, VAULTS, TABLES, EVENTS, PUBLISHING, SITES)
"""Every host that exists here; a leading dot stands for all names under it."""


def exists(host: str) -> bool:
    """Tell whether a host is one of this cloud's."""
    return any(host.endswith(name) if name.startswith(".") else host == name for name in HOSTS)


def subscription_id() -> str:
    """Return the subscription as the scope of a role assignment."""
    return f"/subscriptions/{SUBSCRIPTION}"
