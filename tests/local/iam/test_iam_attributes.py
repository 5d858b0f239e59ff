"""DynamoDB's items guarded by the attributes that an update mentions, under their names or under stand-ins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.local.iam.iam_account import ACCOUNT, REGION, allow

if TYPE_CHECKING:
    from tests.local.iam.iam_account import Account

VALUE = {":v": {"S": "v"}}
ONLY = {"ForAllValues:StringEquals": {"dynamodb:Attributes": ["pk", "given"]}}


@pytest.fixture(scope="module")
def table(account: Account) -> str:
    name = account.name("attributes")
    account.client("dynamodb").create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


@pytest.mark.parametrize(
    ("change", "condition", "names", "allowed"),
    [
        ("SET given = :v", "attribute_not_exists(nothing.pk) OR attribute_exists(pk)", {}, False),
        ("SET given = :v", "attribute_exists(pk) OR attribute_not_exists(pk)", {}, True),
        ("SET #g = :v", "attribute_not_exists(given) OR given = :v", {"#g": "given"}, True),
        ("SET given = if_not_exists(given, :v)", "pk <> :v AND NOT pk IN (:v)", {}, True),
        ("SET other = :v", "pk <> :v", {}, False),
        ("SET #o = :v", "pk <> :v", {"#o": "other"}, False),
        ("REMOVE other SET given = :v", "pk <> :v", {}, False),
        ("SET given = :v", "NOT begins_with(other, :v)", {}, False),
    ],
)
def test_an_update_may_mention_no_attribute_but_those_that_are_allowed(
    account: Account, table: str, change: str, condition: str, names: dict[str, str], *, allowed: bool
) -> None:
    resource = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}"
    client = account.client("dynamodb", account.session(allow(["dynamodb:UpdateItem"], resource, Condition=ONLY)))
    request: dict[str, Any] = {"UpdateExpression": change, "ConditionExpression": condition}
    request |= {"ExpressionAttributeNames": names} if names else {}
    code = ""
    try:
        client.update_item(TableName=table, Key={"pk": {"S": "x"}}, ExpressionAttributeValues=VALUE, **request)
    except ClientError as error:
        code = error.response["Error"]["Code"]
    assert code == ("" if allowed else "AccessDeniedException")
