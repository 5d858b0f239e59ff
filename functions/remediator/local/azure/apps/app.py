"""Describe a function app as it is deployed, and what an invocation gave."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class FunctionApp:
    """Hold an app: `folder` has function_app.py and host.json; `identities` are object ids of managed identities.

    `paths` are more places to import from, for a folder that doesn't hold all its packages; `instances` is how many
    workers it may have at once; a `closed` app's access restrictions let nobody come by its name.
    """

    name: str
    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    identities: tuple[str, ...] = ()
    paths: tuple[Path, ...] = ()
    instances: int = 1
    python: str = "3.13"
    closed: bool = False

    @property
    def host(self) -> str:
        """Return the host name that it answers at."""
        return f"{self.name}.azurewebsites.net"

    @property
    def url(self) -> str:
        """Return the address that it answers at."""
        return f"https://{self.host}"


@dataclass(frozen=True, slots=True)
class LogLine:
    """Hold one line of an app's log. `at` is Unix seconds by the cloud's clock; `category` the logger's name."""

    at: float
    level: str
    category: str
    message: str
    invocation: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Say how an invocation ended: `success`, `failure`, `timeout` or `exit`; `http` is what an HTTP function gave."""

    status: str
    http: Mapping[str, Any] | None = None
    message: str = ""
    stack: str = ""

    @property
    def body(self) -> bytes:
        """Return the HTTP response's body."""
        return base64.b64decode(self.http["body"]) if self.http else b""


@dataclass(frozen=True, slots=True)
class Invocation:
    """Hold what one invocation gave; `worker` is who carried it out."""

    identity: str
    app: str
    function: str
    worker: str
    outcome: Outcome
    cold: bool
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Function:
    """Hold a function as its app declares it."""

    name: str
    bindings: tuple[Mapping[str, Any], ...]

    @property
    def trigger(self) -> Mapping[str, Any]:
        """Return the trigger's binding."""
        return next(one for one in self.bindings if str(one["type"]).lower().endswith("trigger"))

    @property
    def kind(self) -> str:
        """Return the trigger's type in lower case: `httptrigger` or `timertrigger`."""
        return str(self.trigger["type"]).lower()


def timer_document(*, past_due: bool, last: str, following: str, updated: str) -> str:
    """Return what a timer function is called with; the moments are texts of ISO 8601."""
    status = {"Last": last, "Next": following, "LastUpdated": updated}
    return json.dumps({"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": past_due})
