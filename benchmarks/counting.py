"""Count the calls of a rotation and of a request, at a server that stands for the cloud."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from benchmarks.deployment import FIX, Context, Delaying, current_keys, delaying, event, findings

if TYPE_CHECKING:
    from collections.abc import Mapping

FINDINGS: Final = 100


@dataclass(frozen=True, slots=True)
class Counted:
    """Hold how often each call was made, and DynamoDB's units."""

    calls: Mapping[str, int]
    read: int
    written: int

    def billed(self) -> dict[str, int]:
        """Return what is billed, under the names of the price table."""
        secrets = sum(times for name, times in self.calls.items() if name.startswith("secretsmanager:"))
        items = sum(times for name, times in self.calls.items() if name.startswith("dynamodb:"))
        return {
            "secret_call": secrets,
            "key_request": secrets + items,
            "table_read_unit": self.read,
            "table_write_unit": self.written,
        }


@dataclass(frozen=True, slots=True)
class Counts:
    """Hold what was counted: a rotation that stages one window, and a request that repairs `findings`."""

    rotation: Counted
    request: Counted
    findings: int
    fix: str


def count() -> Counts:
    """Count in a process of its own, since the functions keep clients and settings for as long as theirs lives."""
    with delaying(0) as cloud:
        done = subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-m", "benchmarks.counting", cloud.endpoint], capture_output=True, text=True, check=True
        )
    told = json.loads(done.stdout)
    return Counts(Counted(**told["rotation"]), Counted(**told["request"]), FINDINGS, FIX)


def main(endpoint: str) -> None:
    """Rotate twice, a window apart; repair; print what the second rotation and the repair called."""
    cloud = Delaying(endpoint)
    os.environ.update(cloud.environment())
    import boto3  # noqa: PLC0415 - it reads the environment
    import time_machine  # noqa: PLC0415 - as are these

    from remediator.aws import remediate_handler, rotate_handler  # noqa: PLC0415 - as are these

    asked = {"mode": "apply", "findings": findings(FINDINGS)}
    marks = []
    middle = _middle_of_a_window()
    with contextlib.redirect_stdout(io.StringIO()):
        with time_machine.travel(middle, tick=True):
            rotate_handler.handler({}, Context("first"))  # type: ignore[arg-type]  # all that it looks at
            marks.append(cloud.counts())
            keys = current_keys(boto3.client("secretsmanager"))
            remediate_handler.handler(event(asked, keys), Context("r"))  # type: ignore[arg-type]  # all that it looks at
            marks.append(cloud.counts())
        with time_machine.travel(middle + 300, tick=True):
            rotate_handler.handler({}, Context("second"))  # type: ignore[arg-type]  # all that it looks at
        marks.append(cloud.counts())
    print(json.dumps({"request": asdict(_between(marks[0], marks[1])), "rotation": asdict(_between(*marks[1:]))}))


def _middle_of_a_window() -> float:
    """Return a moment at which no earlier window has its grace, so that every run looks at as many windows."""
    import time  # noqa: PLC0415 - before it is replaced

    return time.time() // 300 * 300 + 150


def _between(before: Any, after: Any) -> Counted:  # noqa: ANN401 - JSON
    calls = {name: times - before["calls"].get(name, 0) for name, times in sorted(after["calls"].items())}
    units = {name: after["units"][name] - before["units"].get(name, 0) for name in ("read", "written")}
    return Counted({name: times for name, times in calls.items() if times}, **units)


if __name__ == "__main__":
    main(sys.argv[1])
