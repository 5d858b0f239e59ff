"""DynamoDB: items by their leading keys, also within transactions and batches.

There is no IAM action `TransactWriteItems`: AWS checks the action of each element. Batches have actions of their own.
Sources: DynamoDB Developer Guide, "IAM and DynamoDB transactions", "Using IAM policy conditions for fine-grained access
control", "DynamoDB encryption at rest: usage notes" (a customer managed key is used with the caller's permissions).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from moto.dynamodb.models import dynamodb_backends

from remediator.local.iam.check import Check

from . import keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from remediator.local.iam.apicall import ApiCall

_TRANSACTED: Final = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}
_ITEM_OPERATIONS: Final = frozenset({"GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan"})
_DATA_OPERATIONS: Final = _ITEM_OPERATIONS | {
    *("BatchGetItem", "BatchWriteItem", "TransactGetItems", "TransactWriteItems"),
}
_EXPRESSIONS: Final = ("UpdateExpression", "ConditionExpression", "ProjectionExpression", "FilterExpression")
_WORD: Final = re.compile(r"(?<![:#\w.])[A-Za-z_]\w*")
_GRAMMAR: Final = frozenset(
    (
        *("set", "remove", "add", "delete", "and", "or", "not", "in", "between", "if_not_exists", "list_append"),
        *("attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "size"),
    )
)
"""Words of expressions that name no attribute."""
_RETURNS: Final = {"ReturnValues": "dynamodb:ReturnValues", "Select": "dynamodb:Select"}


def checks(call: ApiCall) -> list[Check]:
    """Return what a DynamoDB operation needs, and the use of the table's key if it is the customer's."""
    needed = list(_needed(call))
    if call.operation not in _DATA_OPERATIONS:
        return needed
    tables = dict.fromkeys(check.resource.partition("/index/")[0] for check in needed)
    return needed + [use for table in tables for use in _key_use(call, table)]


def _needed(call: ApiCall) -> Iterator[Check]:
    if call.operation in ("TransactWriteItems", "TransactGetItems"):
        yield from _transaction(call)
    elif call.operation in ("BatchGetItem", "BatchWriteItem"):
        for table, request in (call.params.get("RequestItems") or {}).items():
            yield _check(call, call.operation, table, {}, _batch_keys(call, table, request))
    elif call.operation in _ITEM_OPERATIONS:
        yield _check(call, call.operation, call.params.get("TableName"), call.params, _leading_keys(call, call.params))
    else:
        table = call.params.get("TableName") or call.params.get("ResourceArn") or call.params.get("TableArn")
        yield Check(f"dynamodb:{call.operation}", _arn(call, table) if table else "*")


def _transaction(call: ApiCall) -> Iterator[Check]:
    for element in call.params.get("TransactItems") or []:
        for kind, request in element.items():
            check = _check(call, _TRANSACTED[kind], request.get("TableName"), request, _leading_keys(call, request))
            yield Check(check.action, check.resource, {**check.context, "dynamodb:EnclosingOperation": call.operation})


def _check(call: ApiCall, action: str, table: object, request: Mapping[str, Any], leading: list[str]) -> Check:
    resource = _arn(call, table)
    if request.get("IndexName"):
        resource += f"/index/{request['IndexName']}"
    context: dict[str, Any] = {key: request[name] for name, key in _RETURNS.items() if request.get(name)}
    if leading:
        context["dynamodb:LeadingKeys"] = leading
    attributes = _attributes(request)
    if attributes:
        context["dynamodb:Attributes"] = attributes
    return Check(f"dynamodb:{action}", resource, context)


def _arn(call: ApiCall, table: object) -> str:
    name = str(table)
    return name if name.startswith("arn:") else call.arn(f"table/{name}")


def _table(call: ApiCall, table: object) -> Any:  # noqa: ANN401 - moto's Table
    name = str(table).rpartition("/")[2]
    return dynamodb_backends[call.account][call.region].tables.get(name)


def _leading_keys(call: ApiCall, request: Mapping[str, Any]) -> list[str]:
    table = _table(call, request.get("TableName"))
    if table is None:
        return []
    if "KeyConditionExpression" in request or "KeyConditions" in request:
        return _queried_key(_partition_key(table, request.get("IndexName")), request)
    item = request.get("Key") or request.get("Item") or {}
    return _values([item.get(table.hash_key_attr)])


def _batch_keys(call: ApiCall, table: str, request: Any) -> list[str]:  # noqa: ANN401 - either batch's shape
    found = _table(call, table)
    if found is None:
        return []
    if call.operation == "BatchGetItem":
        items = request.get("Keys", [])
    else:
        items = [
            entry.get("PutRequest", {}).get("Item") or entry.get("DeleteRequest", {}).get("Key") for entry in request
        ]
    return _values([item.get(found.hash_key_attr) for item in items])


def _partition_key(table: Any, index: str | None) -> str:  # noqa: ANN401 - moto's Table
    for found in [*table.indexes, *table.global_indexes] if index else []:
        if found.name == index:
            return next(str(key["AttributeName"]) for key in found.schema if key["KeyType"] == "HASH")
    return str(table.hash_key_attr)


def _queried_key(attribute: str, request: Mapping[str, Any]) -> list[str]:
    if "KeyConditions" in request:
        return _values(request["KeyConditions"].get(attribute, {}).get("AttributeValueList", []))
    names = request.get("ExpressionAttributeNames") or {}
    values = request.get("ExpressionAttributeValues") or {}
    for name, placeholder in re.findall(r"([#\w.-]+)\s*=\s*(:\w+)", request["KeyConditionExpression"]):
        if names.get(name, name) == attribute:
            return _values([values.get(placeholder)])
    return []


def _values(typed: list[dict[str, Any] | None]) -> list[str]:
    return [str(next(iter(value.values()))) for value in typed if value]


def _attributes(request: Mapping[str, Any]) -> list[str]:
    named = set((request.get("ExpressionAttributeNames") or {}).values())
    written = " ".join(str(request.get(name) or "") for name in _EXPRESSIONS)
    bare = {word for word in _WORD.findall(written) if word.lower() not in _GRAMMAR}
    return sorted(named | bare | set(request.get("Key") or {}) | set(request.get("Item") or {}))


def _key_use(call: ApiCall, table_arn: str) -> list[Check]:
    table = _table(call, table_arn)
    specification = (table.sse_specification or {}) if table else {}
    key = specification.get("KMSMasterKeyId") if specification.get("Enabled") else None
    context = {"aws:dynamodb:tableName": table.name, "aws:dynamodb:subscriberId": call.account} if table else {}
    return keys.uses(call, key, ("Decrypt",), context)
