"""Invoke functions asynchronously: retried, then given up to where the function says.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

from __future__ import annotations

import heapq
import itertools
import json
import threading
import time
import uuid
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol

from remediator.local.runtime.functions import Throttled, Unassumable

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.local.clock import Clock
    from remediator.local.runtime.functions import Function
    from remediator.local.runtime.host import Invocation, LambdaHost

# Between the tries of an event whose function returned an error.
ERROR_DELAYS: Final = (60.0, 120.0)
# Between the tries of an event that the service itself couldn't run: doubled from one second up to five minutes.
LONGEST_BACKOFF: Final = 300.0
_EXCERPT: Final = 1024
REMEMBERED: Final = 1000
# Names an accepted event in Lambda's answer: moto writes a request id of its own over ours.
DELIVERY_HEADER: Final = "x-embedded-delivery"


@dataclass(slots=True)
class Delivery:
    """Follow one event until it is done for: `invocations` are the tries that reached the function."""

    identity: str
    function_arn: str
    event: bytes
    accepted: float
    invocations: list[Invocation] = field(default_factory=list)
    tries: int = 0
    condition: str | None = None
    _done: threading.Event = field(default_factory=threading.Event)

    def wait(self, seconds: float) -> bool:
        """Wait, in real time, until the event succeeded or was given up; return False if it hasn't by then."""
        return self._done.wait(seconds)

    def finish(self, condition: str) -> None:
        """Say how it ended: `Success`, `RetriesExhausted`, `EventAgeExceeded` or `FunctionGone`."""
        self.condition = condition
        self._done.set()


class Outbox(Protocol):
    """Send what an event left behind, with the function's own rights."""

    def send(self, function: Function, target_arn: str, body: str, attributes: dict[str, str | int]) -> None:
        """Deliver to a queue or topic; a refusal is the outbox's to report."""


class AsyncInvoker:
    """Queue events for functions, and run each as often as its function's settings say."""

    def __init__(
        self, host: LambdaHost, clock: Clock, find: Callable[[str], Function | None], outbox: Outbox | None
    ) -> None:
        self._host = host
        self._clock = clock
        self._find = find
        self._outbox = outbox
        self._due: list[tuple[float, int, Delivery]] = []
        self._order = itertools.count()
        self._accepted: OrderedDict[str, Delivery] = OrderedDict()
        self._changed = threading.Condition()
        self._closed = False
        clock.on_shift(lambda _: self._wake())
        threading.Thread(target=self._dispatch, daemon=True).start()

    def submit(self, function_arn: str, event: bytes, identity: str | None = None) -> Delivery:
        """Accept an event; it runs as soon as a thread gets to it."""
        delivery = Delivery(identity or str(uuid.uuid4()), function_arn, event, time.time())
        with self._changed:
            self._accepted[delivery.identity] = delivery
            while len(self._accepted) > REMEMBERED:
                self._accepted.popitem(last=False)
        self._schedule(delivery, 0.0)
        return delivery

    def delivery(self, identity: str) -> Delivery:
        """Return a recent delivery by the id of its request; raises KeyError."""
        with self._changed:
            return self._accepted[identity]

    def close(self) -> None:
        """Stop; what waits for a retry is dropped."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _schedule(self, delivery: Delivery, delay: float) -> None:
        with self._changed:
            heapq.heappush(self._due, (time.time() + delay, next(self._order), delivery))
            self._changed.notify_all()

    def _dispatch(self) -> None:
        while (delivery := self._next()) is not None:
            threading.Thread(target=self._attempt, args=(delivery,), daemon=True).start()

    def _next(self) -> Delivery | None:
        with self._changed:
            while not self._closed:
                left = self._due[0][0] - time.time() if self._due else None
                if left is not None and left <= 0:
                    return heapq.heappop(self._due)[2]
                self._changed.wait(left)
        return None

    def _attempt(self, delivery: Delivery) -> None:
        function = self._find(delivery.function_arn)
        if function is None:
            delivery.finish("FunctionGone")
            return
        if time.time() - delivery.accepted > function.maximum_age:
            self._give_up(function, delivery, "EventAgeExceeded")
            return
        delivery.tries += 1
        try:
            invocation = self._host.invoke(function, delivery.event, delivery.identity)
        except (Throttled, Unassumable):
            self._schedule(delivery, min(2.0 ** (delivery.tries - 1), LONGEST_BACKOFF))
            return
        delivery.invocations.append(invocation)
        if invocation.outcome.error_type is None:
            self._succeed(function, delivery)
        elif len(delivery.invocations) <= function.retries:
            self._schedule(delivery, ERROR_DELAYS[len(delivery.invocations) - 1])
        else:
            self._give_up(function, delivery, "RetriesExhausted")

    def _succeed(self, function: Function, delivery: Delivery) -> None:
        if function.on_success_arn is not None and self._outbox is not None:
            self._outbox.send(function, function.on_success_arn, _record(function, delivery, "Success"), {})
        delivery.finish("Success")

    def _give_up(self, function: Function, delivery: Delivery, condition: str) -> None:
        if function.on_failure_arn is not None and self._outbox is not None:
            self._outbox.send(function, function.on_failure_arn, _record(function, delivery, condition), {})
        if function.dead_letter_arn is not None and self._outbox is not None:
            body = delivery.event.decode(errors="replace")
            self._outbox.send(function, function.dead_letter_arn, body, _attributes(delivery))
        delivery.finish(condition)


def _attributes(delivery: Delivery) -> dict[str, str | int]:
    """Return the message attributes of a dead letter."""
    outcome = delivery.invocations[-1].outcome if delivery.invocations else None
    message = str(json.loads(outcome.payload).get("errorMessage", "")) if outcome else "Rate Exceeded."
    return {
        "RequestID": delivery.identity,
        "ErrorCode": 200 if outcome else 429,
        "ErrorMessage": message[:_EXCERPT] or "Unhandled",
    }


def _record(function: Function, delivery: Delivery, condition: str) -> str:
    """Return the record that a destination gets."""
    outcome = delivery.invocations[-1].outcome if delivery.invocations else None
    response: dict[str, object] = {"statusCode": 200 if outcome else 429, "executedVersion": "$LATEST"}
    if outcome is not None and outcome.error_type is not None:
        response["functionError"] = "Unhandled"
    record = {
        "version": "1.0",
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": delivery.identity,
            "functionArn": f"{function.arn}:$LATEST",
            "condition": condition,
            "approximateInvokeCount": delivery.tries,
        },
        "requestPayload": json.loads(delivery.event),
        "responseContext": response,
    }
    if outcome is not None:
        record["responsePayload"] = json.loads(outcome.payload or b"null")
    return json.dumps(record)
