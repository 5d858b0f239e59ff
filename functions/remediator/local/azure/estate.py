"""Say which resources exist that have a data plane of their own."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Final, Protocol

from remediator.local.azure.places import LOCATION, SUBSCRIPTION
from remediator.local.azure.rbac.roles import covers

_RETENTION_DAYS: Final = 90
DAY: Final = 86_400


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


@dataclass(frozen=True, slots=True)
class Topic:
    """Hold an Event Grid topic. Keys are refused whatever it says: this deployment has none."""

    name: str
    resource_id: str


class Estate(Protocol):
    """Know what exists; names are compared in lower case, as hosts are."""

    def vault(self, name: str) -> Vault | None:
        """Return the vault of a name."""

    def storage_account(self, name: str) -> StorageAccount | None:
        """Return the storage account of a name."""

    def topic(self, name: str) -> Topic | None:
        """Return the Event Grid topic of a name."""


def resource_id(group: str, kind: str, name: str) -> str:
    """Return a resource's id in the one subscription; `kind` is like `Microsoft.KeyVault/vaults`."""
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/{kind}/{name}"


class Registry:
    """Hold what was put here by hand, and ask others for what wasn't."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._vaults: dict[str, Vault] = {}
        self._deleted: dict[str, tuple[Vault, float]] = {}
        self._accounts: dict[str, StorageAccount] = {}
        self._topics: dict[str, Topic] = {}
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
        return self.put_vault(Vault(name, identity, purge_protection, retention_days))

    def put_vault(self, vault: Vault) -> Vault:
        """Make a vault, or change its settings."""
        with self._lock:
            self._vaults[vault.name.lower()] = vault
        return vault

    def add_storage_account(self, name: str, *, group: str = "remediator") -> StorageAccount:
        """Make a storage account."""
        identity = resource_id(group, "Microsoft.Storage/storageAccounts", name)
        return self.put_storage_account(StorageAccount(name, identity))

    def put_storage_account(self, account: StorageAccount) -> StorageAccount:
        """Make a storage account, or change its settings."""
        with self._lock:
            self._accounts[account.name.lower()] = account
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

    def put_topic(self, topic: Topic) -> Topic:
        """Make an Event Grid topic."""
        with self._lock:
            self._topics[topic.name.lower()] = topic
        return topic

    def deleted_vaults(self) -> list[tuple[Vault, float]]:
        """Return the vaults that are deleted and can still be recovered, each with the moment of its deletion."""
        with self._lock:
            found = list(self._deleted.values())
        return [(vault, when) for vault, when in found if when + vault.retention_days * DAY > time.time()]

    def purge_vault(self, name: str) -> None:
        """Forget a deleted vault for good."""
        with self._lock:
            self._deleted.pop(name.lower(), None)

    def forget_below(self, scope: str) -> None:
        """Delete what is in a scope: vaults softly, the others for good."""
        with self._lock:
            gone = {name: one for name, one in self._vaults.items() if covers(scope, one.resource_id)}
            self._deleted |= {name: (one, time.time()) for name, one in gone.items()}
            for known in (self._vaults, self._accounts, self._topics):
                for name in [name for name, one in known.items() if covers(scope, one.resource_id)]:
                    del known[name]

    def topic(self, name: str) -> Topic | None:
        """Return the Event Grid topic of a name."""
        with self._lock:
            known = self._topics.get(name.lower())
        return known or next((met for other in self.others if (met := other.topic(name))), None)
