"""Say to a person what a freeze holds and what isn't."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.text import Text

from remediator.cli.views import moment
from remediator.service.freeze import Part

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.service.control import Control
    from remediator.service.freeze import Step


@dataclass(frozen=True, slots=True)
class Words:
    """Hold what an order says: for each part, when it is done and when it isn't."""

    begin: str
    parts: Mapping[Part, tuple[str, str]]
    done: str
    undone: str


FREEZING: Final = Words(
    begin="Freezing. The gate comes last, after any rotation that may be under way: up to three minutes.",
    parts={
        Part.REQUESTS: ("new requests are refused", "new requests are NOT refused"),
        Part.SESSIONS: (
            "sessions that are out are denied everything, as soon as IAM has spread it",
            "sessions that are out are NOT stopped",
        ),
        Part.GATE: ("the gate is closed", "the gate is NOT closed yet"),
    },
    done="Frozen. Nothing opens before `remediator unfreeze`.",
    undone="What is ticked above holds. Run `remediator freeze` again: it repairs what is left.",
)
UNFREEZING: Final = Words(
    begin="Unfreezing. The gate opens last.",
    parts={
        Part.SESSIONS: ("sessions from before stay stopped, new ones aren't", "new sessions are still stopped"),
        Part.REQUESTS: ("new requests are let in", "new requests are still refused"),
        Part.GATE: ("the gate opens for the staged windows", "the gate isn't open yet"),
    },
    done="Unfrozen. `remediator status` shows it.",
    undone="It is still closed, or opens with the rotator's next run. Run `remediator unfreeze` again: it goes on.",
)


def step_view(words: Words, step: Step) -> Text:
    """Return a step in one line."""
    text = words.parts[step.part][0 if step.done else 1]
    mark = Text("✓ ", style="bold green") if step.done else Text("✗ ", style="bold red")
    return mark.append(f"{text}: {step.note}" if step.note else text, style="default")


def order_view(control: Control) -> Text:
    """Return who froze a deployment, when and why."""
    order = control.order
    if order is None:
        return Text("It was frozen by hand: nobody's name is with it.")
    return Text(f"Frozen {moment(order.at)} by {order.by}: {order.why or 'no reason given'}")
