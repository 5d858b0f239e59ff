"""Move the gate: the app registration's credential, sealed anew for each window and gone after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azure.data.tables import UpdateMode

from remediator.azure.windows_table import PARTITION, row_of, sealings, window_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from azure.data.tables import TableClient

    from remediator.azure.seal import Seal
    from remediator.azure.stored_credential import StoredCredential
    from remediator.core.gate import Opening
    from remediator.core.windows import Window


class SealedGate:
    """Let an opening unseal the credential in its own window, and nothing open it otherwise."""

    def __init__(self, windows: TableClient, credential: StoredCredential, seal: Seal) -> None:
        self._windows = windows
        self._credential = credential
        self._seal = seal

    def stands(self, windows: Sequence[Window], fingerprint: str) -> bool:
        """Tell whether today's credential is sealed for each of the windows."""
        _, version = self._credential.read()
        return {f"{row_of(window)}={version}" for window in windows} <= set(fingerprint.split())

    def set(self, openings: Mapping[Window, Opening]) -> str:
        """Seal today's credential for these windows, and delete every other window."""
        credential, version = self._credential.read()
        windows = {row_of(window): window for window in openings}
        operations: list[Any] = []
        left = []
        for entity in self._entities():
            window = windows.get(entity["RowKey"])
            if window is None:
                operations.append(("delete", _key(entity)))
            elif _is_sealed(entity, version):
                left.append(entity)
            else:
                sealed = self._seal.seal(credential, window, openings[window])
                left.append(_key(entity) | {"sealed": sealed, "credential": version})
                operations.append(("update", left[-1], {"mode": UpdateMode.MERGE}))
        self._submit(operations)
        return sealings(left)

    def close(self) -> str:
        """Take every sealed credential away; the windows themselves stay."""
        operations: list[Any] = []
        for entity in self._entities():
            bare = {name: value for name, value in entity.items() if name not in ("sealed", "credential")}
            if len(bare) < len(entity):
                operations.append(("update", bare, {"mode": UpdateMode.REPLACE}))
        self._submit(operations)
        return ""

    def _entities(self) -> list[Mapping[str, Any]]:
        return window_rows(self._windows.query_entities(f"PartitionKey eq '{PARTITION}'"))

    def _submit(self, operations: Sequence[Any]) -> None:
        if operations:
            self._windows.submit_transaction(operations)


def _is_sealed(entity: Mapping[str, Any], version: str) -> bool:
    return "sealed" in entity and entity.get("credential") == version


def _key(entity: Mapping[str, Any]) -> dict[str, Any]:
    return {"PartitionKey": entity["PartitionKey"], "RowKey": entity["RowKey"]}
