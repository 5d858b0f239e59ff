"""Keep admissions by hand on the windows' items: the remediator counts who tries what the operator left there.

`tries` stands from the admission on, so that a window is admitted once; `opening` is there while the admission is open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from remediator.core.gate import Opening
from remediator.core.windows import window_at
from remediator.service.by_hand import MOST_TRIES
from remediator.service.records import Mode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.core.windows import Window

SWEPT: Final = 12
"""How many past windows the rotator looks back at, an hour; what is older goes with its item."""

_NAMES: Final = {
    "#opening": "opening",
    "#tries": "tries",
    "#planned": "planned_by",
    "#applied": "applied_by",
    "#from": "not_before",
    "#to": "not_after",
    "#state": "state",
}
_USED_BY: Final[Mapping[Mode, str]] = {Mode.PLAN: "#planned", Mode.APPLY: "#applied"}
_ONE: Final = {":one": {"N": "1"}}
_MOST: Final = {":most": {"N": str(MOST_TRIES)}}

TOUCHED: Final = ("pk", "opening", "tries", "planned_by", "applied_by")
"""The attributes of a window's item that the remediator changes or makes a condition of."""

TOUCHED_BY_SWEEP: Final = ("pk", "opening")
"""The attributes that the rotator changes or makes a condition of when it clears a window that is over."""


class AdmissionItems:
    """Count attempts on a window's admission and note what it is used for; for the remediator.

    The client must send nothing twice: an attempt that is taken back twice makes room for one wrong code more.
    """

    def __init__(self, client: Any, table: str) -> None:  # noqa: ANN401 - an SDK client
        self._client = client
        self._table = table

    def count(self, window: Window) -> Opening | None:
        """Count an attempt while there are any left, and only then read the opening."""
        counted = self._update(
            window, "SET #tries = #tries + :one", "attribute_exists(#opening) AND #tries < :most", _ONE | _MOST
        )
        return self._opening(window) if counted else None

    def use(self, window: Window, mode: Mode, request: str) -> bool:
        """Take the attempt back and note the request, unless another one of its mode was before it."""
        used = _USED_BY[mode]
        if self._update(
            window,
            f"SET {used} = :request, #tries = #tries - :one",
            f"attribute_exists(#opening) AND (attribute_not_exists({used}) OR {used} = :request)",
            {":request": {"S": request}} | _ONE,
        ):
            return True
        self._update(window, "SET #tries = #tries - :one", "attribute_exists(#opening)", _ONE)
        return False

    def close_spent(self, window: Window) -> bool:
        """Delete the opening once no attempt is left."""
        return self._update(window, "REMOVE #opening", "attribute_exists(#opening) AND #tries >= :most", _MOST)

    def _opening(self, window: Window) -> Opening | None:
        item = _read(self._client, self._table, [window], "pk, #opening").get(name_of(window), {})
        return Opening(item["opening"]["B"]) if "opening" in item else None

    def _update(self, window: Window, expression: str, condition: str, values: dict[str, Any]) -> bool:
        update = change(self._table, window, expression, condition, values)
        try:
            self._client.update_item(**update)
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True


class DepositSweep:
    """Delete openings of windows that are over; for the rotator, since DynamoDB's own expiry takes days."""

    def __init__(self, client: Any, table: str) -> None:  # noqa: ANN401 - an SDK client
        self._client = client
        self._table = table

    def clear(self, now: float) -> None:
        """Look back at the last hour in one call, and write only where an opening was left."""
        newest = window_at(now)
        past = [newest + -ago for ago in range(1, SWEPT + 1) if newest.number >= ago]
        found = _read(self._client, self._table, past, "pk, #opening") if past else {}
        for window in past:
            if "opening" in found.get(name_of(window), {}):
                self._client.update_item(**change(self._table, window, "REMOVE #opening", "attribute_exists(pk)", {}))


def _read(client: Any, table: str, windows: list[Window], projection: str) -> dict[str, Any]:  # noqa: ANN401 - an SDK client
    """Return items by their keys, read consistently; what a busy table doesn't give counts as absent."""
    keys = [{"pk": {"S": name_of(window)}} for window in windows]
    request = {"Keys": keys, "ConsistentRead": True, "ProjectionExpression": projection}
    answer = client.batch_get_item(RequestItems={table: {**request, "ExpressionAttributeNames": named("#opening")}})
    return {item["pk"]["S"]: item for item in answer["Responses"].get(table, [])}


def change(table: str, window: Window, expression: str, condition: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return a conditional update; every attribute stands in it by a name, which is how IAM sees it too."""
    request: dict[str, Any] = {
        "TableName": table,
        "Key": {"pk": {"S": name_of(window)}},
        "UpdateExpression": expression,
        "ConditionExpression": condition,
        "ExpressionAttributeNames": named(*(name for name in _NAMES if name in f"{expression} {condition}")),
    }
    return request | ({"ExpressionAttributeValues": values} if values else {})


def named(*names: str) -> dict[str, str]:
    """Return what stand-ins stand for, as expressions want it."""
    return {name: _NAMES[name] for name in names}


def name_of(window: Window) -> str:
    """Return the key of a window's item."""
    return f"window/{window}"
