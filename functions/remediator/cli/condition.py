"""Examine a deployment: what the rotator staged, what STS would open, what rings."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from remediator.core.windows import AHEAD, Window, open_at, window_at

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remediator.catalogue.spec import JSON
    from remediator.cli.places import Operator

ALARMS: Final = "remediator-"
_AHEAD_OF_LAST_RUN: Final = AHEAD
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@dataclass(frozen=True, slots=True)
class Alarm:
    """Hold one alarm's state, as CloudWatch names it: OK, ALARM or INSUFFICIENT_DATA."""

    name: str
    state: str
    says: str


@dataclass(frozen=True, slots=True)
class Condition:
    """Hold how a deployment is at `now`, in Unix time.

    `answers` is what the endpoint itself says: open, frozen or unavailable. `staged` are the windows that the state
    table shows, `opens` those for which the trust policy opens; `foreign` are principals in it that don't belong there.
    """

    now: float
    outputs: Mapping[str, str]
    answers: str
    control: str | None
    staged: tuple[int, ...]
    opens: tuple[int, ...]
    foreign: tuple[str, ...]
    alarms: tuple[Alarm, ...]

    @property
    def gate(self) -> str:
        """Return `open`, `frozen`, `closed`, or `foreign` where the trust policy trusts who it shouldn't."""
        if self.foreign:
            return "foreign"
        if self.control == "frozen":
            return "frozen"
        current = window_at(self.now).number
        return "open" if self.answers == "open" and current in self.staged and current in self.opens else "closed"

    @property
    def closes_at(self) -> int | None:
        """Return when the gate closes if the rotator never runs again; the last window's grace counts."""
        both = set(self.staged) & set(self.opens)
        return Window(max(both)).closes if both else None

    @property
    def last_rotation(self) -> tuple[int, int] | None:
        """Return the five minutes in which the rotator last staged a window: it always stages three ahead."""
        if not self.staged:
            return None
        window = Window(max(self.staged) - _AHEAD_OF_LAST_RUN)
        return window.not_before, window.not_after

    def document(self) -> dict[str, JSON]:
        """Return the condition as a JSON object."""
        return {
            "deployment": dict(self.outputs),
            "now": int(self.now),
            "gate": self.gate,
            "endpoint": self.answers,
            "control": self.control,
            "window": window_at(self.now).number,
            "staged": list(self.staged),
            "opens": list(self.opens),
            "foreign_principals": list(self.foreign),
            "closes_at": self.closes_at,
            "last_rotation": self.last_rotation,
            "alarms": [asdict(alarm) for alarm in self.alarms],
        }


def examine(operator: Operator, now: float) -> Condition:
    """Look at everything that tells how the deployment is; reads only."""
    outputs = operator.outputs
    control, staged = _state(operator.service("dynamodb"), outputs["StateTable"], open_at(now))
    opens, foreign = _trust(operator.service("iam"), outputs, now)
    return Condition(
        now=now,
        outputs=outputs,
        answers=operator.client().health().gate,
        control=control,
        staged=staged,
        opens=opens,
        foreign=foreign,
        alarms=_alarms(operator.service("cloudwatch")),
    )


def _state(client: Any, table: str, windows: Sequence[Window]) -> tuple[str | None, tuple[int, ...]]:  # noqa: ANN401 - an SDK client
    def item(key: str) -> dict[str, Any] | None:
        answer: dict[str, Any] = client.get_item(
            TableName=table,
            Key={"pk": {"S": key}},
            ConsistentRead=True,
            ProjectionExpression="pk, #state",
            ExpressionAttributeNames={"#state": "state"},
        )
        return answer.get("Item")

    control = item("control")
    staged = tuple(window.number for window in windows if item(f"window/{window}"))
    return (control["state"]["S"] if control else None), staged


def _trust(
    client: Any,  # noqa: ANN401 - an SDK client
    outputs: Mapping[str, str],
    now: float,
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Return the windows that the write role's trust policy opens for, now or later, and who else it trusts."""
    document = client.get_role(RoleName=outputs["WriteRoleArn"].rpartition("/")[2])["Role"]["AssumeRolePolicyDocument"]
    policy = json.loads(unquote(document)) if isinstance(document, str) else document
    allowed = [one for one in _listed(policy["Statement"]) if one["Effect"] == "Allow"]
    trusted = {name for one in allowed for name in _principals(one.get("Principal", "*"))}
    windows = sorted({window.number for one in allowed if (window := _window(one)) and window.closes > now})
    return tuple(windows), tuple(sorted(trusted - {outputs["RemediatorRoleArn"]}))


def _window(statement: Mapping[str, Any]) -> Window | None:
    """Return the window whose dates a statement has, or None if it has others: the closed gate's are of 2000."""
    since, until = (_date(statement["Condition"].get(name, {})) for name in ("DateGreaterThanEquals", "DateLessThan"))
    if since is None or until is None:
        return None
    window = window_at(since)
    return window if (window.not_before, window.closes) == (since, until) else None


def _date(condition: Mapping[str, Any]) -> int | None:
    text = condition.get("aws:CurrentTime")
    return int(datetime.fromisoformat(text).timestamp()) if isinstance(text, str) and _DATE.fullmatch(text) else None


def _principals(principal: Any) -> list[str]:  # noqa: ANN401 - IAM allows a text or an object of texts or lists
    if not isinstance(principal, dict):
        return [str(principal)]
    return [str(one) for names in principal.values() for one in _listed(names)]


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - IAM allows one, or a list of them
    return value if isinstance(value, list) else [value]


def _alarms(client: Any) -> tuple[Alarm, ...]:  # noqa: ANN401 - an SDK client
    pages = client.get_paginator("describe_alarms").paginate(AlarmNamePrefix=ALARMS)
    return tuple(
        Alarm(one["AlarmName"], one["StateValue"], one.get("AlarmDescription", ""))
        for page in pages
        for one in page["MetricAlarms"]
    )
