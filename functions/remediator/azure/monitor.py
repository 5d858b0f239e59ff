"""Log without secrets; metrics are log lines that the alerts count."""

from __future__ import annotations

import json
import logging
from typing import Final

METRICS: Final = (
    "Rotated",
    "StagedWindows",
    "RotationFailed",
    "CredentialEndsSoon",
    "WrongCode",
    "GateUnavailable",
    "PolicyBroken",
    "NotAnnounced",
    "Fixed",
    "RolledBack",
    "Refused",
    "Failed",
    "Unverified",
)
"""Every metric that the functions count; the alerts look for lines that name one."""

_TALKATIVE = ("azure", "msal", "urllib3")


class FunctionMonitor:
    """Write to the function's log, which Application Insights keeps."""

    def __init__(self) -> None:
        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.WARNING)
        self._logger = logging.getLogger("remediator")
        self._logger.setLevel(logging.INFO)

    def note(self, message: str, **facts: str | float | None) -> None:
        """Write one line to the log."""
        self._logger.info(json.dumps({"message": message, "facts": facts}))

    def count(self, metric: str, value: float = 1) -> None:
        """Add to a metric; an unknown one raises `ValueError`."""
        if metric not in METRICS:
            raise ValueError(f"no alert knows the metric {metric}")
        self._logger.info(json.dumps({"metric": metric, "value": value}))
