"""A cloud that enforces what STS and IAM do, and that witnesses what is opened and written."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.model.explorer import require
from tests.service.world import CloudError, Session, Sessions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from remediator.catalogue.spec import Target
    from remediator.service.passage import Passage
    from tests.model.explorer import Yielding
    from tests.model.house import House


@dataclass
class Held:
    """A session's client: it is refused what its policy, its deadline or a Deny on the role refuses."""

    house: House
    passage: Passage
    names: tuple[str, ...]
    write: bool
    issued: float
    attempt: int
    seen: Any = None

    @property
    def steps(self) -> Yielding:
        return self.house.steps

    def get_lamp(self, name: str) -> Any:
        self._allowed(name, write=False)
        self.seen = self.house.cloud.get_lamp(name)
        self._allowed(name, write=False)
        return self.seen

    def put_lamp(self, name: str, lamp: Any) -> None:
        with self.steps.step(f"lamp.put {name}"):
            self._allowed(name, write=True)
            self._witness(name, lamp)
            self.house.cloud.lamps[name] = dict(lamp)

    def _allowed(self, name: str, *, write: bool) -> None:
        allowed = name in self.names and (self.write or not write)
        late = self.house.clock() >= self.passage.deadline
        if not allowed or late or not self.house.desk.barrier.passes(self.issued):
            raise CloudError("AccessDenied")

    def _witness(self, name: str, lamp: Any) -> None:
        stored = self.house.ledger.stored.get(self.passage.name, {}).values()
        receipts = [one.change for one in stored if one.change and one.target["arn"].endswith(f":{name}")]
        require(any(change.after == lamp for change in receipts), "I6: a write without a receipt before it")
        record = self.house.ledger.records[self.passage.name]
        require(record.attempt == self.attempt, "I2: a write by a holder whose work was taken over")
        require(self.passage.window.honoured_at(self.house.clock()), "I1: a write outside its window")
        require(not self.house.stopped(), "freeze: a write after everything was stopped")
        require(self.seen is not None, "I2: a write by who didn't look, and may trample")
        require(self.seen.get("by") == lamp.get("by"), "I2: a write that tramples what its writer saw")


@dataclass
class Guarded(Sessions):
    """STS, which asks the gate; I7 and I1 are witnessed where it opens."""

    house: House | None = None

    @contextmanager
    def open(
        self, fix: Any, targets: Sequence[Target], *, passage: Passage, write: bool, tags: bool = False
    ) -> Iterator[Session]:
        with super().open(fix, targets, passage=passage, write=write, tags=tags):
            names = tuple(target["lamp"] for target in targets)
            yield Session(self._held(passage, names, write=write))  # type: ignore[arg-type]  # its own kind of lamps

    def _held(self, passage: Passage, names: tuple[str, ...], *, write: bool) -> Held:
        house = self.house
        assert house is not None
        record = house.ledger.records.get(passage.name)
        require(record, "I7: a session without an execution record")
        assert record is not None
        require(passage.deadline <= passage.window.closes, "I1: a session that outlives its window")
        require(passage.window.honoured_at(self.clock()), "I1: a session outside its window")
        require(not house.stopped(), "freeze: a session after everything was stopped")
        house.remembered[passage.window] = passage.opening
        return Held(house, passage, names, write, self.clock(), house.attempts.get(house.actor(), record.attempt))
