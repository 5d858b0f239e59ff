"""Read records and receipts in Table Storage, which always reads consistently."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.azure.receipt_entities import finding_from
from remediator.azure.receipts import ReceiptTable
from remediator.azure.windows_table import RECEIPTS_TABLE
from remediator.operator.history import Filed
from remediator.service.stored import asked_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from remediator.operator.azure.office import AzureOffice
    from remediator.service.records import Finding, Record


class AzureArchive:
    """Read the receipts table; the operator's role may not write it."""

    def __init__(self, office: AzureOffice) -> None:
        self._client = office.table(RECEIPTS_TABLE)
        self._table = ReceiptTable(self._client, retention_days=0)

    def record(self, remediation: str) -> Record | None:
        """Return a remediation's execution record, or None."""
        return self._table.record(remediation)

    def findings(self, remediation: str) -> Sequence[Finding]:
        """Return what is stored of each finding of a remediation, in order of their index."""
        return self._table.findings(remediation)

    def pages(self, since: int) -> Iterator[Sequence[Filed]]:
        """Yield all findings since a moment of Unix time: Table Storage looks through the whole table for them."""
        query = "RowKey ge 'finding-' and RowKey lt 'finding.' and at ge @since"
        for page in self._client.query_entities(query, parameters={"since": since}).by_page():
            yield [Filed(finding_from(entity), *asked_of(entity)) for entity in page]
