"""Move the gate where IAM isn't written: its one value under a pad for each window, which goes with the window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from remediator.core.gate import pad_of, parse_fixed
from remediator.core.windows import Window, window_at
from remediator.service.errors import Frozen, LeaseTaken

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from remediator.core.gate import FixedValue, Opening

USES_VALUE: Final = ("secretsmanager:GetSecretValue",)
USES_PADS: Final = ("dynamodb:UpdateItem",)

TOUCHED: Final = ("pk", "pad", "pad_of")
"""The attributes of a window's item that the rotator changes or makes a condition of: the only ones it writes twice."""

BEHIND: Final = 94
AHEAD: Final = 4
"""How far pads are looked for: with the state, no more than the 100 items that DynamoDB changes at once."""


class StoredValue:
    """Read the gate's one value where CloudFormation put it."""

    def __init__(self, client: Any, secret: str) -> None:  # noqa: ANN401 - an SDK client
        self._client = client
        self._secret = secret

    def read(self) -> tuple[FixedValue, str]:
        """Return the value, and the id of its version, which no other value ever has."""
        answer = self._client.get_secret_value(SecretId=self._secret)
        return parse_fixed(answer["SecretString"]), str(answer["VersionId"])


class SealedGate:
    """Let an opening unseal the value in its own window, and nothing unseal it otherwise."""

    def __init__(
        self,
        client: Any,  # noqa: ANN401 - an SDK client
        table: str,
        value: StoredValue,
        *,
        deployment: str,
        clock: Callable[[], float],
    ) -> None:
        self._client = client
        self._table = table
        self._value = value
        self._deployment = deployment
        self._clock = clock

    def stands(self, windows: Sequence[Window], fingerprint: str) -> bool:
        """Tell whether each of the windows has a pad for the value that stands today."""
        _, version = self._value.read()
        return {f"{window}={version}" for window in windows} <= set(fingerprint.split())

    def set(self, openings: Mapping[Window, Opening]) -> str:
        """Lay pads for these windows, and take every other one away: all or none, and only while the state is open."""
        fixed, version = self._value.read()
        changes, left = [], {}
        for window, sealed_for in self._standing().items():
            if window in openings:
                left[window] = version
            if sealed_for == left.get(window, ""):
                continue
            pad = pad_of(self._deployment, window, openings[window], fixed) if window in openings else b""
            changes.append(self._lay(window, pad, version) if pad else self._take(window))
        if changes:
            self._write([self._while_open(), *changes])
        return " ".join(f"{window}={version}" for window in sorted(left))

    def close(self) -> str:
        """Take every pad away; the windows themselves stay."""
        changes = [self._take(window) for window, sealed_for in self._standing().items() if sealed_for]
        if changes:
            self._write(changes)
        return ""

    def _standing(self) -> dict[Window, str]:
        """Return the staged windows, and for each the version that its pad is for, or nothing."""
        current = window_at(self._clock()).number
        windows = [Window(number) for number in range(max(0, current - BEHIND), current + AHEAD + 1)]
        request: dict[str, Any] = {"Keys": [_key(window) for window in windows], "ConsistentRead": True}
        answer = self._client.batch_get_item(
            RequestItems={self._table: {**request, "ProjectionExpression": "pk, pad_of"}}
        )
        if answer.get("UnprocessedKeys"):
            raise LeaseTaken("the state table is too busy to be read whole")
        items = {item["pk"]["S"]: item for item in answer["Responses"].get(self._table, [])}
        names = {_key(window)["pk"]["S"]: window for window in windows}
        return {names[name]: _version(item) for name, item in items.items()}

    def _lay(self, window: Window, pad: bytes, version: str) -> dict[str, Any]:
        values = {":pad": {"B": pad}, ":version": {"S": version}}
        return self._update(window, "SET #pad = :pad, #pad_of = :version") | {"ExpressionAttributeValues": values}

    def _take(self, window: Window) -> dict[str, Any]:
        return self._update(window, "REMOVE #pad, #pad_of")

    def _update(self, window: Window, change: str) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "Key": _key(window),
            "UpdateExpression": change,
            "ConditionExpression": "attribute_exists(pk)",
            "ExpressionAttributeNames": {"#pad": "pad", "#pad_of": "pad_of"},
        }

    def _while_open(self) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "Key": {"pk": {"S": "control"}},
            "ConditionExpression": "#state = :open",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {":open": {"S": "open"}},
        }

    def _write(self, changes: Sequence[dict[str, Any]]) -> None:
        items = [{"Update" if "UpdateExpression" in one else "ConditionCheck": one} for one in changes]
        try:
            self._client.transact_write_items(TransactItems=items)
        except ClientError as error:
            raise _named(error, changes) from None


def paddings(items: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the gate's fingerprint as it stands in the windows' items: for each, which version its pad is for."""
    sealed = {name.partition("/")[2]: _version(item) for name, item in items.items() if name.startswith("window/")}
    return " ".join(f"{number}={version}" for number, version in sorted(sealed.items()) if version)


def _version(item: Mapping[str, Any]) -> str:
    return str(item.get("pad_of", {}).get("S", ""))


def _key(window: Window) -> dict[str, Any]:
    return {"pk": {"S": f"window/{window}"}}


def _named(error: ClientError, changes: Sequence[dict[str, Any]]) -> Exception:
    reasons: Any = error.response.get("CancellationReasons", [])
    failed = [
        "UpdateExpression" in change
        for change, reason in zip(changes, reasons, strict=False)
        if reason.get("Code") == "ConditionalCheckFailed"
    ]
    if not failed:
        return error
    if not all(failed):
        return Frozen("the state isn't open any more")
    return LeaseTaken("a window's item went meanwhile; the next run goes on")
