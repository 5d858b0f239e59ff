"""Log without secrets, and emit the metrics that the alarms watch."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

if TYPE_CHECKING:
    from collections.abc import Mapping

METRICS: Final[Mapping[str, MetricUnit]] = {
    "Rotated": MetricUnit.Count,
    "StagedWindows": MetricUnit.Count,
    "RotationFailed": MetricUnit.Count,
    "WrongCode": MetricUnit.Count,
    "GateUnavailable": MetricUnit.Count,
    "PolicyBroken": MetricUnit.Count,
    "NotAnnounced": MetricUnit.Count,
    "GateChanged": MetricUnit.Count,
    "UnexplainedAccess": MetricUnit.Count,
    "Fixed": MetricUnit.Count,
    "RolledBack": MetricUnit.Count,
    "Refused": MetricUnit.Count,
    "Failed": MetricUnit.Count,
    "Unverified": MetricUnit.Count,
}
"""Every metric that the functions emit, in the namespace of the environment."""

_TALKATIVE = ("botocore", "boto3", "urllib3")


class LambdaMonitor:
    """Write to the function's log, metrics included, through Powertools."""

    def __init__(self) -> None:
        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.WARNING)
        self._logger = Logger()
        self._metrics = Metrics()

    def note(self, message: str, **facts: str | float | None) -> None:
        """Write one line to the log."""
        self._logger.info(message, extra={"facts": facts})

    def count(self, metric: str, value: float = 1) -> None:
        """Add to a metric; an unknown one raises `KeyError`."""
        self._metrics.add_metric(name=metric, unit=METRICS[metric], value=value)

    def flush(self) -> None:
        """Emit what was counted since the last time."""
        if self._metrics.metric_set:
            self._metrics.flush_metrics()
