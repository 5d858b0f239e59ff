"""Read host.json, as far as the embedded host obeys it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT_SECONDS: Final = 1800.0
"""How long a function may run on Flex Consumption if host.json doesn't say."""

_SPAN: Final = re.compile(r"(\d+):(\d{2}):(\d{2})")


class BadApp(Exception):  # noqa: N818 - errors are named for what is the case
    """Say why an app can't run."""


@dataclass(frozen=True, slots=True)
class HostSettings:
    """Hold what host.json says; `timeout` in seconds."""

    route_prefix: str
    timeout: float


def read(folder: Path) -> HostSettings:
    """Read an app's host.json; raises `BadApp`."""
    try:
        document = json.loads((folder / "host.json").read_bytes())
    except (OSError, ValueError) as error:
        raise BadApp(f"host.json can't be read: {error}") from None
    if document.get("version") != "2.0":
        raise BadApp("host.json isn't of version 2.0")
    prefix = document.get("extensions", {}).get("http", {}).get("routePrefix", "api")
    return HostSettings(prefix.strip("/"), _seconds(document.get("functionTimeout")))


def _seconds(text: str | None) -> float:
    if text is None:
        return DEFAULT_SECONDS
    match = _SPAN.fullmatch(text)
    if match is None:
        raise BadApp(f"functionTimeout {text} isn't hh:mm:ss")
    return float(int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3]))
