"""Read records and receipts in DynamoDB, consistently."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.aws.receipt_items import asked_from, finding_from
from remediator.aws.receipts import ReceiptTable
from remediator.operator.history import Filed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from remediator.operator.aws.office import AwsOffice
    from remediator.service.records import Finding, Record


class AwsArchive:
    """Read the receipts table; the operator role may not write it."""

    def __init__(self, office: AwsOffice, former: str | None = None) -> None:
        """`former` is the table that a deployment left which is gone."""
        names = office.outputs
        self._client = office.service("dynamodb")
        self._name = former or names["ReceiptsTable"]
        self._table = ReceiptTable(self._client, receipts=self._name, state=names["StateTable"], retention_days=0)

    def record(self, remediation: str) -> Record | None:
        """Return a remediation's execution record, or None."""
        return self._table.record(remediation)

    def findings(self, remediation: str) -> Sequence[Finding]:
        """Return what is stored of each finding of a remediation, in order of their index."""
        return self._table.findings(remediation)

    def pages(self, since: int) -> Iterator[Sequence[Filed]]:
        """Yield all findings since a moment of Unix time: a scan, which DynamoDB charges for the whole table."""
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._name,
            FilterExpression="begins_with(sk, :findings) AND #at >= :since",
            ExpressionAttributeNames={"#at": "at"},
            ExpressionAttributeValues={":findings": {"S": "finding/"}, ":since": {"N": str(since)}},
            ConsistentRead=True,
        )
        for page in pages:
            yield [Filed(finding_from(item), *asked_from(item)) for item in page["Items"]]
