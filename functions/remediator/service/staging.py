"""Say what the rotator finds staged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from remediator.core.windows import Window


@dataclass(frozen=True, slots=True)
class Staging:
    """Hold what stands: the state (None before the first run), the staged windows and the gate's last fingerprint."""

    state: str | None
    windows: frozenset[Window]
    gate: str
