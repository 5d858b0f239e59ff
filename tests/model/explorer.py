"""Run the real use cases under every order of their calls, as far as a bound allows.

Actors are threads of which one runs at a time, from one call to the world to the next. What comes next is a choice: the
same actor goes on, another one does, one dies, time passes. A run is its list of choices; runs are enumerated depth
first, with bounds on how often an actor is set aside, how many die and how often time jumps.
"""

from __future__ import annotations

import math
import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from tests.service.world import Steps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence


TURNS: Final = 0.12
"""How often a sampled run leaves the straight way."""

Chooser: TypeAlias = "Callable[[int], int]"
"""Given how many options there are, say which is taken; the first is the straight way."""


class Killed(BaseException):
    """The process died before its next call."""


class Broken(BaseException):
    """An invariant doesn't hold. No error that the use cases could catch."""


def require(condition: object, invariant: str) -> None:
    """Raise `Broken` unless the condition holds."""
    if not condition:
        raise Broken(invariant)


class Violated(AssertionError):  # noqa: N818 - named for what is the case
    """An invariant doesn't hold; the message has the invariant's name and the trace that leads there."""


@dataclass
class Actor:
    """Something that runs by itself, for `lifetime` seconds at most. `expected` are errors with which it may end."""

    name: str
    act: Callable[[], Any]
    expected: tuple[type[BaseException], ...] = ()
    may_die: bool = True
    lifetime: float = math.inf
    began: float = math.inf
    at: str = "start"
    done: bool = False
    dead: bool = False
    result: Any = None
    error: BaseException | None = None
    go: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))


@dataclass
class Yielding(Steps):
    """Hand control to the explorer before every call to the world."""

    run: Run | None = None

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        if self.run is not None:
            self.run.pause(name)
        self.taken.append(name)
        yield


@dataclass(frozen=True)
class Bounds:
    """Say how far from the straight way a run may go."""

    switches: int = 1
    deaths: int = 1
    events: int = 1


@dataclass
class Scene:
    """Hold what one run starts from. `events` happen between calls; `check` is what must hold at the end."""

    steps: Yielding
    actors: Sequence[Actor]
    clock: Callable[[], float]
    check: Callable[[], None]
    events: Mapping[str, Callable[[], None]] = field(default_factory=dict)


class Run:
    """Carry out one list of choices."""

    def __init__(self, scene: Scene, bounds: Bounds, choose: Chooser) -> None:
        self.scene = scene
        self.bounds = bounds
        self.choose = choose
        self.trace: list[str] = []
        self.spent: Counter[str] = Counter()
        self.current: Actor | None = None
        self._back = threading.Semaphore(0)

    def execute(self) -> None:
        """Run to the end; raise `Violated` if an invariant doesn't hold."""
        self.scene.steps.run = self
        threads = [threading.Thread(target=self._live, args=(actor,), daemon=True) for actor in self.scene.actors]
        for thread in threads:
            thread.start()
        while options := self._options():
            self._take(options)
        for thread in threads:
            thread.join()
        self.scene.steps.run = None
        self._require_expected()
        try:
            self.scene.check()
        except Broken as broken:
            raise self._violated(broken) from broken

    def pause(self, name: str) -> None:
        """Wait, in an actor's thread, until the actor is chosen to go on."""
        actor = self.current
        assert actor is not None
        if actor.dead:
            raise Killed
        actor.at = name
        self._back.release()
        actor.go.acquire()
        if actor.dead:
            raise Killed

    def _live(self, actor: Actor) -> None:
        actor.go.acquire()
        try:
            if not actor.dead:
                actor.result = actor.act()
        except BaseException as error:  # noqa: BLE001 - judged at the end of the run
            actor.error = error
        actor.done = True
        self._back.release()

    def _options(self) -> list[tuple[str, Callable[[], None]]]:
        """Return what may come next, the straight way first."""
        alive = [actor for actor in self.scene.actors if not actor.done]
        if not alive:
            return []
        first = self.current if self.current in alive else alive[0]
        options = [(f"{first.name}: {first.at}", self._going(first))]
        if first is not self.current or self.spent["switches"] < self.bounds.switches:
            options += [(f"{one.name}: {one.at}", self._going(one)) for one in alive if one is not first]
        if self.spent["events"] < self.bounds.events:
            options += [(name, self._happening(name)) for name in self.scene.events]
        if self.spent["deaths"] < self.bounds.deaths:
            mortal = [one for one in alive if one.may_die and one.at != "start"]
            options += [(f"{one.name} dies before {one.at}", self._dying(one)) for one in mortal]
        return options

    def _take(self, options: Sequence[tuple[str, Callable[[], None]]]) -> None:
        name, carry_out = options[self.choose(len(options))]
        self.trace.append(name)
        carry_out()

    def _going(self, actor: Actor) -> Callable[[], None]:
        def go() -> None:
            if self.current is not None and not self.current.done and self.current is not actor:
                self.spent["switches"] += 1
            self.current = actor
            now = self.scene.clock()
            actor.began = min(actor.began, now)
            actor.dead = now - actor.began >= actor.lifetime  # the platform ends it
            actor.go.release()
            self._back.acquire()

        return go

    def _dying(self, actor: Actor) -> Callable[[], None]:
        def die() -> None:
            self.spent["deaths"] += 1
            actor.dead = True
            before, self.current = self.current, actor
            actor.go.release()
            self._back.acquire()
            self.current = before

        return die

    def _happening(self, name: str) -> Callable[[], None]:
        def happen() -> None:
            self.spent["events"] += 1
            self.scene.events[name]()

        return happen

    def _require_expected(self) -> None:
        for actor in self.scene.actors:
            if actor.error is not None and not isinstance(actor.error, (*actor.expected, Killed)):
                raise self._violated(actor.error) from actor.error

    def _violated(self, broken: BaseException) -> Violated:
        steps = "\n".join(f"  {number:>3} {step}" for number, step in enumerate(self.trace, 1))
        return Violated(f"{broken if isinstance(broken, Broken) else repr(broken)}\n{steps}")


def explore(make: Callable[[], Scene], bounds: Bounds) -> int:
    """Run every list of choices within the bounds; return how many there were. The first bad one raises `Violated`."""
    choices: list[int] = []
    runs = 0
    while True:
        runs += 1
        path = Path(choices)
        Run(make(), bounds, path.choose).execute()
        following = path.following()
        if following is None:
            return runs
        choices = following


def sample(make: Callable[[], Scene], bounds: Bounds, *, runs: int, seed: int) -> None:
    """Run lists of choices within the bounds at random; raise `Violated` at the first bad one."""
    dice = Random(seed)  # noqa: S311 - chance that can be repeated is what is wanted
    for _ in range(runs):
        Run(make(), bounds, lambda options: dice.randrange(options) if dice.random() < TURNS else 0).execute()


class Path:
    """Follow a list of choices, then go straight on, and remember how many options there were."""

    def __init__(self, choices: Sequence[int]) -> None:
        self._choices = choices
        self._taken: list[tuple[int, int]] = []

    def choose(self, options: int) -> int:
        """Take the next choice."""
        place = len(self._taken)
        number = self._choices[place] if place < len(self._choices) else 0
        self._taken.append((number, options))
        return number

    def following(self) -> list[int] | None:
        """Return the next list, depth first: the last choice that has one more option takes it; None after the last."""
        for place in reversed(range(len(self._taken))):
            number, options = self._taken[place]
            if number + 1 < options:
                return [one for one, _ in self._taken[:place]] + [number + 1]
        return None
