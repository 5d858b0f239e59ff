"""What the tests of the functions' host share: functions made of a few lines, and an account that writes logs down."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import textwrap
import threading
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remediator.local.runtime.functions import Acting, Credentials, Function, LogEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from remediator.local.runtime.host import Invocation

PLACE = "eu-west-1:123456789012"
_numbers = itertools.count()


def packed(source: str) -> bytes:
    """Return a zip with one module."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("index.py", textwrap.dedent(source))
    return content.getvalue()


def function(source: str, **settings: Any) -> Function:
    """Return a function whose `handler` is in `source`."""
    code = packed(source)
    name = settings.pop("name", f"f{next(_numbers)}")
    given: dict[str, Any] = {
        "arn": f"arn:aws:lambda:{PLACE}:function:{name}",
        "name": name,
        "account": "123456789012",
        "region": "eu-west-1",
        "runtime": "python3.11",
        "handler": "index.handler",
        "code": code,
        "code_digest": hashlib.sha256(code).hexdigest(),
        "role_arn": "arn:aws:iam::123456789012:role/f",
        "environment": {},
        "timeout": 10,
        "memory": 128,
        "log_group": f"/aws/lambda/{name}",
    }
    return Function(**{**given, **settings})


@dataclass
class Notebook:
    """Be the account of a host: every session is given, every log event written down."""

    endpoint: str = "http://localhost:9"
    seconds: float = 43_200.0
    sessions: list[tuple[Acting, str]] = field(default_factory=list)
    logs: list[tuple[str, LogEvent]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def session(self, acting: Acting, name: str) -> Credentials:
        with self._lock:
            self.sessions.append((acting, name))
            return Credentials(f"ASIA{len(self.sessions)}", "secret", "token", time.time() + self.seconds)

    def put_logs(self, function: Function, stream: str, access_key: str, events: Sequence[LogEvent]) -> None:
        del function, access_key
        self.logs += [(stream, event) for event in events]

    @property
    def lines(self) -> list[str]:
        return [event.message for _, event in self.logs]


def result(invocation: Invocation) -> Any:
    """Return what a function returned; fails if it failed."""
    assert invocation.outcome.error_type is None, invocation.outcome.payload
    return json.loads(invocation.outcome.payload)


def error(invocation: Invocation) -> dict[str, Any]:
    """Return how a function failed; fails if it didn't."""
    assert invocation.outcome.error_type is not None, invocation.outcome.payload
    failed: dict[str, Any] = json.loads(invocation.outcome.payload)
    return failed


def eventually(true: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Wait, in real time, until something of another thread or process is so; say if it came to be."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        threading.Event().wait(0.01)
    return True


def state(process: int) -> str:
    """Return a process's state: R, S, T (stopped), Z (dead, unreaped); empty if there is none."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0]
    except (FileNotFoundError, ProcessLookupError):
        return ""
