"""Run a transaction whole or not at all, and once, however often its caller sends it.

moto copies the whole table once for each item, to be able to go back, and keeps the copies: an account that lives for
hundreds of transactions grows by gigabytes. Here all conditions are looked at before anything is written.

DynamoDB knows a transaction's token for ten minutes, moto doesn't. An SDK sends a transaction again when it has waited
too long for the answer: on a machine that is busy, a claim would meet itself.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final

from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.exceptions import (
    ConditionalCheckFailed,
    DynamodbException,
    MultipleTransactionsException,
    TooManyTransactionsException,
    TransactionCanceledException,
)
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.responses import DynamoHandler

if TYPE_CHECKING:
    from remediator.local.emulator.hooks import Hooks

LIFETIME: Final = 600
"""How long a token is known, in seconds."""

MOST: Final = 100
"""How many items a transaction takes."""

_EXPRESSIONS: Final = {
    "condition_expression": "ConditionExpression",
    "expression_attribute_names": "ExpressionAttributeNames",
    "expression_attribute_values": "ExpressionAttributeValues",
}


def install(hooks: Hooks) -> None:
    """Repair moto's TransactWriteItems; of two at a time, the second waits.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
    """
    one_at_a_time = threading.Lock()
    done: dict[tuple[str, str, str], tuple[float, Any, Any]] = {}

    def transact_write_items(self: DynamoHandler) -> Any:  # noqa: ANN401 - moto's own
        token, items, now = self.body.get("ClientRequestToken"), self.body["TransactItems"], time.time()
        key = (self.current_account, self.region, token)
        with one_at_a_time:
            for old in [one for one, (at, *_) in done.items() if now - at > LIFETIME]:
                del done[old]
            if key in done:
                _, sent, answer = done[key]
                if sent != items:
                    raise DynamodbException("IdempotentParameterMismatchException", "The token was for other items.")
                return answer
            answer = transact(self)
            if token:
                done[key] = (now, items, answer)
            return answer

    transact = hooks.replace(DynamoHandler, "transact_write_items", transact_write_items)
    hooks.replace(DynamoDBBackend, "transact_write_items", _transact_write_items)


def _transact_write_items(self: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    """Write all items, or raise `TransactionCanceledException` with what refused each; their form is checked before."""
    if len(transact_items) > MOST:
        raise TooManyTransactionsException
    writes = [next(iter(item.items())) for item in transact_items]
    targets = [(operation["TableName"], str(_key(self, operation))) for _, operation in writes]
    if len(set(targets)) < len(targets):
        raise MultipleTransactionsException
    refusals = [_refusal(self, operation) for _, operation in writes]
    if any(code for code, *_ in refusals):
        raise TransactionCanceledException(refusals)
    for kind, operation in writes:
        _write(self, kind, operation)


def _key(tables: DynamoDBBackend, operation: dict[str, Any]) -> list[tuple[str, Any]]:
    table = tables.get_table(operation["TableName"])
    named = operation.get("Key") or operation["Item"]
    return [(name, named[name]) for name in (table.hash_key_attr, table.range_key_attr) if name is not None]


def _refusal(
    tables: DynamoDBBackend, operation: dict[str, Any]
) -> tuple[str | None, str | None, dict[str, Any] | None]:
    """Return why an item refuses the transaction: code, message and, where asked for, the item; or three times None."""
    condition, *stand_ins = (operation.get(member) for member in _EXPRESSIONS.values())
    if condition is None:
        return None, None, None
    met = tables.get_item(operation["TableName"], dict(_key(tables, operation)))
    if get_filter_expression(condition, *stand_ins).expr(met):
        return None, None, None
    shown = met and operation.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
    item = met.to_json()["Attributes"] if met and shown else None
    return "ConditionalCheckFailed", str(ConditionalCheckFailed().message), item


def _write(tables: DynamoDBBackend, kind: str, operation: dict[str, Any]) -> None:
    table: str = operation["TableName"]
    expressions: dict[str, Any] = {ours: operation.get(member) for ours, member in _EXPRESSIONS.items()}
    if kind == "Put":
        tables.put_item(table, operation["Item"], **expressions)
    if kind == "Update":
        tables.update_item(table, operation["Key"], update_expression=operation["UpdateExpression"], **expressions)
    if kind == "Delete":
        tables.delete_item(table, operation["Key"], **expressions)
