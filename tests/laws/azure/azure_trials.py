"""Play a fix's example on an embedded Resource Manager."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from remediator.catalogue.engine import Job
from remediator.catalogue.spec import Home
from tests.laws.azure.wire import FIXER, Cloud

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from remediator.catalogue.engine import Change, Outcome
    from remediator.catalogue.spec import JSON, Example, Fix

HOME = Home("azure", "00000000-0000-0000-0000-000000000001")
AT_ONCE: tuple[None, ...] = ()


@dataclass(frozen=True)
class Case:
    """Hold one example of one fix."""

    fix: Fix[Any, Any, Any]
    example: Example

    @property
    def options(self) -> Any:
        return self.fix.parameters(**self.example.parameters)


class Trial:
    """A resource that has an example's broken setting, and a job on it."""

    def __init__(self, case: Case, cloud: Cloud | None = None) -> None:
        fix, example = case.fix, case.example
        self.fix = fix
        self.cloud = cloud or Cloud()
        self.broken: JSON = example.broken
        self.fixed: JSON = example.fixed
        self.others: list[JSON] = list(example.others)
        target = fix.target.parse(example.target or fix.target.example, HOME)
        self.cloud.arm.add(target.id)
        self.client = self.cloud.client()
        self.job = Job(fix, self.client, target, case.options)
        self.change_to(self.broken)

    def change_to(self, state: JSON) -> None:
        """Do as somebody else would who wants the setting so."""
        somebody = Job(self.fix, self.cloud.client("somebody else"), self.job.target, self.job.parameters)
        now = somebody.read()
        if now != state:
            self.fix.write(somebody.client, somebody.target, now, state)

    def apply(self) -> tuple[Change, Outcome]:
        """Plan and apply."""
        change = self.job.plan()
        return change, self.job.apply(change, pauses=AT_ONCE)

    def recording(self) -> AbstractContextManager[list[str]]:
        """Take down the operations that are called meanwhile."""
        return self.client.recording()

    def writes(self) -> Iterator[Any]:
        """Return the exchanges of the fix that weren't reads."""
        return (one for one in self.cloud.arm.exchanges if one.principal == FIXER and one.method != "GET")
