"""Send log records to the host, as Azure's worker does: everything from INFO on, or all of it on demand."""

from __future__ import annotations

import contextlib
import logging
import os
import traceback
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from .frames import Channel

_TRUE: Final = frozenset({"1", "true", "t", "yes", "y"})


class HostHandler(logging.Handler):
    """Send each record, with the invocation that wrote it."""

    def __init__(self, channel: Channel, current: Callable[[], str | None]) -> None:
        super().__init__()
        self._channel = channel
        self._current = current

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record; if the host is gone there is nobody to tell."""
        text = record.getMessage()
        if record.exc_info:
            text = "\n".join((text, "".join(traceback.format_exception(*record.exc_info)).rstrip()))
        line = {"kind": "log", "invocation": self._current(), "level": record.levelname}
        with contextlib.suppress(OSError):
            self._channel.send({**line, "category": record.name, "message": text})


def install(channel: Channel, current: Callable[[], str | None]) -> None:
    """Let the root logger write to the host; `current` says which invocation a thread is at work for."""
    root = logging.getLogger()
    root.setLevel(logging.DEBUG if _debugging() else logging.INFO)
    root.addHandler(HostHandler(channel, current))


def _debugging() -> bool:
    return os.environ.get("PYTHON_ENABLE_DEBUG_LOGGING", "").strip().lower() in _TRUE
