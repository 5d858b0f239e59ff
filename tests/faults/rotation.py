"""Let one call of a rotation go wrong, and require that the next run repairs whatever it left."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from remediator.core.windows import PERIOD
from tests.faults.kinds import Kind
from tests.faults.stage import End, frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.faults.kinds import Fault
    from tests.faults.stage import Stage

RETRY = 130
"""When a run that failed comes again, in seconds: when the lease of a killed one is over."""


def begin_next(stage: Stage) -> None:
    """Stage the next window, as every five minutes."""
    stage.settle()
    stage.pass_time(PERIOD)


def begin_in_place(stage: Stage) -> None:
    """Find everything in place."""
    stage.settle()


def begin_first(stage: Stage) -> None:
    """Open a deployment that has just begun."""
    stage.settle()
    stage.pass_time(7 * PERIOD)
    stage.set_state(None)


SCENES: Mapping[str, Callable[[Stage], None]] = {
    "rotate next": begin_next,
    "rotate in place": begin_in_place,
    "rotate first": begin_first,
    "rotate frozen": begin_next,
}


def play(stage: Stage, scene: str, fault: Fault) -> str:
    """Play a scene with a fault, and return what repaired it."""
    SCENES[scene](stage)
    stage.said.clear()
    stops = scene == "rotate frozen"
    with frozen(stage) if stops else nullcontext():
        with stage.wire.watching(fault):
            end = stage.run()
        assert stage.wire.struck, "the fault struck nothing, so nothing was tried"
        require_told(end, fault.kind)
        require_end(stage, end, stops=stops)
        stage.pass_time(RETRY)
        assert stage.run() is End.DONE
        require_end(stage, End.DONE, stops=stops)
    stage.require_silence()
    return "the same run" if end is End.DONE else "the next run"


def require_told(end: End, kind: Kind) -> None:
    """Require that a run which didn't do its work said so, so that its retry comes."""
    if kind.kills:
        assert end is End.KILLED
    elif kind is Kind.THROTTLED_ONCE:
        assert end is End.DONE
    elif not kind.passes:
        assert end is End.FAILED


def require_end(stage: Stage, end: End, *, stops: bool) -> None:
    """Require what must hold after a run, however it ended."""
    stage.look()
    stage.require_nothing_loose()
    if end is End.DONE and stops:
        stage.require_closed()
    elif end is End.DONE:
        stage.require_whole()


def calls(stage: Stage, scene: str) -> list[str]:
    """Return what a scene calls when nothing goes wrong."""
    SCENES[scene](stage)
    with frozen(stage) if scene == "rotate frozen" else nullcontext(), stage.wire.watching():
        stage.rotate()
    return stage.wire.names
