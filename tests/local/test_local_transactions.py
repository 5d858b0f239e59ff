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


def put(name: str, **more: Any) -> dict[str, Any]:
    return {"Put": {"TableName": "tried", "Item": {"pk": {"S": name}}, **more}}


def names(tables: Any) -> set[str]:
    return {item["pk"]["S"] for item in tables.scan(TableName="tried")["Items"]}


@pytest.mark.parametrize("refused", [0, 1, 2])
def test_nothing_of_a_transaction_is_written_if_one_item_refuses_it(tables: Any, refused: int) -> None:
    present = "attribute_exists(pk)"
    change = {
        "TableName": "tried",
        "Key": {"pk": {"S": f"updated {refused}"}},
        "UpdateExpression": "SET #size = :one",
        "ExpressionAttributeNames": {"#size": "size"},
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }
    items = [put(f"first {refused}"), {"Update": change}, put(f"last {refused}")]
    next(iter(items[refused].values()))["ConditionExpression"] = present
    before = names(tables)
    with pytest.raises(ClientError) as canceled:
        tables.transact_write_items(TransactItems=items)
    codes = [reason["Code"] for reason in canceled.value.response["CancellationReasons"]]
    assert codes == ["ConditionalCheckFailed" if index == refused else "None" for index in range(3)]
    assert names(tables) == before
    del next(iter(items[refused].values()))["ConditionExpression"]
    tables.transact_write_items(TransactItems=items)
    assert names(tables) - before == {f"first {refused}", f"updated {refused}", f"last {refused}"}


def test_who_is_refused_sees_the_item_if_it_asks(tables: Any) -> None:
    insert(tables, "seen")
    for asked, shown in (({"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}, {"pk": {"S": "seen"}}), ({}, None)):
        with pytest.raises(ClientError) as canceled:
            tables.transact_write_items(
                TransactItems=[put("seen", ConditionExpression="attribute_not_exists(pk)", **asked)]
            )
        assert canceled.value.response["CancellationReasons"][0].get("Item") == shown


def test_a_transaction_deletes_and_checks_too(tables: Any) -> None:
    insert(tables, "old")
    insert(tables, "checked")
    gone = {"Delete": {"TableName": "tried", "Key": {"pk": {"S": "old"}}}}
    check = {"TableName": "tried", "Key": {"pk": {"S": "checked"}}, "ConditionExpression": "attribute_exists(pk)"}
    tables.transact_write_items(TransactItems=[gone, {"ConditionCheck": check}])
    assert {"old", "checked"} & names(tables) == {"checked"}


@pytest.mark.parametrize(
    ("items", "told"),
    [
        ([put("one"), put("one")], "multiple operations on one item"),
        ([put(f"{number}") for number in range(101)], "less than or equal to 100"),
    ],
)
def test_a_transaction_has_its_bounds(tables: Any, items: list[Any], told: str) -> None:
    with pytest.raises(ClientError, match=told):
        tables.transact_write_items(TransactItems=items)
