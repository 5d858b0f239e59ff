"""Give the operator's orders, and tell how each step of them ends."""

from __future__ import annotations

import time
import uuid
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from remediator.cli.exits import Exit
from remediator.cli.failures import Failed
from remediator.cli.freeze_view import order_view, step_view
from remediator.service.control import Order

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.cli.freeze_view import Words
    from remediator.cli.speech import Speech
    from remediator.operator.office import Office
    from remediator.service.freeze import Freezer, Step


def ordered(
    words: Words, office: Office, reason: str, speech: Speech, act: Callable[[Freezer, Order], list[Step]]
) -> None:
    """Carry an order out, and end with 1 if a step of it wasn't done."""
    order = Order(uuid.uuid4().hex, office.who(), int(time.time()), reason)
    freezer = office.freezer(lambda step: speech.note(step_view(words, step)))
    speech.note(words.begin)
    steps = act(freezer, order)
    done = all(step.done for step in steps)
    document = {
        "done": done,
        "steps": [{"part": step.part.value, "done": step.done, "note": step.note} for step in steps],
        "order": asdict(order),
    }
    speech.answer(document, words.done if done else words.undone)
    if not done:
        raise typer.Exit(Exit.NOT_FIXED)


def require_wanted(office: Office, speech: Speech) -> None:
    """Ask a person whether what is frozen is to go on; where nobody can be asked, raise `Failed`."""
    control = office.freezer(lambda _: None).switch.read()
    if control.state != "frozen":
        return
    if not speech.json:
        speech.note(order_view(control))
    if not speech.agreed("Let it go on?"):
        raise Failed("Nothing was changed.", exit=Exit.USAGE, next="Say --yes to unfreeze without being asked.")
