"""Hold what the control item says: whether the deployment is frozen, and by whose order."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Order:
    """Hold who froze or unfroze, when (Unix time in seconds) and why; `id` is new for every order."""

    id: str
    by: str
    at: int
    why: str


@dataclass(frozen=True, slots=True)
class Control:
    """Hold the control item. `version` changes with every order; the order is None where nobody gave one yet."""

    state: str | None
    version: str
    order: Order | None
