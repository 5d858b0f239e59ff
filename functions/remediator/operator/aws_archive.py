"""Read records and receipts in DynamoDB, consistently."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.aws.receipts import ReceiptTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediator.operator.aws_office import AwsOffice
    from remediator.service.records import Finding, Record


class AwsArchive:
    """Read the receipts table; the operator role may not write it."""

    def __init__(self, office: AwsOffice) -> None:
        names = office.outputs
        self._table = ReceiptTable(
            office.service("dynamodb"), receipts=names["ReceiptsTable"], state=names["StateTable"], retention_days=0
        )

    def record(self, remediation: str) -> Record | None:
        """Return a remediation's execution record, or None."""
        return self._table.record(remediation)

    def findings(self, remediation: str) -> Sequence[Finding]:
        """Return what is stored of each finding of a remediation, in order of their index."""
        return self._table.findings(remediation)
