"""Keep control item, lease and verifiers in the state table, for the rotator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from remediator.service.errors import Frozen, LeaseTaken
from remediator.service.staging import Staging

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from remediator.core.gate import Verifier
    from remediator.core.windows import Window

LEASE: Final = 120
"""How long a lease lasts, in seconds: twice the function's time-out."""

KEPT: Final = 86_400
"""How long a verifier stays after its window, in seconds, for who looks into an incident."""

USES: Final = {
    "dynamodb:BatchGetItem": ("control", "lease", "window/*"),
    "dynamodb:UpdateItem": ("lease",),
    "dynamodb:PutItem": ("control", "window/*"),
    "dynamodb:ConditionCheckItem": ("control", "lease"),
}


class StagingTable:
    """Stage windows. Verifiers are only ever inserted; the state is only ever inserted, as open, when there is none.

    `gate_of` tells, of the items by their names, under which fingerprint the gate was left.
    """

    def __init__(
        self,
        client: Any,  # noqa: ANN401 - an SDK client
        table: str,
        gate_of: Callable[[Mapping[str, Any]], str] | None = None,
    ) -> None:
        self._client = client
        self._table = table
        self._gate_of = gate_of or _noted

    def look(self, windows: Sequence[Window]) -> Staging:
        """Read the control item, the lease and the windows' verifiers in one consistent call."""
        keys = [{"pk": {"S": name}} for name in ("control", "lease", *(_name(window) for window in windows))]
        request = {self._table: {"Keys": keys, "ConsistentRead": True, "ProjectionExpression": "pk, #s, gate, pad_of"}}
        request[self._table]["ExpressionAttributeNames"] = {"#s": "state"}
        answer = self._client.batch_get_item(RequestItems=request)
        if answer["UnprocessedKeys"]:
            raise LeaseTaken("the state table is too busy to be read whole")
        items = {item["pk"]["S"]: item for item in answer["Responses"][self._table]}
        return Staging(
            state=items["control"]["state"]["S"] if "control" in items else None,
            windows=frozenset(window for window in windows if _name(window) in items),
            gate=self._gate_of(items),
        )

    def take_lease(self, holder: str, now: float) -> None:
        """Take the lease unless another run's is still good; a call that is sent again finds its own."""
        try:
            self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": "lease"}},
                UpdateExpression="SET holder = :holder, #until = :until",
                ConditionExpression="attribute_not_exists(pk) OR #until <= :now OR holder = :holder",
                ExpressionAttributeNames={"#until": "until"},
                ExpressionAttributeValues={
                    ":holder": {"S": holder},
                    ":until": {"N": str(int(now) + LEASE)},
                    ":now": {"N": str(int(now))},
                },
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            raise LeaseTaken("another run of the rotator is at work; the next one goes on") from None

    def give_lease_back(self, holder: str, gate: str) -> None:
        """End the lease if it is still ours, and note the gate's fingerprint."""
        try:
            self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": "lease"}},
                UpdateExpression="SET #until = :ended, gate = :gate",
                ConditionExpression="holder = :holder",
                ExpressionAttributeNames={"#until": "until"},
                ExpressionAttributeValues={":holder": {"S": holder}, ":ended": {"N": "0"}, ":gate": {"S": gate}},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            raise LeaseTaken("another run of the rotator took the lease over") from None

    def open_first(self) -> None:
        """Insert the control item as open; one that is there already stays as it is."""
        try:
            self._client.put_item(
                TableName=self._table,
                Item={"pk": {"S": "control"}, "state": {"S": "open"}},
                ConditionExpression="attribute_not_exists(pk)",
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return

    def stage(self, verifiers: Sequence[Verifier], holder: str) -> None:
        """Insert verifiers in one transaction, on the conditions that the state is open and the lease is ours."""
        checks = [
            self._check("control", "#name = :value", "state", "open"),
            self._check("lease", "#name = :value", "holder", holder),
        ]
        puts = [{"Put": self._insert(verifier)} for verifier in verifiers]
        try:
            self._client.transact_write_items(TransactItems=checks + puts)
        except ClientError as error:
            raise _named(error) from None

    def _check(self, key: str, condition: str, name: str, value: str) -> dict[str, Any]:
        return {
            "ConditionCheck": {
                "TableName": self._table,
                "Key": {"pk": {"S": key}},
                "ConditionExpression": condition,
                "ExpressionAttributeNames": {"#name": name},
                "ExpressionAttributeValues": {":value": {"S": value}},
            }
        }

    def _insert(self, verifier: Verifier) -> dict[str, Any]:
        window = verifier.window
        item = {
            "pk": {"S": _name(window)},
            "P": {"B": verifier.proof_key.reveal()},
            "c": {"B": verifier.check},
            "not_before": {"N": str(window.not_before)},
            "not_after": {"N": str(window.not_after)},
            "expires_at": {"N": str(window.not_after + KEPT)},
        }
        return {"TableName": self._table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}


def _noted(items: Mapping[str, Any]) -> str:
    """Return the fingerprint that the last run noted with the lease."""
    return str(items.get("lease", {}).get("gate", {}).get("S", ""))


def _name(window: Window) -> str:
    return f"window/{window}"


def _named(error: ClientError) -> Exception:
    reasons: Any = error.response.get("CancellationReasons", [])
    failed = [reason.get("Code") == "ConditionalCheckFailed" for reason in reasons]
    if not any(failed):
        return error
    if failed[0]:
        return Frozen("the state isn't open any more")
    return LeaseTaken("the lease was taken over, or a window was staged, meanwhile; the next run goes on")
