"""Give the functions' host what it takes from the account around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.local.emulator.logs import LogWriter
from remediator.local.emulator.sessions import service_session

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from remediator.local.runtime.functions import Acting, Credentials, Function, LogEvent


class RuntimeAccount:
    """Be the account, as a function's host sees it."""

    def __init__(self, endpoint: str, on_loss: Callable[[str], None]) -> None:
        self.endpoint = endpoint
        self._logs = LogWriter(on_loss)

    def session(self, acting: Acting, name: str) -> Credentials:
        """Assume a role as an AWS service does; raises `Unassumable`."""
        return service_session(acting, name)

    def put_logs(self, function: Function, stream: str, access_key: str, events: Sequence[LogEvent]) -> None:
        """Write log events with the execution role's own right to do so."""
        self._logs.put(function, stream, access_key, events)
