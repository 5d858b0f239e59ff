"""Admit a window on AWS: leave its opening on its item, where the remediator reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from remediator.aws.admissions import change, name_of, named
from remediator.service.errors import Frozen, NotLive, Spent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from remediator.core.gate import Opening
    from remediator.core.windows import Window

TOUCHED_BY_DESK: Final = ("pk", "opening", "tries", "not_before", "not_after")
"""The attributes that an admission sets or makes a condition of."""


class AdmissionDesk:
    """Admit a window; for the operator."""

    def __init__(self, client: Any, table: str, clock: Callable[[], float]) -> None:  # noqa: ANN401 - an SDK client
        self._client = client
        self._table = table
        self._clock = clock

    def admit(self, window: Window, opening: Opening) -> None:
        """Leave the opening if the deployment is open and the window is live; once, whatever is repeated."""
        control = {
            "TableName": self._table,
            "Key": {"pk": {"S": "control"}},
            "ConditionExpression": "#state = :open",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {":open": {"S": "open"}},
        }
        try:
            self._client.transact_write_items(
                TransactItems=[{"ConditionCheck": control}, {"Update": self._leave(window, opening)}]
            )
        except self._client.exceptions.TransactionCanceledException as canceled:
            codes = [reason.get("Code") for reason in canceled.response["CancellationReasons"]]
            if "ConditionalCheckFailed" not in codes:
                raise
            if codes[0] == "ConditionalCheckFailed":
                raise Frozen("the deployment isn't open") from None
            self._require_admitted(window)

    def admitted(self, window: Window) -> bool:
        """Tell whether the window's admission is open."""
        return "opening" in self._look(window)

    def _leave(self, window: Window, opening: Opening) -> dict[str, Any]:
        return change(
            self._table,
            window,
            "SET #opening = :opening, #tries = :none",
            "attribute_exists(pk) AND attribute_not_exists(#tries) AND #from <= :now AND #to > :now",
            {":opening": {"B": opening.reveal()}, ":none": {"N": "0"}, ":now": {"N": str(int(self._clock()))}},
        )

    def _require_admitted(self, window: Window) -> None:
        """Raise `Spent`, or `NotLive`, unless the window was admitted before."""
        item = self._look(window)
        if "tries" not in item:
            raise NotLive("the window isn't staged, or isn't live any more")
        if "opening" not in item:
            raise Spent("three wrong codes have closed this window's admission")

    def _look(self, window: Window) -> Mapping[str, Any]:
        answer = self._client.get_item(
            TableName=self._table,
            Key={"pk": {"S": name_of(window)}},
            ConsistentRead=True,
            ProjectionExpression="#opening, #tries",
            ExpressionAttributeNames=named("#opening", "#tries"),
        )
        found: Mapping[str, Any] = answer.get("Item", {})
        return found
