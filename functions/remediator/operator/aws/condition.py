"""Examine a deployment on AWS: its state table, the write role's trust policy, CloudWatch's alarms."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from remediator.core.windows import Window, open_at, window_at
from remediator.operator.aws.control import ControlItem
from remediator.operator.condition import Alarm, Condition, Words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remediator.operator.aws.office import AwsOffice

ALARMS: Final = "remediator-"
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def examine(office: AwsOffice, now: float) -> Condition:
    """Look at everything that tells how the deployment is; reads only."""
    outputs = office.outputs
    dynamodb, table = office.service("dynamodb"), outputs["StateTable"]
    opens, foreign = _trust(office, now)
    if outputs.get("Gate") == "sealed":
        opens = _having(dynamodb, table, open_at(now), "pad_of")
    return Condition(
        now=now,
        cloud=office.cloud,
        outputs=outputs,
        words=Words(
            place=outputs["Region"],
            reader=outputs["ReaderRoleArn"],
            rotate=f"aws lambda invoke --function-name {outputs['RotateFunction']} /dev/stdout",
        ),
        answers=office.client().health().gate,
        control=ControlItem(dynamodb, table).read(),
        staged=_having(dynamodb, table, open_at(now), "pk"),
        opens=opens,
        foreign=foreign,
        alarms=_alarms(office.service("cloudwatch")),
    )


def _having(
    client: Any,  # noqa: ANN401 - an SDK client
    table: str,
    windows: Sequence[Window],
    attribute: str,
) -> tuple[int, ...]:
    """Return the windows whose items have an attribute."""

    def has(window: Window) -> bool:
        key = {"pk": {"S": f"window/{window}"}}
        found = client.get_item(TableName=table, Key=key, ConsistentRead=True, ProjectionExpression=attribute)
        return bool(found.get("Item"))

    return tuple(window.number for window in windows if has(window))


def _trust(office: AwsOffice, now: float) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Return the windows that the write role's trust policy opens for, now or later, and who else it trusts."""
    document = office.service("iam").get_role(RoleName=office.write_role)["Role"]["AssumeRolePolicyDocument"]
    policy = json.loads(unquote(document)) if isinstance(document, str) else document
    allowed = [one for one in _listed(policy["Statement"]) if one["Effect"] == "Allow"]
    trusted = {name for one in allowed for name in _principals(one.get("Principal", "*"))}
    windows = sorted({window.number for one in allowed if (window := _window(one)) and window.closes > now})
    return tuple(windows), tuple(sorted(trusted - {office.outputs["RemediatorRoleArn"]}))


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
