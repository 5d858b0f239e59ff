"""Say what a request brings to the gate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from remediator.core.gate import Opening
    from remediator.core.windows import Window


@dataclass(frozen=True, slots=True)
class Passage:
    """Hold what opens the gate for one attempt: `name` is the session's, `deadline` Unix time in seconds."""

    window: Window
    opening: Opening
    name: str
    deadline: int
