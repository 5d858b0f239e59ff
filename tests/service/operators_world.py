"""The operator's side of the world in memory: the switch, the barrier and the rotator at hand."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from remediator.service.control import Control, Order
from remediator.service.errors import FrozenAgain, LeaseTaken, NotDone
from remediator.service.freeze import Freezer
from tests.service.world import Clock, Steps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from remediator.service.freeze import Step
    from tests.service.site import Site
    from tests.service.world import Table


def order(name: str = "order-1", why: str = "a leaked key") -> Order:
    return Order(name, "arn:aws:iam::111122223333:user/ada", 1_800_000_000, why)


@dataclass
class Halting(Steps):
    """Halt one thread before or after its n-th step, until it is let go; others pass."""

    halt_before: int | None = None
    halt_after: int | None = None
    thread: threading.Thread | None = None
    reached: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)
    number: int = 0

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        mine = threading.current_thread() is self.thread
        self.number += mine
        if mine and self.number == self.halt_before:
            self._halt()
        with super().step(name):
            yield
        if mine and self.number == self.halt_after:
            self._halt()

    def start(self, act: Callable[[], object]) -> None:
        """Run `act` in a thread until it halts, or ends."""

        def run() -> None:
            try:
                act()
            finally:
                self.reached.set()

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()
        assert self.reached.wait(10)

    def let_go(self) -> None:
        self.go.set()
        if self.thread is not None:
            self.thread.join(10)
            assert not self.thread.is_alive()

    def _halt(self) -> None:
        self.reached.set()
        assert self.go.wait(10)


@dataclass
class Switch:
    """The control item, with who wrote it."""

    table: Table
    steps: Steps
    order: Order | None = None
    away: bool = False

    def read(self) -> Control:
        with self.steps.step("switch.read"):
            return Control(self.table.state_now, self.order.id if self.order else "", self.order)

    def freeze(self, order: Order) -> None:
        with self.steps.step("switch.freeze"):
            if self.away:
                raise NotDone("the table is away")
            self.table.state_now, self.order = "frozen", order

    def open(self, order: Order, met: Control) -> None:
        with self.steps.step("switch.open"):
            if self.away:
                raise NotDone("the table is away")
            now = self.order.id if self.order else ""
            if met.state == "frozen":
                if (self.table.state_now, now) != ("frozen", met.version):
                    raise FrozenAgain("somebody froze it again")
                self.table.state_now, self.order = "open", order
            elif self.table.state_now == "frozen":
                raise FrozenAgain("somebody froze it meanwhile")


@dataclass
class Barrier:
    """A role's Deny: of all sessions, or of those issued before a moment."""

    steps: Steps
    clock: Clock
    everything: bool = False
    before: float = 0
    away: bool = False

    def stands(self) -> bool:
        with self.steps.step("barrier.stands"):
            return self.everything

    def put_up(self) -> None:
        with self.steps.step("barrier.put_up"):
            if self.away:
                raise NotDone("IAM is away")
            self.everything = True

    def lower(self) -> None:
        with self.steps.step("barrier.lower"):
            self.everything, self.before = False, self.clock()

    def passes(self, issued: float) -> bool:
        return not self.everything and issued >= self.before


@dataclass
class AtHand:
    """Run the site's rotator, as an invocation does; `wait` is what happens while another run is at work."""

    site: Site
    wait: Callable[[], None] = lambda: None
    tries: int = 3
    runs: int = 0

    def close(self) -> str:
        if not self._run():
            raise NotDone("it was unfrozen meanwhile")
        return ""

    def open(self) -> str:
        if self._run():
            raise FrozenAgain("it was frozen meanwhile")
        return ""

    def _run(self) -> bool:
        for _ in range(self.tries):
            self.runs += 1
            try:
                return bool(self.site.rotate(f"invoked-{self.runs}").frozen)
            except LeaseTaken:
                self.wait()
        raise NotDone("the rotator is still at work")


@dataclass
class Desk:
    """An operator's desk at a site, whose steps are counted apart from the site's."""

    site: Site
    steps: Steps = field(default_factory=Steps)
    told: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.switch = Switch(self.site.table, self.steps)
        self.barrier = Barrier(self.steps, self.site.clock)
        self.keeper = AtHand(self.site)
        self.freezer = Freezer(self.switch, self.barrier, self.keeper, self.told.append)

    def freeze(self, name: str = "order-1") -> list[Step]:
        return self.freezer.freeze(order(name))

    def unfreeze(self, name: str = "order-2") -> list[Step]:
        return self.freezer.unfreeze(order(name))
