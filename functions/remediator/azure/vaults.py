"""Make clients of vaults, signed in as the function's own identity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from azure.keyvault.secrets import SecretClient

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

VERSION: Final = "7.4"
"""The vault's data-plane API, pinned so that an SDK update changes nothing by itself."""


def vault(url: str, credential: TokenCredential) -> SecretClient:
    """Return the client of one vault; calls give up after ten seconds and are tried three times more."""
    return SecretClient(url, credential, api_version=VERSION, retry_total=3, connection_timeout=3, read_timeout=10)
