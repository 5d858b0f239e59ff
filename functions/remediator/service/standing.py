"""Say how the deployment stands at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from remediator.core.gate import Verifier


@dataclass(frozen=True, slots=True)
class Standing:
    """Hold what is stored; there is a verifier only if a window was asked for.

    The state is `open`, `frozen`, or None before the first rotation. The customer's policy is text, None if there is
    none.
    """

    state: str | None
    policy: str | None = None
    verifier: Verifier | None = None
