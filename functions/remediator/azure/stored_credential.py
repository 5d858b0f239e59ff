"""Read the credential that windows are sealed with, and ring before its certificate ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from remediator.azure.seal import Credential

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.keyvault.secrets import SecretClient

    from remediator.service.ports import Monitor

SECRET: Final = "remediator-credential"  # noqa: S105 - its name
"""The secret of certificate and private key, in the vault that only the rotator reads."""

SOON: Final = 21 * 86_400
"""Seconds before a certificate ends from which on it is time to roll it."""


class StoredCredential:
    """Hold the vault's one secret; it ends when the certificate in it does."""

    def __init__(self, vault: SecretClient, monitor: Monitor, clock: Callable[[], float]) -> None:
        self._vault = vault
        self._monitor = monitor
        self._clock = clock

    def read(self) -> tuple[Credential, str]:
        """Return today's credential and its version; count it while it ends soon, or nobody knows when."""
        secret = self._vault.get_secret(SECRET)
        ends = secret.properties.expires_on
        if ends is None or ends.timestamp() - self._clock() < SOON:
            self._monitor.count("CredentialEndsSoon")
        return Credential((secret.value or "").encode()), str(secret.properties.version)
