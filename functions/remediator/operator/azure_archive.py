"""Read records and receipts in Table Storage, which always reads consistently."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.azure.receipts import ReceiptTable
from remediator.azure.windows_table import RECEIPTS_TABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediator.operator.azure_office import AzureOffice
    from remediator.service.records import Finding, Record


class AzureArchive:
    """Read the receipts table; the operator's role may not write it."""

    def __init__(self, office: AzureOffice) -> None:
        self._table = ReceiptTable(office.table(RECEIPTS_TABLE), retention_days=0)

    def record(self, remediation: str) -> Record | None:
        """Return a remediation's execution record, or None."""
        return self._table.record(remediation)

    def findings(self, remediation: str) -> Sequence[Finding]:
        """Return what is stored of each finding of a remediation, in order of their index."""
        return self._table.findings(remediation)
