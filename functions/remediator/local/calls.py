"""Keep a log of every API call that reached the embedded account."""

from __future__ import annotations

import threading
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Call:
    """Hold one API call. `at` is Unix seconds by the account's clock; `action` is the IAM action that decided.

    `checked` is every (action, resource) that was looked at: one request can need several permissions. `principal_arn`
    is the session's ARN for sessions.
    """

    at: float
    principal_arn: str
    access_key: str
    service: str
    operation: str
    action: str
    resource: str
    allowed: bool
    reason: str
    checked: tuple[tuple[str, str], ...] = ()

    @property
    def role(self) -> str | None:
        """Return the role's name if a session called, else None."""
        prefix, _, rest = self.principal_arn.partition(":assumed-role/")
        return rest.partition("/")[0] if prefix.startswith("arn:") and rest else None


class CallLog:
    """Collect calls from all threads, in the order of their decisions; it grows until `reset`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: list[Call] = []

    def record(self, call: Call) -> None:
        """Add one call."""
        with self._lock:
            self._calls.append(call)

    def mark(self) -> int:
        """Return a place in the log, for `since`."""
        with self._lock:
            return len(self._calls)

    def since(self, mark: int) -> tuple[Call, ...]:
        """Return the calls after a mark."""
        with self._lock:
            return tuple(self._calls[mark:])

    def by(self, role_name: str, *, since: int = 0) -> tuple[Call, ...]:
        """Return the calls that sessions of a role made."""
        return tuple(call for call in self.since(since) if call.role == role_name)

    def reset(self) -> None:
        """Forget everything; earlier marks lose their meaning."""
        with self._lock:
            self._calls.clear()
