"""A deployment whose operator passes codes on, and a vendor that has nothing but the code."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from remediator.core.messages import Fields
from remediator.core.windows import window_at
from remediator.service.by_hand import MOST_TRIES, ByHand
from remediator.service.errors import Frozen, NotLive, Spent
from remediator.service.requests import Call
from tests.service.site import KEY, READER, Site

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.core.codes import Code
    from remediator.core.gate import Opening
    from remediator.core.windows import Window
    from remediator.service.answers import Reply
    from remediator.service.records import Mode
    from remediator.service.requests import Principal
    from tests.service.world import Clock, Steps, Table


@dataclass
class Left:
    """What stands of one window's admission."""

    opening: Opening | None
    tries: int = 0
    used: dict[Mode, str] = field(default_factory=dict)


@dataclass
class Book:
    """Admissions in memory, on the same conditions as the real stores."""

    steps: Steps
    table: Table
    clock: Clock
    left: dict[Window, Left] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def admit(self, window: Window, opening: Opening) -> None:
        with self.steps.step("book.admit"), self._lock:
            if self.table.state_now != "open":
                raise Frozen("frozen")
            if window != window_at(self.clock()):
                raise NotLive("over")
            if self.left.setdefault(window, Left(opening)).opening is None:
                raise Spent("closed")

    def count(self, window: Window) -> Opening | None:
        with self.steps.step("book.count"), self._lock:
            left = self.left.get(window)
            if left is None or left.opening is None or left.tries >= MOST_TRIES:
                return None
            left.tries += 1
            return left.opening

    def use(self, window: Window, mode: Mode, request: str) -> bool:
        with self.steps.step("book.use"), self._lock:
            left = self.left[window]
            if left.opening is None:
                return False
            left.tries -= 1
            return left.used.setdefault(mode, request) == request

    def close_spent(self, window: Window) -> bool:
        with self.steps.step("book.close_spent"), self._lock:
            left = self.left.get(window)
            if left is None or left.opening is None or left.tries < MOST_TRIES:
                return False
            left.opening = None
            return True

    def clear(self, now: float) -> None:
        for window, left in self.left.items():
            if window < window_at(now):
                left.opening = None


class HandSite(Site):
    """One deployment with manual delivery."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.book = Book(self.steps, self.table, self.clock)
        self.signed = True
        by_hand = ByHand(self.endpoint.remediator.admission, self.book, lambda _: self.signed)
        self.endpoint = type(self.endpoint)(
            self.endpoint.remediator, self.endpoint.returning, self.endpoint.verbs, by_hand
        )

    def admit(self) -> Code:
        keys = self.keys()
        self.book.admit(keys.window, keys.opening)
        return keys.code

    def wrong(self, number: int = 1) -> str:
        right = int(self.keys().code.reveal())
        return f"{(right + number) % 1_000_000:06}"

    def right(self) -> str:
        return self.keys().code.reveal().decode()

    def tell(
        self,
        body: Any,
        code: str | None = None,
        *,
        key: str = KEY,
        principal: Principal = READER,
        path: str = "/v1/remediations",
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        fields = {"content-type": "application/json", "idempotency-key": key,
                  "remediation-code": self.right() if code is None else code}  # fmt: skip
        fields |= dict(headers or {})
        return self.endpoint.answer(Call("POST", path, "", Fields(fields), raw, principal, 170.0))
