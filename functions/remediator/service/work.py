"""Do the work of one chunk: look, store receipts, write, read back, complete the receipts."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from remediator.catalogue.engine import Outcome
from remediator.catalogue.errors import NotApplicable, Underway
from remediator.service.records import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor

    from remediator.catalogue.engine import Change, Job
    from remediator.service.ports import Monitor, Pauses, Receipts, Session
    from remediator.service.records import Claimed, Finding
    from remediator.service.tasks import Task

LARGEST_CHANGE: Final = 300_000
"""The most characters that a change may have as JSON, so that its receipt fits the store's item."""


@dataclass(frozen=True, slots=True)
class Tools:
    """Hold what every kind of work needs. `deadline` is Unix time in seconds."""

    claimed: Claimed
    receipts: Receipts
    failures: tuple[type[Exception], ...]
    explain: Callable[[Exception], tuple[str, str]]
    may_be_accepted: Callable[[Exception], bool]
    threads: Executor
    monitor: Monitor
    clock: Callable[[], float]
    pauses: Pauses
    frozen: Callable[[], bool]

    def attempt(self, session: Session, task: Task, act: Callable[[Job, Finding], Finding]) -> Finding:
        """Act on one task; whatever goes wrong with it is its own outcome and stops no other."""
        with session.recording() as calls:
            try:
                finding = act(task.job(session), task.finding)
            except NotApplicable as unfit:
                finding = task.finding.ended(Outcome.REFUSED, reason=Reason("not_applicable", str(unfit)))
            except Underway:
                finding = task.finding.ended(Outcome.FAILED, reason=_UNDERWAY)
            except self.failures as failure:
                failed = task.finding.ended(Outcome.FAILED, reason=self.reason(failure))
                finding = self.unless_stopped(task.finding, failed)
            except Exception as error:  # noqa: BLE001 - one finding's failure never stops the others
                self.monitor.note("a fix failed", fix=task.fix.id, error=type(error).__name__)
                reason = Reason("internal_error", f"The fix failed with {type(error).__name__}; report this.")
                finding = task.finding.ended(Outcome.FAILED, reason=reason)
        return replace(finding, calls=task.finding.calls + tuple(calls))

    def reason(self, failure: Exception) -> Reason:
        """Return what the cloud answered."""
        code, message = self.explain(failure)
        return Reason(code, message[:500])

    def after(self, failure: Exception, job: Job, finding: Finding, done: Outcome) -> Finding:
        """Look what a write did that seemed to fail: a reply can be lost after the call took effect, or will."""
        change = _change(finding)
        may_come = job.fix.asynchronous and self.may_be_accepted(failure)
        try:
            now = job.read()
        except Underway:
            return finding.ended(Outcome.UNVERIFIED, reason=self.reason(failure))
        if now == change.after:
            return finding.ended(done)
        if now != change.before or may_come:
            return finding.ended(Outcome.UNVERIFIED, reason=self.reason(failure))
        return self.unless_stopped(finding, finding.ended(Outcome.FAILED, reason=self.reason(failure)))

    def unless_stopped(self, finding: Finding, ended: Finding) -> Finding:
        """Return how a finding ended; one that a freeze stopped stays as it was, for the same request to go on."""
        return finding if ended.outcome is Outcome.FAILED and self.frozen() else ended

    def late(self) -> bool:
        """Tell whether the deadline is reached: nothing is written any more."""
        return self.clock() >= self.claimed.record.deadline

    def store(self, findings: Sequence[Finding]) -> None:
        """Store findings that there is something to say of."""
        known = [finding for finding in findings if finding.change or finding.outcome is not None]
        if known:
            self.receipts.store(self.claimed, known)


@dataclass(frozen=True, slots=True)
class Plan:
    """Look, and say what would be changed."""

    tools: Tools
    write: bool = False

    def run(self, session: Session, tasks: Sequence[Task]) -> list[Finding]:
        """Plan the tasks; a plan's results are stored like receipts."""
        findings = list(self.tools.threads.map(lambda task: self.tools.attempt(session, task, _plan), tasks))
        self.tools.store(findings)
        return findings


@dataclass(frozen=True, slots=True)
class Apply:
    """Look, store the receipts, write, read back, complete the receipts."""

    tools: Tools
    write: bool = True

    def run(self, session: Session, tasks: Sequence[Task]) -> list[Finding]:
        """Apply the tasks; those with a receipt from an earlier attempt are resumed."""
        begun = [task for task in tasks if task.finding.change]
        fresh = [task for task in tasks if not task.finding.change]
        looked = list(self.tools.threads.map(lambda task: self.tools.attempt(session, task, _look), fresh))
        self.tools.store(looked)
        opened = [replace(task, finding=finding) for task, finding in zip(fresh, looked, strict=True)]
        writing = [task for task in opened if task.finding.outcome is None and task.finding.change]
        written = [
            *self.tools.threads.map(lambda task: self.tools.attempt(session, task, self._apply), writing),
            *self.tools.threads.map(lambda task: self.tools.attempt(session, task, self._resume), begun),
        ]
        self.tools.store([finding for finding in written if finding.outcome is not None])
        return [finding for finding in looked if finding.outcome is not None or not finding.change] + written

    def _apply(self, job: Job, finding: Finding) -> Finding:
        return self._writing(job, finding, job.apply)

    def _resume(self, job: Job, finding: Finding) -> Finding:
        return self._writing(job, finding, job.resume)

    def _writing(self, job: Job, finding: Finding, write: Callable[..., Outcome]) -> Finding:
        change = _change(finding)
        if self.tools.late():
            return finding
        try:
            return _explained(finding, write(change, pauses=self.tools.pauses()))
        except self.tools.failures as failure:
            return self.tools.after(failure, job, finding, Outcome.FIXED)


@dataclass(frozen=True, slots=True)
class RollBack:
    """Store the receipts of the way back, then go it where the setting is still what was left."""

    tools: Tools
    unsettled: frozenset[str] = frozenset()
    """The receipts to undo of which nobody knows yet what became of them."""
    write: bool = True

    def run(self, session: Session, tasks: Sequence[Task]) -> list[Finding]:
        """Roll the tasks back; each finding's change is the one to undo, reversed."""
        self.tools.store([task.finding for task in tasks])
        findings = list(self.tools.threads.map(lambda task: self.tools.attempt(session, task, self._roll_back), tasks))
        self.tools.store([finding for finding in findings if finding.outcome is not None])
        return findings

    def _roll_back(self, job: Job, finding: Finding) -> Finding:
        if self.tools.late():
            return finding
        undone = _change(finding).reversed()
        try:
            outcome = job.roll_back(undone, pauses=self.tools.pauses())
            if outcome is Outcome.ALREADY_ROLLED_BACK and self._may_still_come(job, finding):
                return finding.ended(Outcome.FAILED, reason=_UNDERWAY)
            return _explained(finding, outcome)
        except self.tools.failures as failure:
            return self.tools.after(failure, job, finding, Outcome.ROLLED_BACK)

    def _may_still_come(self, job: Job, finding: Finding) -> bool:
        """Tell whether a setting that is as it was may only be so until the cloud gets to what it accepted."""
        return job.fix.asynchronous and finding.subject in self.unsettled


@dataclass(frozen=True, slots=True)
class Refresh:
    """Read again what wasn't settled, and note what is found on the receipt itself too."""

    tools: Tools
    unsettled: dict[str, Finding]
    write: bool = False

    def run(self, session: Session, tasks: Sequence[Task]) -> list[Finding]:
        """Refresh the tasks."""
        findings = list(self.tools.threads.map(lambda task: self.tools.attempt(session, task, self._refresh), tasks))
        self.tools.store(findings)
        for finding in findings:
            if finding.outcome is Outcome.FIXED and finding.subject:
                self.tools.receipts.settle(self.unsettled[finding.subject].ended(Outcome.FIXED))
        return findings

    def _refresh(self, job: Job, finding: Finding) -> Finding:
        if job.shows(_change(finding).after):
            return finding.ended(Outcome.FIXED)
        return _explained(finding, self.unsettled[str(finding.subject)].outcome or Outcome.UNVERIFIED)


def _plan(job: Job, finding: Finding) -> Finding:
    looked = _look(job, finding)
    return looked if looked.outcome else looked.ended(Outcome.PLANNED)


def _look(job: Job, finding: Finding) -> Finding:
    change = job.plan()
    if not change.needed:
        return finding.ended(Outcome.ALREADY_COMPLIANT)
    if len(json.dumps([change.before, change.after])) > LARGEST_CHANGE:
        reason = Reason("state_too_large", "The setting is too large to be kept for a rollback; nothing was written.")
        return finding.ended(Outcome.REFUSED, reason=reason)
    return replace(finding, change=change)


def _explained(finding: Finding, outcome: Outcome) -> Finding:
    return finding.ended(outcome, reason=_REASONS.get(outcome))


def _change(finding: Finding) -> Change:
    if finding.change is None:  # pragma: no cover - a task without a change never comes here
        raise TypeError("only a finding with a change is written")
    return finding.change


_UNDERWAY = Reason("underway", "The cloud is still carrying out a change of the setting; nothing was written.")

_REASONS = {
    Outcome.DRIFTED: Reason("drifted", "Somebody else changed the setting since; nothing was written."),
    Outcome.UNVERIFIED: Reason("unverified", "The setting wasn't what was written when it was read back; refresh it."),
}
