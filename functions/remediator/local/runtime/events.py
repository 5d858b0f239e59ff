"""Define what passes between an invocation and the sandbox that carries it out."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from remediator.local.runtime.interpreters import Interpreter


@dataclass(frozen=True, slots=True)
class Launch:
    """Describe a sandbox to start: the code, how to run it, and everything its environment holds."""

    interpreter: Interpreter
    runtime_directory: Path
    task_root: Path
    bytecode_cache: Path | None
    handler: str
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Say how an invocation ended. `error_type` is None for a result; else `payload` is the error as JSON."""

    payload: bytes
    error_type: str | None = None
    status: str = "success"

    @classmethod
    def failure(cls, error_type: str, message: str, status: str = "error") -> Outcome:
        """Return an error of the platform's own making."""
        body = {"errorType": error_type, "errorMessage": message}
        return cls(json.dumps(body, separators=(",", ":")).encode(), error_type, status)


@dataclass(slots=True)
class Request:
    """Hold one event on its way through a sandbox."""

    identity: str
    body: bytes
    arn: str
    deadline: float
    trace: str
    done: threading.Event = field(default_factory=threading.Event)
    outcome: Outcome | None = None

    def finish(self, outcome: Outcome) -> None:
        """Keep the first outcome; what comes later changes nothing."""
        if self.outcome is None:
            self.outcome = outcome
        self.done.set()
