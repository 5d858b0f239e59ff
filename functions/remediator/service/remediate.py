"""Remediate: claim the key, ask the rules, pass the gate, plan or apply, answer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from remediator.catalogue import registry
from remediator.catalogue.engine import Outcome
from remediator.service.answers import Reply, reply_with
from remediator.service.batch import Batch
from remediator.service.passage import Passage
from remediator.service.problems import Problem, Refused
from remediator.service.records import (
    TAKEOVER_MARGIN,
    Claim,
    Claimed,
    Finding,
    Mode,
    Record,
    Refusal,
    State,
    deadline_of,
)
from remediator.service.requests import Asked, Call, digest_of
from remediator.service.restraint import Restraint
from remediator.service.tasks import Task
from remediator.service.work import Apply, Plan, Tools

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from remediator.service.admission import Admission, Admitted
    from remediator.service.announcements import Announcements
    from remediator.service.batch import Work
    from remediator.service.ports import Monitor, Pauses, Receipts, Sessions
    from remediator.service.records import Reason
    from remediator.service.requests import Remediation
    from remediator.service.scope import Scope

THREADS: Final = 32
"""Calls of one request in flight."""


@dataclass(frozen=True, slots=True)
class Remediator:
    """Run what was asked under an execution record: once, whatever is repeated, lost or taken over."""

    scope: Scope
    admission: Admission
    receipts: Receipts
    sessions: Sessions
    monitor: Monitor
    clock: Callable[[], float]
    pauses: Pauses
    fence: int | None = None
    """How long after its start an attempt may still write, in seconds; None where its sessions end at the deadline."""
    announcements: Announcements | None = None
    """None where nobody is to hear of changes but who asked."""

    def remediate(self, call: Call, admitted: Admitted, asked: Remediation) -> Reply:
        """Plan or apply, and answer with one result per finding."""
        claimed = self.claim(call, admitted, asked.mode, findings=len(asked.findings))
        if isinstance(claimed, Record):
            return self.outcome_of(claimed)
        stored = self._stored(claimed)
        kind = Apply if asked.mode is Mode.APPLY else Plan
        tasks = [self._task(claimed.record, index, one, stored.get(index)) for index, one in enumerate(asked.findings)]
        return self.run(claimed, admitted, tasks, kind, binding=True)

    def claim(
        self, call: Call, admitted: Admitted, mode: Mode, *, findings: int, subject: str | None = None
    ) -> Claimed | Record:
        """Return the claim on the request's record, or the record whose outcome stands; else raise `Refused`."""
        now = self.clock()
        deadline = deadline_of(now, remaining=call.remaining, window=admitted.window)
        last = deadline if self.fence is None else int(now) + self.fence
        record = Record(
            id=admitted.key,
            digest=digest_of(call),
            caller=call.principal.id,
            mode=mode,
            state=State.RUNNING,
            attempt=1,
            deadline=deadline,
            created_at=int(now),
            findings=findings,
            free_at=last + TAKEOVER_MARGIN,
            subject=subject,
        )
        claimed = self.receipts.claim(Claim(record, admitted.window, now))
        if isinstance(claimed, Refusal):
            raise _refused(claimed, now, admitted)
        return claimed

    def run(
        self,
        claimed: Claimed,
        admitted: Admitted,
        tasks: Sequence[Task],
        kind: Callable[[Tools], Work],
        *,
        binding: bool,
    ) -> Reply:
        """Run the tasks that aren't ended yet, end the record, and answer; `binding` is whether the policy binds."""
        restraint = Restraint(self.scope.home.cloud, claimed, binding, self.receipts, self.monitor, self.clock)
        policy = restraint.policy(admitted.standing)
        ended = [task.finding for task in tasks if task.finding.outcome is not None]
        inside, refused = restraint.sort([task for task in tasks if task.finding.outcome is None], self._outside)
        todo, forbidden = restraint.admit(policy, inside)
        refused += forbidden
        if refused:
            self.receipts.store(claimed, refused)
        batch = Batch(self.sessions, self.admission, self.monitor, self.clock, restraint, policy)
        found, obstacle = self._run_batch(batch, claimed, admitted, todo, kind) if todo else ([], None)
        findings = sorted([*ended, *refused, *found], key=lambda finding: finding.index)
        self._count(found)
        if self.announcements is not None:  # before the record ends: after a crash, the same request announces again
            self.announcements.announce(claimed.record, tasks, findings)
        partial = len(findings) < len(tasks) or any(finding.outcome is None for finding in findings)
        self.receipts.finish(claimed, partial=partial)
        if obstacle and not findings:
            raise obstacle
        state = State.PARTIAL if partial else State.DONE
        return reply_with(replace(claimed.record, state=state), findings)

    def outcome_of(self, record: Record) -> Reply:
        """Return the answer to a finished remediation, assembled from its receipts."""
        return reply_with(record, self.receipts.findings(record.id))

    def _run_batch(
        self,
        batch: Batch,
        claimed: Claimed,
        admitted: Admitted,
        tasks: Sequence[Task],
        kind: Callable[[Tools], Work],
    ) -> tuple[list[Finding], Refused | None]:
        passage = Passage(admitted.window, admitted.opening, claimed.record.id, claimed.record.deadline)
        with ThreadPoolExecutor(THREADS, "call") as threads:
            progress = batch.run(tasks, passage, kind(self._tools(claimed, threads)))
        return progress.findings, progress.obstacle

    def _tools(self, claimed: Claimed, threads: ThreadPoolExecutor) -> Tools:
        return Tools(
            claimed=claimed,
            receipts=self.receipts,
            failures=self.sessions.failures,
            explain=self.sessions.explain,
            may_be_accepted=self.sessions.may_be_accepted,
            threads=threads,
            monitor=self.monitor,
            clock=self.clock,
            pauses=self.pauses,
            frozen=lambda: self.admission.verifiers.standing().state == "frozen",
        )

    def _task(self, record: Record, index: int, asked: Asked, stored: Finding | None) -> Task:
        finding = stored or Finding(
            remediation=record.id,
            index=index,
            fix=asked.fix.id,
            target=asked.raw_target,
            parameters=asked.parameters,
            at=int(self.clock()),
            finding=asked.finding,
            reference=asked.reference,
            acknowledged=asked.acknowledged,
        )
        return Task(finding, asked.fix, asked.target, asked.options)

    def _outside(self, task: Task) -> Reason | None:
        return self.scope.objection(task.fix, task.target, acknowledged=task.finding.acknowledged)

    def _stored(self, claimed: Claimed) -> dict[int, Finding]:
        if not claimed.resumed:
            return {}
        return {finding.index: finding for finding in self.receipts.findings(claimed.record.id)}

    def _count(self, findings: Sequence[Finding]) -> None:
        for outcome, metric in _METRICS.items():
            number = sum(finding.outcome is outcome for finding in findings)
            if number:
                self.monitor.count(metric, number)


def task_of(finding: Finding, scope: Scope) -> Task:
    """Return a stored finding as a task again."""
    fix: Any = registry.load(finding.fix)
    return Task(finding, fix, fix.target.parse(finding.target, scope.home), fix.parameters(**finding.parameters))


def _refused(refusal: Refusal, now: float, admitted: Admitted) -> Refused:
    if refusal is Refusal.KEY_REUSED:
        return Refused(Problem.KEY_REUSED, "Use a new Idempotency-Key for a new request.")
    if refusal is Refusal.IN_PROGRESS:
        return Refused(Problem.IN_PROGRESS, "Send the same request under the same key later.", retry_after=15)
    wait = max(1, int(admitted.window.not_after - now))
    return Refused(Problem.TOO_MANY_REQUESTS, "Go on in the next window.", retry_after=wait)


_METRICS = {
    Outcome.FIXED: "Fixed",
    Outcome.ROLLED_BACK: "RolledBack",
    Outcome.FAILED: "Failed",
    Outcome.REFUSED: "Refused",
    Outcome.UNVERIFIED: "Unverified",
}
