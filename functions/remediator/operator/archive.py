"""Read execution records and receipts straight from their store: it works while the gate is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from remediator.operator.history import Filed
    from remediator.service.records import Finding, Record


class Archive(Protocol):
    """Read what the remediator wrote down; nothing here writes."""

    def record(self, remediation: str) -> Record | None:
        """Return a remediation's execution record, or None."""

    def findings(self, remediation: str) -> Sequence[Finding]:
        """Return what is stored of each finding of a remediation, in order of their index."""

    def pages(self, since: int) -> Iterator[Sequence[Filed]]:
        """Yield all findings since a moment of Unix time, in no order, page by page as the store gives them."""
