"""Fire EventBridge schedules: in real time by the account's clock, and on demand.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/what-is-scheduler.html
"""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from remediator.local.clients import Clients
from remediator.local.expressions import parse
from remediator.local.runtime.asynchronous import DELIVERY_HEADER
from remediator.local.runtime.functions import Acting, Unassumable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from remediator.local.clock import Clock
    from remediator.local.runtime.asynchronous import AsyncInvoker, Delivery
    from remediator.local.runtime.functions import Credentials

SERVICE: Final = "scheduler.amazonaws.com"
_LOOK_SECONDS: Final = 0.2
_LONGEST_BACKOFF: Final = 300.0
# What Lambda says to a caller who may try again; anything else is given up at once.
_RETRIED: Final = frozenset({"TooManyRequestsException", "ServiceException", "ThrottlingException"})


@dataclass(frozen=True, slots=True)
class Schedule:
    """Hold a schedule as it is configured now."""

    name: str
    arn: str
    expression: str
    enabled: bool
    created: float
    target_arn: str
    role_arn: str
    input: str
    retries: int
    maximum_age: int
    dead_letter_arn: str | None

    @property
    def acting(self) -> Acting:
        """Return as whom the scheduler acts; it speaks for the schedule's group."""
        place, _, path = self.arn.rpartition(":schedule/")
        return Acting(self.role_arn, SERVICE, f"{place}:schedule-group/{path.split('/')[0]}")


@dataclass(slots=True)
class Firing:
    """Follow one firing of a schedule: what Lambda accepted, or why it didn't."""

    schedule: Schedule
    scheduled_for: float
    identity: str = field(default_factory=lambda: str(uuid.uuid4()))
    deliveries: list[Delivery] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)


class NoSchedule(Exception):  # noqa: N818 - errors are named for what is the case
    """Say that no enabled schedule has this name."""


class DeadLetters(Protocol):
    """Send what can't be delivered."""

    def deliver(self, acting: Acting, target_arn: str, body: str, attributes: dict[str, str | int]) -> None:
        """Send to a queue as a service that has assumed a role."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Hold what the scheduler takes from the account."""

    endpoint: str
    clock: Clock
    schedules: Callable[[], Iterator[Schedule]]
    session: Callable[[Acting, str], Credentials]
    asynchronous: AsyncInvoker
    dead_letters: DeadLetters
    say: Callable[[str], None]


class Scheduler:
    """Fire every enabled schedule when its moment comes. One that came while nobody looked isn't made up for."""

    def __init__(self, surroundings: Surroundings, *, real_time: bool) -> None:
        self._around = surroundings
        self._next: dict[str, tuple[Schedule, float]] = {}
        self._changed = threading.Event()
        self._closed = False
        self._thread: threading.Thread | None = None
        if real_time:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()

    def fire(self, name: str, scheduled_for: float | None = None, *, copies: int = 1) -> Firing:
        """Fire a schedule now, whatever its expression says; raises `NoSchedule` if there is none, or it is disabled.

        `scheduled_for` is the moment that the event claims (late or early firings); two `copies` are what "at least
        once" allows. Returns when Lambda has accepted or refused; `Delivery.wait` waits for the function.
        """
        standing = (one for one in self._around.schedules() if one.enabled)
        schedule = next((one for one in standing if name in {one.name, one.arn}), None)
        if schedule is None:
            raise NoSchedule(name)
        firing = Firing(schedule, time.time() if scheduled_for is None else scheduled_for)
        for _ in range(copies):
            self._deliver(firing)
        return firing

    def close(self) -> None:
        """Fire no more."""
        self._closed = True
        self._changed.set()

    def _run(self) -> None:
        while not self._closed:
            due = self._due()
            for schedule, moment in due:
                threading.Thread(target=self._deliver, args=(Firing(schedule, moment),), daemon=True).start()
            self._changed.wait(_LOOK_SECONDS)

    def _due(self) -> list[tuple[Schedule, float]]:
        """Return what is due now, and note when each schedule fires next."""
        now = time.time()
        due = []
        standing = {schedule.arn: schedule for schedule in self._around.schedules() if schedule.enabled}
        for arn, schedule in standing.items():
            known = self._next.get(arn)
            if known is not None and known[0].expression == schedule.expression and known[1] > now:
                continue
            if known is not None and known[0].expression == schedule.expression:
                due.append((schedule, known[1]))
            moment = parse(schedule.expression).after(now, schedule.created)
            if moment is not None:
                self._next[arn] = (schedule, moment)
        for arn in self._next.keys() - standing.keys():
            del self._next[arn]
        return due

    def _deliver(self, firing: Firing) -> None:
        """Invoke the target, again while its answer and the schedule's retry policy allow."""
        schedule = firing.schedule
        tries = 0
        while not self._closed:
            tries += 1
            refusal = self._try(firing, tries)
            if refusal is None:
                return
            code, text = refusal
            firing.refusals.append(text)
            exhausted = tries > schedule.retries or time.time() - firing.scheduled_for > schedule.maximum_age
            if code not in _RETRIED or exhausted:
                self._give_up(firing, code, text, tries)
                return
            self._around.clock.wait_until(time.time() + min(2.0 ** (tries - 1), _LONGEST_BACKOFF))

    def _try(self, firing: Firing, attempt: int) -> tuple[str, str] | None:
        """Ask Lambda to take the event; return code and text of a refusal."""
        schedule = firing.schedule
        event = _event(firing, attempt)
        region = schedule.target_arn.split(":")[3]
        try:
            credentials = self._around.session(schedule.acting, f"schedule-{schedule.name}")
            client: Any = Clients(self._around.endpoint, region, credentials, attempts=1).client("lambda")
            accepted = client.invoke(FunctionName=schedule.target_arn, InvocationType="Event", Payload=event.encode())
        except Unassumable as unassumable:
            return "AccessDeniedException", str(unassumable)
        except ClientError as error:
            return str(error.response["Error"]["Code"]), str(error)
        except BotoCoreError as error:  # no answer: the event may have been accepted, and comes again
            return "ServiceException", str(error)
        delivery = self._around.asynchronous.delivery(accepted["ResponseMetadata"]["HTTPHeaders"][DELIVERY_HEADER])
        firing.deliveries.append(delivery)
        return None

    def _give_up(self, firing: Firing, code: str, text: str, tries: int) -> None:
        schedule = firing.schedule
        self._around.say(f"schedule {schedule.name} couldn't be delivered: {text}")
        if schedule.dead_letter_arn is None:
            return
        attributes: dict[str, str | int] = {
            "ERROR_CODE": code,
            "ERROR_MESSAGE": text[:1024],
            "SCHEDULE_ARN": schedule.arn,
            "TARGET_ARN": schedule.target_arn,
            "RETRY_ATTEMPTS": tries - 1,
            "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
            "X-Amz-Scheduler-Group": schedule.arn.split("/")[1],
        }
        body = _event(firing, tries)
        self._around.dead_letters.deliver(schedule.acting, schedule.dead_letter_arn, body, attributes)


def _event(firing: Firing, attempt: int) -> str:
    """Return the schedule's input with the context attributes filled in.

    https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
    """
    moment = datetime.fromtimestamp(firing.scheduled_for, UTC)
    text = firing.schedule.input
    for name, value in (
        ("aws.scheduler.schedule-arn", firing.schedule.arn),
        ("aws.scheduler.scheduled-time", f"{moment:%Y-%m-%dT%H:%M:%SZ}"),
        ("aws.scheduler.execution-id", firing.identity),
        ("aws.scheduler.attempt-number", str(attempt)),
    ):
        text = text.replace(f"<{name}>", value)
    return text
