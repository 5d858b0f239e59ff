"""Deploy, tell the story, and destroy what was deployed; whatever happens, nothing stays behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from live.running import demand_clean
from live.story import Line, play

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from live.story import Stage
    from live.workshop import Workshop


def perform(shop: Workshop, stage: AbstractContextManager[Stage]) -> list[Line]:
    """Return the story's lines; what the cloud refuses meanwhile is the last of them. Raise `Unclean`."""
    demand_clean(shop)
    lines: list[Line] = []
    try:
        with stage as ready:
            lines += play(shop, ready)
    except shop.refusals as error:
        lines.append(Line("deploying, telling and destroying", "no refusal", f"{type(error).__name__}: {error}"))
    finally:
        shop.clean()
    return lines
