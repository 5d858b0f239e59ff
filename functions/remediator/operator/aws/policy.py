"""Keep the customer's policy in one item of the state table: read by the remediator, written by the operator alone."""

from __future__ import annotations

from typing import Any, Final

from remediator.aws.verifiers import POLICY, policy_of
from remediator.service.policy_edits import Edit, EditedMeanwhile, Stored, edits_of, edits_text

USES_STATE: Final = {"dynamodb:PutItem": (POLICY,)}


class PolicyItem:
    """Read and write the policy, for the operator."""

    def __init__(self, client: Any, table: str) -> None:  # noqa: ANN401 - an SDK client
        self._client = client
        self._table = table

    def read(self) -> Stored | None:
        """Return the policy with its history, read consistently; None if there never was one."""
        answer = self._client.get_item(TableName=self._table, Key={"pk": {"S": POLICY}}, ConsistentRead=True)
        item = answer.get("Item")
        if item is None:
            return None
        return Stored(policy_of(item) or "", int(item["revision"]["N"]), edits_of(item["edits"]["S"]))

    def write(self, text: str, edits: tuple[Edit, ...], *, revision: int) -> None:
        """Write the policy as the next revision after `revision`, 0 if there was none; else `EditedMeanwhile`."""
        item = {
            "pk": {"S": POLICY},
            "document": {"S": text},
            "revision": {"N": str(revision + 1)},
            "edits": {"S": edits_text(edits)},
        }
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if revision:
            condition = {
                "ConditionExpression": "revision = :met",
                "ExpressionAttributeValues": {":met": {"N": str(revision)}},
            }
        try:
            self._client.put_item(TableName=self._table, Item=item, **condition)
        except self._client.exceptions.ConditionalCheckFailedException:
            raise EditedMeanwhile("somebody else saved the policy meanwhile") from None
