"""Write the lines that Lambda itself writes into a function's log.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-advanced.html (text and JSON system logs)
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.local.runtime.events import Outcome


@dataclass(frozen=True, slots=True)
class Report:
    """Hold what the REPORT line says; durations in milliseconds, memory in MB."""

    identity: str
    duration: float
    init_duration: float | None
    memory: int
    peak_memory: int
    outcome: Outcome


def started(log_format: str, identity: str) -> str:
    """Return the line that opens an invocation."""
    if log_format == "JSON":
        return _record("platform.start", {"requestId": identity, "version": "$LATEST"})
    return f"START RequestId: {identity} Version: $LATEST"


def initialized(log_format: str, runtime: str, remark: str) -> str:
    """Return the line that opens a sandbox's log; it says which Python runs the function."""
    version = f"{runtime.replace('python', 'python:')} (embedded account: {remark})"
    if log_format == "JSON":
        record = {"initializationType": "on-demand", "phase": "init", "runtimeVersion": version}
        return _record("platform.initStart", record)
    return f"INIT_START Runtime Version: {version}"


def ended(log_format: str, report: Report) -> list[str]:
    """Return the lines that close an invocation."""
    if log_format == "JSON":
        return [_record("platform.report", _metrics(report))]
    lines: list[str] = []
    if report.outcome.status == "timeout":
        lines = [f"{_stamp()} {report.identity} {_message(report.outcome).partition('Error: ')[2]}"]
    if report.outcome.error_type == "Runtime.ExitError":
        lines = [f"{_message(report.outcome)}\nRuntime.ExitError"]
    return [f"END RequestId: {report.identity}", *lines, _text(report)]


def _text(report: Report) -> str:
    parts = [
        f"REPORT RequestId: {report.identity}",
        f"Duration: {report.duration:.2f} ms",
        f"Billed Duration: {_billed(report)} ms",
        f"Memory Size: {report.memory} MB",
        f"Max Memory Used: {report.peak_memory} MB",
    ]
    if report.init_duration is not None:
        parts.append(f"Init Duration: {report.init_duration:.2f} ms")
    if report.outcome.status != "success":
        parts.append(f"Status: {report.outcome.status}")
    if report.outcome.status == "error":
        parts.append(f"Error Type: {report.outcome.error_type}")
    return "\t".join(parts)


def _metrics(report: Report) -> dict[str, object]:
    metrics: dict[str, object] = {
        "durationMs": round(report.duration, 3),
        "billedDurationMs": _billed(report),
        "memorySizeMB": report.memory,
        "maxMemoryUsedMB": report.peak_memory,
    }
    if report.init_duration is not None:
        metrics["initDurationMs"] = round(report.init_duration, 3)
    record: dict[str, object] = {"requestId": report.identity, "metrics": metrics, "status": report.outcome.status}
    if report.outcome.error_type is not None:
        record["errorType"] = report.outcome.error_type
    return record


def _billed(report: Report) -> int:
    return math.ceil(report.duration + (report.init_duration or 0))


def _record(kind: str, record: Mapping[str, object]) -> str:
    return json.dumps({"time": _stamp(), "type": kind, "record": record}, separators=(",", ":"))


def _message(outcome: Outcome) -> str:
    return str(json.loads(outcome.payload)["errorMessage"])


def _stamp() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
