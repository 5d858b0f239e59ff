"""Say what freezing needs of the world, and what it leaves behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


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


class Switch(Protocol):
    """Keep the state, which every request reads."""

    def read(self) -> Control:
        """Return the control item, read consistently."""

    def freeze(self, order: Order) -> None:
        """Set the state to frozen, whatever it was."""

    def open(self, order: Order, met: Control) -> None:
        """Set the state to open if it is still the frozen one that was met; raise `FrozenAgain` if it isn't.

        Where the state that was met wasn't frozen, nothing is written, and the same is raised if it is now.
        """


class Barrier(Protocol):
    """Stop sessions that are out already."""

    def stands(self) -> bool:
        """Tell whether every session is stopped."""

    def put_up(self) -> None:
        """Stop every session, and every one to come."""

    def lower(self) -> None:
        """Let sessions pass that are issued from now on, by the cloud's clock; older ones stay stopped for good."""


class Gatekeeper(Protocol):
    """Have the gate moved as the state says. Both say in a sentence what is still to come, or nothing."""

    def close(self) -> str:
        """Let nobody through, whatever a rotator that is at work just now opens."""

    def open(self) -> str:
        """Let the staged windows live again; raise `FrozenAgain` if the state is frozen."""
