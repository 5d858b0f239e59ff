"""Move the gate: the app registration's credential, sealed anew for each window and gone after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from azure.data.tables import UpdateMode

from remediator.azure.seal import Credential, Seal
from remediator.azure.windows_table import PARTITION, row_of, sealings, window_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from azure.data.tables import TableClient
    from azure.keyvault.secrets import SecretClient

    from remediator.core.gate import Opening
    from remediator.core.windows import Window

SECRET: Final = "remediator-credential"  # noqa: S105 - its name
"""The secret of certificate and private key, in the vault that only the rotator reads."""


class SealedGate:
    """Let an opening unseal the credential in its own window, and nothing open it otherwise."""

    def __init__(self, windows: TableClient, credentials: SecretClient, seal: Seal) -> None:
        self._windows = windows
        self._credentials = credentials
        self._seal = seal

    def stands(self, windows: Sequence[Window], fingerprint: str) -> bool:
        """Tell whether today's credential is sealed for each of the windows."""
        _, version = self._credential()
        return {f"{row_of(window)}={version}" for window in windows} <= set(fingerprint.split())

    def set(self, openings: Mapping[Window, Opening]) -> str:
        """Seal today's credential for these windows, and delete every other window."""
        credential, version = self._credential()
        rows = {row_of(window): (window, opened) for window, opened in openings.items()}
        operations: list[Any] = []
        for entity in self._entities():
            if entity["RowKey"] not in rows:
                operations.append(("delete", _key(entity)))
            elif entity.get("credential") != version:
                window, opened = rows[entity["RowKey"]]
                sealed = self._seal.seal(credential, window, opened)
                sealing = _key(entity) | {"sealed": sealed, "credential": version}
                operations.append(("update", sealing, {"mode": UpdateMode.MERGE}))
        self._submit(operations)
        return sealings(self._entities())

    def close(self) -> str:
        """Take every sealed credential away; the windows themselves stay."""
        operations: list[Any] = []
        for entity in self._entities():
            bare = {name: value for name, value in entity.items() if name not in ("sealed", "credential")}
            if len(bare) < len(entity):
                operations.append(("update", bare, {"mode": UpdateMode.REPLACE}))
        self._submit(operations)
        return ""

    def _credential(self) -> tuple[Credential, str]:
        secret = self._credentials.get_secret(SECRET)
        return Credential((secret.value or "").encode()), str(secret.properties.version)

    def _entities(self) -> list[Mapping[str, Any]]:
        return window_rows(self._windows.query_entities(f"PartitionKey eq '{PARTITION}'"))

    def _submit(self, operations: Sequence[Any]) -> None:
        if operations:
            self._windows.submit_transaction(operations)


def _key(entity: Mapping[str, Any]) -> dict[str, Any]:
    return {"PartitionKey": entity["PartitionKey"], "RowKey": entity["RowKey"]}
