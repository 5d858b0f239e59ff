"""Keep seed records in a ring of six Key Vault secrets, under new names every four days.

A version of a secret can't be deleted by itself, and a vault can't back up a secret that has more than 500 versions. A
slot is written 48 times a day, 192 times in an epoch of four days: under 500 even if every write happened twice. When
an epoch has passed its six secrets are deleted; the vault purges them by itself after its retention.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from azure.core.exceptions import ResourceNotFoundError

from remediator.core.seeds import EPOCH, RING, parse_record
from remediator.core.seeds import vault_name_of as name_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azure.keyvault.secrets import SecretClient

    from remediator.core.seeds import Seed, SeedRecord
    from remediator.core.windows import Window

__all__ = ["EPOCH", "USES", "KeyVaultRing", "name_of"]

USES: Final = (
    "Microsoft.KeyVault/vaults/secrets/getSecret/action",
    "Microsoft.KeyVault/vaults/secrets/setSecret/action",
    "Microsoft.KeyVault/vaults/secrets/delete",
)


class KeyVaultRing:
    """Hold the record of window `w` as the current version of slot `w mod 6` of the window's epoch.

    The vault knows no compare-and-set: the lease sees to it that one run writes at a time, and a run looks before it
    writes.
    """

    def __init__(self, client: SecretClient, deployment: str) -> None:
        self._client = client
        self._deployment = deployment

    def held(self) -> Mapping[Window, Seed]:
        """Return nothing: a vault shows no values at once, so each window is asked for by its name."""
        return {}

    def read(self, window: Window) -> Seed | None:
        """Return the window's seed, or None if the slot holds another window's or nothing."""
        try:
            secret = self._client.get_secret(name_of(window))
        except ResourceNotFoundError:
            return None
        record = parse_record(secret.value or "")
        ours = (record.deployment, record.window) == (self._deployment, window)
        return record.seed if ours else None

    def keep(self, record: SeedRecord) -> Seed:
        """Store a record unless the slot has the window's already; return the seed that is stored."""
        stored = self.read(record.window)
        if stored is not None:
            return stored
        window = record.window
        self._client.set_secret(
            name_of(window),
            record.to_json(),
            content_type="application/json",
            not_before=datetime.fromtimestamp(window.not_before, UTC),
            expires_on=datetime.fromtimestamp(window.not_after, UTC),
        )
        return record.seed

    def forget_before(self, window: Window) -> None:
        """Delete the secrets of the epoch that has wholly passed; those that are gone already are left out."""
        past = window.number // EPOCH - 1
        for slot in range(RING):
            try:
                self._client.begin_delete_secret(f"seed-{past}-{slot}")
            except ResourceNotFoundError:
                continue
