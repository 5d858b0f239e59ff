"""Say what a cloud's room has to offer, so that everything else is told once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from live.story import Stage
    from live.verdicts import Making, Probe
    from live.workshop import Workshop


@dataclass(frozen=True, slots=True)
class Demo:
    """Say what the demo makes and does, and what of it nobody can take away at once."""

    makes: Making
    tells: str
    stays: str


class Cloud(Protocol):
    """Offer the probes of a cloud, a workshop for them, and a stage for the demo. Importing one signs in nowhere."""

    @property
    def place(self) -> str:
        """Return where things are made, as the listing says it."""

    @property
    def marks(self) -> str:
        """Return how else what is made can be known, as a sentence that ends with the tags."""

    @property
    def probes(self) -> Sequence[Probe[Any]]:
        """Return every probe, in the order in which they run."""

    @property
    def demo(self) -> Demo:
        """Return what the demo is."""

    def objection(self, asked: argparse.Namespace) -> str | None:
        """Return what the options lack for signing in, or None."""

    def workshop(self, asked: argparse.Namespace) -> Workshop:
        """Sign in, and return the workshop; raise `Unfit` where what signed in won't do."""

    def stage(self, shop: Any, asked: argparse.Namespace) -> AbstractContextManager[Stage]:  # noqa: ANN401 - its own workshop
        """Deploy, or find a deployment, and leave nothing of what was deployed here."""


class Unfit(Exception):  # noqa: N818 - errors are named for what is the case
    """Say why what signed in can't be tried on."""
