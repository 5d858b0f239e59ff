"""Keep the control item in DynamoDB: the operator writes it, every request reads it."""

from __future__ import annotations

from typing import Any, Final

from remediator.operator.aws.refusals import reported
from remediator.service.control import Control, Order
from remediator.service.errors import FrozenAgain

USES_STATE: Final = {"dynamodb:UpdateItem": ("control",)}


class ControlItem:
    """Keep the state in the state table, with the order that it follows from."""

    def __init__(self, client: Any, table: str) -> None:  # noqa: ANN401 - an SDK client
        self._client = client
        self._table = table

    def read(self) -> Control:
        """Return the control item, read consistently."""
        with reported():
            answer = self._client.get_item(TableName=self._table, Key={"pk": {"S": "control"}}, ConsistentRead=True)
        if "Item" not in answer:
            return Control(None, "", None)
        item = {name: next(iter(value.values())) for name, value in answer["Item"].items()}
        if "order" not in item:
            return Control(item["state"], "", None)
        order = Order(item["order"], item["by"], int(item["at"]), item["why"])
        return Control(item["state"], order.id, order)

    def freeze(self, order: Order) -> None:
        """Set the state to frozen, whatever it was."""
        with reported():
            self._set("frozen", order)

    def open(self, order: Order, met: Control) -> None:
        """Set the state to open if the control item is still the one that was met; one that shows the order is so."""
        if met.state != "frozen":
            if self.read().state == "frozen":
                raise FrozenAgain("somebody froze it meanwhile, and that holds")
            return
        condition = "#state = :met AND " + ("#order = :order_met" if met.version else "attribute_not_exists(#order)")
        values = {":met": {"S": "frozen"}} | ({":order_met": {"S": met.version}} if met.version else {})
        try:
            with reported():
                self._set("open", order, ConditionExpression=condition, more=values)
        except self._client.exceptions.ConditionalCheckFailedException:
            if self.read().order != order:  # ours, if the reply was lost and the SDK sent it again
                raise FrozenAgain("somebody froze it again meanwhile, and that holds") from None

    def _set(self, state: str, order: Order, *, more: dict[str, Any] | None = None, **condition: str) -> None:
        names = {f"#{name}": name for name in ("state", "order", "by", "at", "why")}
        values = {":state": state, ":order": order.id, ":by": order.by, ":why": order.why}
        self._client.update_item(
            TableName=self._table,
            Key={"pk": {"S": "control"}},
            UpdateExpression="SET #state = :state, #order = :order, #by = :by, #at = :at, #why = :why",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={name: {"S": value} for name, value in values.items()}
            | {":at": {"N": str(order.at)}}
            | (more or {}),
            **condition,
        )
