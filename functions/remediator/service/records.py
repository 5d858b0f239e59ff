"""Hold execution records and receipts, and the life cycle of a record as a table of transitions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.catalogue.engine import Change, Outcome
    from remediator.catalogue.spec import JSON
    from remediator.core.windows import Window

TAKEOVER_MARGIN: Final = 10
"""How long after an attempt can't write any more its record may be taken over, in seconds."""

LONGEST_RUN: Final = 120
"""How long one attempt may work, in seconds."""

MAX_REQUESTS: Final = 60
"""Requests that one principal may start in one window."""

MAX_FINDINGS: Final = 5_000
"""Findings that one principal may send in one window."""


class Mode(StrEnum):
    """Say what a remediation does."""

    PLAN = "plan"
    APPLY = "apply"
    REFRESH = "refresh"
    ROLLBACK = "rollback"


class State(StrEnum):
    """Say where a remediation stands."""

    RUNNING = "running"
    PARTIAL = "partial"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Record:
    """Remember that a key was used: by whom, for what, and how far it came. `deadline` is Unix time in seconds."""

    id: str
    digest: str
    caller: str
    mode: Mode
    state: State
    attempt: int
    deadline: int
    created_at: int
    findings: int
    free_at: int
    """When an attempt that didn't end may be taken over, in seconds of Unix time."""
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """Ask to work on a remediation: the record as it would be inserted, and what it is counted under."""

    record: Record
    window: Window
    now: float


@dataclass(frozen=True, slots=True)
class Claimed:
    """Hold a record that is ours until its deadline; `resumed` tells that an earlier attempt may have left receipts."""

    record: Record
    resumed: bool


class Refusal(StrEnum):
    """Say why a record isn't ours to work on."""

    KEY_REUSED = "key_reused"
    IN_PROGRESS = "in_progress"
    OVER_LIMIT = "over_limit"


@dataclass(frozen=True, slots=True)
class Reason:
    """Say why a finding ended as it did: a stable code, and a sentence for humans."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Hold one finding of a remediation and what became of it; with a change, it is a receipt.

    `outcome` is None from before the write until it is known how the write ended.
    """

    remediation: str
    index: int
    fix: str
    target: Mapping[str, str]
    parameters: Mapping[str, JSON]
    at: int
    outcome: Outcome | None = None
    change: Change | None = None
    calls: tuple[str, ...] = ()
    reason: Reason | None = None
    finding: str | None = None
    reference: str | None = None
    acknowledged: bool = False
    subject: str | None = None
    """The receipt that this one undoes or refreshes."""

    @property
    def id(self) -> str:
        """Return the receipt's public id."""
        return f"{self.remediation}/{self.index}"

    def ended(self, outcome: Outcome, *, reason: Reason | None = None) -> Finding:
        """Return the finding with its outcome."""
        return replace(self, outcome=outcome, reason=reason)


def decide(met: Record, claim: Claim) -> Refusal | Record | Claimed:
    """Return what a request gets that meets a record under its key.

    A finished record stands; a running one is left alone until its deadline is well past; what is partial or abandoned
    is taken over, as the next attempt.
    """
    ours = claim.record
    if (met.digest, met.caller) != (ours.digest, ours.caller):
        return Refusal.KEY_REUSED
    if met.state is State.DONE:
        return met
    if met.state is State.RUNNING and claim.now < met.free_at:
        return Refusal.IN_PROGRESS
    taken = replace(met, state=State.RUNNING, attempt=met.attempt + 1, deadline=ours.deadline, free_at=ours.free_at)
    return Claimed(taken, resumed=True)


def deadline_of(now: float, *, remaining: float, window: Window) -> int:
    """Return until when an attempt may work: within the function's time, two minutes and the window's grace."""
    return int(min(now + remaining - 10, now + LONGEST_RUN, window.closes))
