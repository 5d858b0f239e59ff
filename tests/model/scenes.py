"""Name what may meet: who is there, and how time may jump between their calls."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from remediator.core.windows import PERIOD
from tests.model.explorer import Bounds, Scene
from tests.model.house import House
from tests.model.invariants import require_all

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.model.explorer import Actor

MINUTES: Final = {"two minutes pass": 121.0}
"""A lease ends, and a deadline."""


def scene(house: House, *actors: Actor, events: Mapping[str, float] | None = None) -> Scene:
    """Return a scene in which time may jump by the named numbers of seconds."""
    house.steps.taken.clear()
    jumps = {name: house.later(seconds) for name, seconds in (events or {}).items()}
    return Scene(house.steps, actors, house.clock, lambda: require_all(house), jumps)


def two_rotations() -> Scene:
    """The schedule fires twice, a window later than the last rotation."""
    house = House()
    house.clock.now += PERIOD
    return scene(house, house.rotating("one"), house.rotating("two"), events=MINUTES)


def a_late_rotation() -> Scene:
    """The schedule was silent for hours, and fires twice."""
    house = House()
    house.clock.now += 20 * PERIOD
    return scene(house, house.rotating("one"), house.rotating("two"), events={"a window passes": PERIOD})


def one_key_twice() -> Scene:
    """A caller loses patience and sends the same again, while the first may still be at work, or dead."""
    house = House()
    return scene(house, house.calling("one"), house.calling("two"), events={"the deadline passes": 50.0, **MINUTES})


def a_takeover_late() -> Scene:
    """The same is sent again when the first one's deadline is over, but it may still be at work."""
    house = House()
    first = house.calling("one")
    house.clock.now += 1
    return scene(house, first, house.calling("two"), events={"the deadline is long over": 140.0})


def somebody_else() -> Scene:
    """Somebody changes the setting in the cloud's own console, while it is repaired."""
    house = House()
    return scene(house, house.calling("one"), house.meddling(), house.calling("again"), events=MINUTES)


def a_request_at_the_end() -> Scene:
    """A request comes late in its window, and time may jump past the window and its grace."""
    house = House()
    house.clock.now = house.keys().window.not_after - 30
    return scene(
        house, house.calling("one"), house.rotating(), events={"the window ends": 45.0, "its grace ends": 100.0}
    )


def a_way_back() -> Scene:
    """A repair is taken back while it may still be at work."""
    house = House()
    return scene(house, house.calling("one"), house.undoing(), events={"the attempt is over": 140.0})


def a_freeze_and_a_rotation() -> Scene:
    """The operator freezes while a rotation that has something to write is under way."""
    house = House()
    house.clock.now += PERIOD
    return scene(house, house.rotating(), house.freezing(), events=MINUTES)


def a_freeze_and_a_request() -> Scene:
    """The operator freezes while a request is answered."""
    house = House()
    return scene(house, house.calling("one"), house.freezing(), events=MINUTES)


def a_freeze_and_its_end() -> Scene:
    """One operator freezes while another one ends an earlier freeze."""
    house = House()
    house.desk.freeze("the order before")
    return scene(house, house.unfreezing(), house.freezing())


def guesses() -> Scene:
    """Two guess while the operator's code is admitted, twice each, and one has the code."""
    house = House()
    house.admit()
    wrong = [house.wrong(number) for number in range(1, 5)]
    return scene(
        house,
        house.telling("guesser", *wrong[:2]),
        house.telling("other guesser", *wrong[2:]),
        house.telling("right", house.right()),
    )


def two_by_hand() -> Scene:
    """Two have the code, and both want to apply."""
    house = House()
    house.admit()
    return scene(house, house.telling("one", house.right()), house.telling("two", house.right()))


SCENES: Final[dict[str, tuple[Callable[[], Scene], Bounds]]] = {
    make.__name__: (make, bounds)
    for make, bounds in (
        (two_rotations, Bounds()),
        (a_late_rotation, Bounds(events=0)),
        (one_key_twice, Bounds()),
        (a_takeover_late, Bounds()),
        (somebody_else, Bounds(events=0)),
        (a_request_at_the_end, Bounds(deaths=0)),
        (a_way_back, Bounds()),
        (a_freeze_and_a_rotation, Bounds()),
        (a_freeze_and_a_request, Bounds(switches=2, events=0)),
        (a_freeze_and_its_end, Bounds(switches=2, events=0)),
        (guesses, Bounds(deaths=1)),
        (two_by_hand, Bounds()),
    )
}
"""Every scene, with bounds that take seconds."""


def deeper(bounds: Bounds) -> Bounds:
    """Return the bounds of a long look."""
    return replace(bounds, switches=bounds.switches + 1)
