"""Say which resources exist that have a data plane of their own."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Final, Protocol

from remediator.local.azure.places import LOCATION, SUBSCRIPTION

_RETENTION_DAYS: Final = 90


@dataclass(frozen=True, slots=True)
class Vault:
    """Hold a vault's settings that its data plane obeys."""

    name: str
    resource_id: str
    purge_protection: bool = False
    retention_days: int = _RETENTION_DAYS
    location: str = LOCATION

    @property
    def url(self) -> str:
        """Return the vault's address."""
        return f"https://{self.name}.vault.azure.net"


@dataclass(frozen=True, slots=True)
class StorageAccount:
    """Hold a storage account. Shared keys are refused whatever it says: this deployment has none."""

    name: str
    resource_id: str

    @property
    def tables_url(self) -> str:
        """Return the address of the account's tables."""
        return f"https://{self.name}.table.core.windows.net"


class Estate(Protocol):
    """Know what exists; names are compared in lower case, as hosts are."""

    def vault(self, name: str) -> Vault | None:
        """Return the vault of a name."""

    def storage_account(self, name: str) -> StorageAccount | None:
        """Return the storage account of a name."""


def resource_id(group: str, kind: str, name: str) -> str:
    """Return a resource's id in the one subscription; `kind` is like `Microsoft.KeyVault/vaults`."""
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/{kind}/{name}"


class Registry:
    """Hold what was put here by hand, and ask others for what wasn't."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._vaults: dict[str, Vault] = {}
        self._accounts: dict[str, StorageAccount] = {}
        self.others: list[Estate] = []

    def add_vault(
        self,
        name: str,
        *,
        group: str = "remediator",
        purge_protection: bool = False,
        retention_days: int = _RETENTION_DAYS,
    ) -> Vault:
        """Make a vault, with role-based access."""
        identity = resource_id(group, "Microsoft.KeyVault/vaults", name)
        vault = Vault(name, identity, purge_protection, retention_days)
        with self._lock:
            self._vaults[name.lower()] = vault
        return vault

    def add_storage_account(self, name: str, *, group: str = "remediator") -> StorageAccount:
        """Make a storage account."""
        account = StorageAccount(name, resource_id(group, "Microsoft.Storage/storageAccounts", name))
        with self._lock:
            self._accounts[name.lower()] = account
        return account

    def vault(self, name: str) -> Vault | None:
        """Return the vault of a name."""
        with self._lock:
            known = self._vaults.get(name.lower())
        return known or next((met for other in self.others if (met := other.vault(name))), None)

    def storage_account(self, name: str) -> StorageAccount | None:
        """Return the storage account of a name."""
        with self._lock:
            known = self._accounts.get(name.lower())
        return known or next((met for other in self.others if (met := other.storage_account(name))), None)
