"""A transaction that an SDK sends again, since it has waited too long for the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from remediator.local.emulator.transactions import LIFETIME

if TYPE_CHECKING:
    from remediator.local.account import EmbeddedAccount


@pytest.fixture(scope="module")
def tables(embedded: EmbeddedAccount) -> Any:
    client: Any = embedded.client("dynamodb")
    client.create_table(
        TableName="tried",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return client


def insert(tables: Any, name: str, **token: str) -> None:
    put = {"TableName": "tried", "Item": {"pk": {"S": name}}, "ConditionExpression": "attribute_not_exists(pk)"}
    tables.transact_write_items(TransactItems=[{"Put": put}], **token)


def test_the_same_transaction_under_the_same_token_is_carried_out_once(tables: Any) -> None:
    insert(tables, "once", ClientRequestToken="t1")
    insert(tables, "once", ClientRequestToken="t1")


@pytest.mark.parametrize("token", [{"ClientRequestToken": "t3"}, {}], ids=["another token", "none"])
def test_the_same_transaction_under_another_token_is_another(tables: Any, token: dict[str, str]) -> None:
    name = f"twice {len(token)}"
    insert(tables, name, ClientRequestToken="t2" + name)
    with pytest.raises(ClientError, match="TransactionCanceledException"):
        insert(tables, name, **token)


def test_another_transaction_under_the_same_token_is_refused(tables: Any) -> None:
    insert(tables, "mine", ClientRequestToken="t4")
    with pytest.raises(ClientError, match="IdempotentParameterMismatchException"):
        insert(tables, "other", ClientRequestToken="t4")


def test_what_was_canceled_is_tried_again(tables: Any) -> None:
    insert(tables, "met", ClientRequestToken="t5")
    for _ in range(2):
        with pytest.raises(ClientError, match="TransactionCanceledException"):
            insert(tables, "met", ClientRequestToken="t6")
    tables.delete_item(TableName="tried", Key={"pk": {"S": "met"}})
    insert(tables, "met", ClientRequestToken="t6")


def test_a_token_is_forgotten_after_ten_minutes(tables: Any, embedded: EmbeddedAccount) -> None:
    insert(tables, "later", ClientRequestToken="t7")
    embedded.clock.shift(LIFETIME + 1)
    with pytest.raises(ClientError, match="TransactionCanceledException"):
        insert(tables, "later", ClientRequestToken="t7")
