"""Play a fix's example on a stage, and take down every call that is made."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from moto import mock_aws

from remediator.catalogue.engine import Job
from remediator.catalogue.spec import Home, OneWay
from remediator.local.emulator import bucket_settings, lambda_policies, slow_changes
from remediator.local.emulator.hooks import Hooks
from tests.laws import stages

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from remediator.catalogue.engine import Change, Outcome
    from remediator.catalogue.spec import JSON, Example, Fix

HOME = Home("aws", "123456789012")
AT_ONCE: tuple[None, ...] = ()


@dataclass(frozen=True)
class Case:
    """Hold one example of one fix."""

    fix: Fix[Any, Any, Any]
    example: Example

    @property
    def options(self) -> Any:
        return self.fix.parameters(**self.example.parameters)

    @property
    def goes_back(self) -> bool:
        return not isinstance(self.fix, OneWay) or self.fix.goes_back(self.example.broken)


@dataclass
class Calls:
    """Hold the API calls made: operation, such as `s3:GetPublicAccessBlock`, and parameters."""

    made: list[tuple[str, Mapping[str, JSON]]] = field(default_factory=list)

    @property
    def operations(self) -> set[str]:
        return {operation for operation, _ in self.made}


@dataclass
class Waiting:
    """How many seconds the cloud takes for what it carries out later."""

    seconds: float = 0


@contextmanager
def staged(case: Case) -> Iterator[Trial]:
    """Play a case in an account of its own, in this process."""
    with mock_aws(), _mended() as waiting:
        trial = Trial(case, waiting)
        events = trial.job.client.meta.events
        events.register("before-parameter-build", trial.note)
        try:
            yield trial
        finally:
            events.unregister("before-parameter-build", trial.note)


@contextmanager
def _mended() -> Iterator[Waiting]:
    """Mend moto as the embedded account does, and put it back."""
    hooks, waiting = Hooks(), Waiting()
    try:
        slow_changes.install(hooks, lambda: waiting.seconds)
        lambda_policies.install(hooks)
        bucket_settings.install(hooks)
        yield waiting
    finally:
        hooks.remove()


class Trial:
    """A resource that has an example's broken setting, and a job on it."""

    def __init__(self, case: Case, waiting: Waiting) -> None:
        fix, example = case.fix, case.example
        stage = stages.build(fix.target, example.target or fix.target.example)
        target = fix.target.parse(stage.target, HOME)
        client = stages.client(fix.service, target.region)
        self._taking: list[Calls] = []
        self.fix = fix
        self.waiting = waiting
        self.broken: JSON = stage.named(example.broken)
        self.fixed: JSON = stage.named(example.fixed)
        self.others: list[JSON] = [stage.named(other) for other in example.others]
        self.job = Job(fix, client, target, case.options)
        self.change_to(self.broken)

    @contextmanager
    def recording(self) -> Iterator[Calls]:
        """Take down the calls that are made meanwhile."""
        calls = Calls()
        self._taking.append(calls)
        yield calls
        self._taking.remove(calls)

    def change_to(self, state: JSON) -> None:
        """Do as somebody else would who wants the setting so."""
        now = self.job.read()
        if now != state:
            self.fix.write(self.job.client, self.job.target, now, state)

    def apply(self) -> tuple[Change, Outcome]:
        """Plan and apply."""
        change = self.job.plan()
        return change, self.job.apply(change, pauses=AT_ONCE)

    def note(self, params: Mapping[str, JSON], model: Any, **_: object) -> None:
        """Take down one call, as the SDK's event tells of it."""
        for calls in self._taking:
            calls.made.append((f"{model.service_model.service_name}:{model.name}", dict(params)))
