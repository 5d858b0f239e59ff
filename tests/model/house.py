"""A deployment under the explorer: who acts in it, and what is remembered of what they do."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from remediator.service.errors import LeaseTaken, NotDone
from remediator.service.records import Claimed
from tests.model.cloud import Guarded
from tests.model.explorer import Actor, Yielding, require
from tests.service.by_hand_site import HandSite
from tests.service.operators_world import Desk
from tests.service.site import OPERATOR, asking

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.core.gate import Opening
    from remediator.core.windows import Window
    from remediator.service.answers import Reply
    from remediator.service.records import Claim

KEY = "model-key-0000000001"
ROTATOR_SECONDS = 60
REMEDIATOR_SECONDS = 180
"""The functions' time-outs: the platform ends what runs longer, wherever it is."""
LAMP = "desk"


@dataclass
class House(HandSite):
    """A deployment that has rotated once, with an operator at a desk and one lamp that is off."""

    steps: Yielding = field(default_factory=Yielding)
    remembered: dict[Window, Opening] = field(default_factory=dict)
    replies: list[Reply] = field(default_factory=list)
    attempts: dict[str, int] = field(default_factory=dict)
    """Which attempt each actor was given last."""
    stopped_by: str = ""
    """The order of a freeze that did all its steps."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.sessions = Guarded(self.steps, self.gate, self.clock, self.cloud, house=self)
        object.__setattr__(self.endpoint.remediator, "sessions", self.sessions)
        self.desk = Desk(self, self.steps)
        self.cloud.lamps = {LAMP: {"on": False}}
        self.rotate()
        self._note_claims()

    def actor(self) -> str:
        """Return who is at work."""
        run = self.steps.run
        return run.current.name if run is not None and run.current is not None else ""

    def stopped(self) -> bool:
        """Tell whether a freeze is over and done, and nobody has ended it."""
        order = self.desk.switch.order
        return self.table.state_now == "frozen" and order is not None and order.id == self.stopped_by

    def _note_claims(self) -> None:
        claim = self.ledger.claim

        def noted(asked: Claim) -> Any:
            given = claim(asked)
            if isinstance(given, Claimed):
                self.attempts[self.actor()] = given.record.attempt
            return given

        self.ledger.claim = noted  # type: ignore[method-assign, assignment]  # a witness in between

    # --- who acts

    def rotating(self, name: str = "rotator") -> Actor:
        return Actor(name, lambda: self.rotate(name), expected=(LeaseTaken,), lifetime=ROTATOR_SECONDS)

    def calling(self, name: str) -> Actor:
        """A caller that signed a while ago, and whose request arrives now."""
        keys, created = self.keys(), self.clock()

        def call() -> None:
            live = keys.window.honoured_at(self.clock())
            reply = self._keep(self.post(asking(LAMP), key=KEY, keys=keys, created=created))
            require(live or reply.status == HTTPStatus.UNAUTHORIZED, "I1: a request outside its window was taken")

        return Actor(name, call, lifetime=REMEDIATOR_SECONDS)

    def undoing(self, name: str = "undoer") -> Actor:
        path = f"/v1/remediations/{KEY}/rollback"
        return Actor(name, lambda: self._keep(self.post({}, path=path, key="model-undo-000000001", principal=OPERATOR)))

    def meddling(self, name: str = "somebody else") -> Actor:
        """Somebody sets the lamp in the cloud's own console."""

        def change() -> None:
            with self.steps.step("console"):
                self.cloud.lamps[LAMP] = {"on": False, "by": name}

        return Actor(name, change, may_die=False)

    def freezing(self, name: str = "freezer") -> Actor:
        def freeze() -> None:
            order = f"order of {name}"
            if all(step.done for step in self.desk.freeze(order)):
                self.stopped_by = order

        return Actor(name, freeze)

    def unfreezing(self, name: str = "unfreezer") -> Actor:
        return Actor(name, lambda: self.desk.unfreeze(f"order of {name}"), expected=(NotDone,))

    def telling(self, name: str, *codes: str) -> Actor:
        """Somebody who has nothing but codes, and tries one after the other, under a key for each."""

        def tell() -> None:
            for number, code in enumerate(codes):
                key = f"model-{name}-{number}-by-hand".replace(" ", "-")
                self._keep(self.tell(asking(LAMP), code, key=key))

        return Actor(name, tell)

    def later(self, seconds: float) -> Callable[[], None]:
        def pass_time() -> None:
            self.clock.now += seconds

        return pass_time

    def _keep(self, reply: Reply) -> Reply:
        self.replies.append(reply)
        return reply
