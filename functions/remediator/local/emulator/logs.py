"""Write functions' logs to CloudWatch Logs, and the metrics in them to CloudWatch.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.cloudwatch.models import cloudwatch_backends
from moto.logs.models import logs_backends

from remediator.local.iam import Refused, authorize, principal_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from remediator.local.iam import Principal
    from remediator.local.runtime.functions import Function, LogEvent


class LogWriter:
    """Write with the execution role's own right, as Lambda does: a role that may not log loses its log, silently.

    `on_loss` hears of it here, because the demonstration shouldn't be as silent.
    """

    def __init__(self, on_loss: Callable[[str], None]) -> None:
        self._on_loss = on_loss

    def put(self, function: Function, stream: str, access_key: str, events: Sequence[LogEvent]) -> None:
        """Append events to a function's stream, which is made with the first."""
        if not events:
            return
        try:
            self._put(function, stream, principal_of(access_key), events)
        except Refused as refused:
            self._on_loss(f"{function.name} lost {len(events)} log events: {refused.reason}")
            return
        for namespace, data in _metrics(events):
            cloudwatch_backends[function.account][function.region].put_metric_data(namespace, data)

    @staticmethod
    def _put(function: Function, stream: str, writer: Principal, events: Sequence[LogEvent]) -> None:
        backend = logs_backends[function.account][function.region]
        group_arn = f"arn:aws:logs:{function.region}:{function.account}:log-group:{function.log_group}"
        stream_arn = f"{group_arn}:log-stream:{stream}"
        if function.log_group not in backend.groups:
            authorize(writer, "logs:CreateLogGroup", f"{group_arn}:*", {})
            backend.ensure_log_group(function.log_group)
        if stream not in backend.groups[function.log_group].streams:
            authorize(writer, "logs:CreateLogStream", f"{group_arn}:*", {})
            backend.create_log_stream(function.log_group, stream)
        authorize(writer, "logs:PutLogEvents", stream_arn, {})
        entries = [{"timestamp": event.at, "message": event.message} for event in events]
        backend.put_log_events(function.log_group, stream, entries)


def _metrics(events: Sequence[LogEvent]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    for event in events:
        if '"_aws"' not in event.message:
            continue
        try:
            document = json.loads(event.message)
        except ValueError:
            continue
        if isinstance(document, dict):
            yield from _embedded(document)


def _embedded(document: Mapping[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    about = document.get("_aws", {})
    moment = datetime.fromtimestamp(about.get("Timestamp", 0) / 1000, UTC).replace(tzinfo=None)
    for directive in about.get("CloudWatchMetrics", ()):
        data = [
            _datum(document, metric, dimensions, moment)
            for metric in directive["Metrics"]
            for dimensions in directive.get("Dimensions") or [[]]
            if metric["Name"] in document
        ]
        if data:
            yield directive["Namespace"], data


def _datum(
    document: Mapping[str, Any], metric: Mapping[str, Any], dimensions: Sequence[str], moment: datetime
) -> dict[str, Any]:
    value = document[metric["Name"]]
    return {
        "MetricName": metric["Name"],
        "Unit": metric.get("Unit", "None"),
        "Timestamp": moment,
        "Values": value if isinstance(value, list) else [value],
        "Dimensions": [{"Name": name, "Value": str(document[name])} for name in dimensions if name in document],
    }
