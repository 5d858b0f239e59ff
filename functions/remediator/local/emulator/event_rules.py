"""Deliver events to what rules name as their targets, with the rights that EventBridge needs for each.

moto keeps rules and knows patterns, but of the targets that matter here none. Known are topics, functions and other
buses; a rule with another target is refused when it is made.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
"""

from __future__ import annotations

import json
import re
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from moto.events.models import Rule, events_backends

from remediator.local.emulator.sessions import service_session
from remediator.local.iam import Principal, Refused, authorize, principal_of
from remediator.local.runtime.functions import Acting, Unassumable

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from remediator.local.emulator.hooks import Hooks
    from remediator.local.emulator.outbox import Outbox
    from remediator.local.runtime.asynchronous import AsyncInvoker, Delivery

SERVICE: Final = "events.amazonaws.com"
READ_ONLY_TOO: Final = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
_VARIABLE: Final = re.compile(r"<([\w.-]+)>")

Event = dict[str, Any]


class EventRules:
    """Take moto's place where events meet rules; what can't be delivered is lost, and `on_loss` hears of it."""

    def __init__(self, outbox: Outbox, asynchronous: AsyncInvoker, on_loss: Callable[[str], None]) -> None:
        self._outbox = outbox
        self._asynchronous = asynchronous
        self._on_loss = on_loss
        self._threads = ThreadPoolExecutor(2, "events")
        self._lock = threading.Lock()
        self._running: list[Future[None]] = []
        self.deliveries: list[Delivery] = []

    def install(self, hooks: Hooks) -> None:
        """Hear of every event that is put."""
        rules = self

        def send_to_targets(self: Rule, original_event: Event, transform_input: bool = True) -> None:  # noqa: ARG001, FBT001, FBT002 - moto's own
            rules._offer(self, {**original_event, "time": _instant(original_event["time"])})

        put = hooks.replace(Rule, "put_targets", lambda self, targets: _put_known(put, self, targets))
        hooks.replace(Rule, "send_to_targets", send_to_targets)

    def emit(self, account: str, region: str, event: Event, *, read_only: bool = False) -> None:
        """Put an event of AWS's own on an account's default bus."""
        whole = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "account": account,
            "region": region,
            "resources": [],
            **event,
        }
        for rule in list(events_backends[account][region].event_buses["default"].rules.values()):
            if not read_only or rule.state == READ_ONLY_TOO:
                self._offer(rule, whole)

    def settle(self, seconds: float = 30.0) -> None:
        """Wait until what was put so far is delivered, and functions have run."""
        while self._running:
            with self._lock:
                running, self._running = self._running, []
            done, late = wait(running, seconds)
            if late:
                raise TimeoutError(f"{len(late)} events aren't delivered after {seconds} s")
            for one in done:
                one.result()
        deliveries, self.deliveries = self.deliveries, []
        if not all(one.wait(seconds) for one in deliveries):
            raise TimeoutError("a function hasn't run")

    def close(self) -> None:
        """Deliver no more."""
        self._threads.shutdown(cancel_futures=True)

    def _offer(self, rule: Rule, event: Event) -> None:
        fits: Any = rule.event_pattern.matches_event  # moto's own events have their time as a number
        if rule.state != "DISABLED" and fits(event):
            with self._lock:
                self._running += [self._threads.submit(self._deliver, rule, target, event) for target in rule.targets]

    def _deliver(self, rule: Rule, target: dict[str, Any], event: Event) -> None:
        service = target["Arn"].split(":")[2]
        try:
            {"sns": self._publish, "lambda": self._invoke, "events": self._pass_on}[service](rule, target, event)
        except (Refused, Unassumable) as refused:
            self._on_loss(f"rule {rule.name} delivered nothing to {target['Arn']}: {refused}")

    def _publish(self, rule: Rule, target: dict[str, Any], event: Event) -> None:
        self._outbox.deliver(_acting(rule, target), target["Arn"], _input(target, event), {})

    def _invoke(self, rule: Rule, target: dict[str, Any], event: Event) -> None:
        context: dict[str, str | list[str]] = {"aws:SourceArn": rule.arn, "aws:SourceAccount": rule.account_id}
        authorize(Principal.service(SERVICE), "lambda:InvokeFunction", target["Arn"], context)
        self.deliveries.append(self._asynchronous.submit(target["Arn"], _input(target, event).encode()))

    def _pass_on(self, rule: Rule, target: dict[str, Any], event: Event) -> None:
        session = service_session(_acting(rule, target), "events")
        authorize(
            principal_of(session.access_key), "events:PutEvents", target["Arn"], {"events:source": event["source"]}
        )
        region, account = target["Arn"].split(":")[3:5]
        self.emit(account, region, event, read_only=bool(event["detail"].get("readOnly")))


def _put_known(put: Callable[..., Any], rule: Rule, targets: list[dict[str, Any]]) -> None:
    unknown = [target["Arn"] for target in targets if target["Arn"].split(":")[2] not in {"sns", "lambda", "events"}]
    if unknown:
        raise NotImplementedError(f"nobody here delivers events to {unknown[0]}")
    put(rule, targets)


def _acting(rule: Rule, target: dict[str, Any]) -> Acting:
    if "RoleArn" not in target:
        raise Unassumable(f"the target {target['Id']} names no role")
    return Acting(target["RoleArn"], SERVICE, rule.arn)


def _input(target: dict[str, Any], event: Event) -> str:
    """Return what a target gets: the event, or what its transformer makes of it."""
    transformer = target.get("InputTransformer")
    if transformer is None:
        return json.dumps(event)
    found = {name: _at(event, path) for name, path in transformer["InputPathsMap"].items()}
    filled = _VARIABLE.sub(lambda match: _text(found.get(match[1])), transformer["InputTemplate"])
    # A template of quoted lines is a text; anything else is JSON.
    lines = filled.split("\n")
    quoted = all(line.startswith('"') and line.endswith('"') for line in lines)
    return "\n".join(line[1:-1] for line in lines) if quoted else json.dumps(json.loads(filled))


def _at(event: Any, path: str) -> Any:  # noqa: ANN401 - any JSON value
    for part in path.removeprefix("$.").split("."):
        event = event.get(part) if isinstance(event, dict) else None
    return event


def _text(value: Any) -> str:  # noqa: ANN401 - any JSON value
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def _instant(time: float | str) -> str:
    return time if isinstance(time, str) else datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
