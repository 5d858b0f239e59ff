"""Look requests up in the receipts table, for who watches the write role: when they ran, and nothing else of them."""

from __future__ import annotations

from typing import Any, Final

from remediator.aws.trail import Span

USES: Final = ("dynamodb:GetItem",)


class RequestSpans:
    """Find execution records by their id."""

    def __init__(self, client: Any, table: str) -> None:  # noqa: ANN401 - an SDK client
        self._client = client
        self._table = table

    def span_of(self, remediation: str) -> Span | None:
        """Return when a request may have passed the gate; None if there is no such request."""
        if not remediation:
            return None
        answer = self._client.get_item(
            TableName=self._table,
            Key={"pk": {"S": remediation}, "sk": {"S": "record"}},
            ConsistentRead=True,
            ProjectionExpression="created_at, deadline",
        )
        item = answer.get("Item")
        return Span(int(item["created_at"]["N"]), int(item["deadline"]["N"])) if item else None
