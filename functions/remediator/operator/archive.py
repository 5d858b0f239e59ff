"""Read execution records and receipts straight from their store: it works while the gate is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from remediator.operator.errors import NoFormer
from remediator.operator.office import on_each

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from remediator.operator.aws.office import AwsOffice
    from remediator.operator.azure.office import AzureOffice
    from remediator.operator.history import Filed
    from remediator.operator.office import Office
    from remediator.service.records import Finding, Record


class Archive(Protocol):
    """Read what the remediator wrote down; nothing here writes."""

    def record(self, remediation: str) -> Record | None:
        """Return a remediation's execution record, or None."""

    def findings(self, remediation: str) -> Sequence[Finding]:
        """Return what is stored of each finding of a remediation, in order of their index."""

    def pages(self, since: int) -> Iterator[Sequence[Filed]]:
        """Yield all findings since a moment of Unix time, in no order, page by page as the store gives them."""


def archive_of(office: Office, former: str | None = None) -> Archive:
    """Return a deployment's archive, or that of a former one by its table's name; raise `NoFormer` on Azure."""
    if former is not None and office.cloud != "aws":
        raise NoFormer(
            "on Azure, installing again takes the receipts' table up again: there is no other",
            next="Leave the table's name out.",
        )
    return on_each(office, aws=lambda aws: _on_aws(aws, former), azure=_on_azure)


def _on_aws(office: AwsOffice, former: str | None) -> Archive:
    from remediator.operator.aws.archive import AwsArchive  # noqa: PLC0415 - only the cloud's own SDK need be there

    return AwsArchive(office, former)


def _on_azure(office: AzureOffice) -> Archive:
    from remediator.operator.azure.archive import AzureArchive  # noqa: PLC0415 - only the cloud's own SDK need be there

    return AzureArchive(office)
