"""Deploy, tell the story, and destroy what was deployed; whatever happens, nothing stays behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from live.running import demand_clean
from live.story import Line, play
from live.workshop import Slow
from remediator.operator.errors import NoDeployment
from remediator.vendor.errors import NotServed

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from live.story import Stage
    from live.workshop import Workshop

NOTHING: Final = "nothing"


def perform(shop: Workshop, stage: AbstractContextManager[Stage]) -> list[Line]:
    """Return the story's lines; what the cloud refuses meanwhile is the last of them. Raise `Unclean`."""
    demand_clean(shop)
    lines: list[Line] = []
    unwelcome: tuple[type[Exception], ...] = (NotServed, NoDeployment, Slow, *shop.refusals)
    try:
        with stage as ready:
            lines += play(shop, ready)
    except unwelcome as error:
        lines.append(Line("deploying and telling", "no refusal", f"{type(error).__name__}: {error}"))
    finally:
        lines.append(_left(shop))
    return lines


def _left(shop: Workshop) -> Line:
    """Remove everything, and look again for what is left."""
    unwelcome: tuple[type[Exception], ...] = (Slow, *shop.refusals)
    try:
        shop.clean()
        left = ", ".join(str(one) for one in shop.leftovers())
    except unwelcome as error:
        left = f"{type(error).__name__}: {error}"
    return Line("what is left", NOTHING, left or NOTHING)
