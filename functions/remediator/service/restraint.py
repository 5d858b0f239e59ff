"""Hold a request's tasks to the customer's policy as it is stored at the time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

from remediator.catalogue.engine import Outcome
from remediator.service.errors import TagsUnread
from remediator.service.policy import UNRESTRICTED, Policy
from remediator.service.policy_document import read
from remediator.service.records import Mode, Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from remediator.service.ports import Monitor, Receipts, Session
    from remediator.service.records import Claimed, Finding
    from remediator.service.standing import Standing
    from remediator.service.tasks import Task
    from remediator.service.work import Tools

Sorted: TypeAlias = "tuple[list[Task], list[Finding]]"
"""The tasks that may go on, and the findings that ended here."""


@dataclass(frozen=True, slots=True)
class Restraint:
    """Say which tasks the policy lets go on.

    `binding` is false for what no policy stops: the operator's way back, and looking again at what was done.
    """

    cloud: str
    claimed: Claimed
    binding: bool
    receipts: Receipts
    monitor: Monitor
    clock: Callable[[], float]

    def policy(self, standing: Standing) -> Policy:
        """Return the policy that binds this request now; a broken one rings."""
        if not self.binding:
            return UNRESTRICTED
        policy = read(standing.policy, self.cloud)
        if policy.fault is not None:
            self.monitor.note("the customer's policy can't be read", fault=policy.fault)
            self.monitor.count("PolicyBroken")
        return policy

    def admit(self, policy: Policy, tasks: Sequence[Task]) -> Sorted:
        """Sort tasks by what is known without asking the cloud."""
        write = self.claimed.record.mode in _WRITING
        return self.sort(tasks, lambda task: policy.objection(task.fix, task.target, write=write))

    def count(self, policy: Policy, tasks: Sequence[Task]) -> Sorted:
        """Count what is about to be applied for this day, as far as the policy has room; what was begun is counted."""
        most = policy.findings_per_day
        fresh = [task for task in tasks if not self._begun(task)]
        if most is None or self.claimed.record.mode is not Mode.APPLY or not fresh:
            return list(tasks), []
        day = f"{datetime.fromtimestamp(self.clock(), UTC):%Y-%m-%d}"
        granted = self.receipts.spend(day, wanted=len(fresh), most=most)
        over = {task.finding.index for task in fresh[granted:]}
        message = f"The customer's policy has room for {most} findings a day, and they are used up on {day}, UTC."
        reason = Reason("policy_findings_per_day", message)
        return self.sort(tasks, lambda task: reason if task.finding.index in over else None)

    def look_at_tags(self, policy: Policy, session: Session, tasks: Sequence[Task], tools: Tools) -> Sorted:
        """Sort tasks by their targets' tags, before anything else is read of them; nothing unread goes on."""
        if not policy.asks_tags(tasks[0].fix):
            return list(tasks), []
        size = session.tags_at_once
        groups = [tasks[start : start + size] for start in range(0, len(tasks), size)]
        looked = list(tools.threads.map(lambda group: self._look(policy, session, group, tools), groups))
        return [task for rest, _ in looked for task in rest], [one for _, ended in looked for one in ended]

    def sort(self, tasks: Sequence[Task], objection: Callable[[Task], Reason | None]) -> Sorted:
        """Sort tasks by a rule."""
        objections = [(task, objection(task)) for task in tasks]
        rest = [task for task, reason in objections if reason is None]
        return rest, [self._ended(task, Outcome.REFUSED, reason) for task, reason in objections if reason is not None]

    def _look(self, policy: Policy, session: Session, tasks: Sequence[Task], tools: Tools) -> Sorted:
        failures: tuple[type[Exception], ...] = (*tools.failures, TagsUnread)
        with session.recording() as calls:
            try:
                tags = session.tags([task.target for task in tasks])
            except failures as failure:
                unread: Reason | None = _unread(tools.explain(failure))
                tags = {}
            else:
                unread = None
        called = [_called(task, calls) for task in tasks]
        if unread is None:
            return self.sort(called, lambda task: policy.objection_to(tags.get(task.target.id, {})))
        if tools.frozen():  # which ends sessions: the same request goes on later
            return [], [task.finding for task in called]
        return [], [self._ended(task, Outcome.FAILED, unread) for task in called]

    def _ended(self, task: Task, outcome: Outcome, reason: Reason) -> Finding:
        """End a task without touching its target; one that was begun before may have been written then."""
        return task.finding.ended(Outcome.UNVERIFIED if self._begun(task) else outcome, reason=reason)

    def _begun(self, task: Task) -> bool:
        return self.claimed.resumed and task.finding.change is not None and self.claimed.record.mode in _WRITING


def _called(task: Task, calls: Sequence[str]) -> Task:
    return replace(task, finding=replace(task.finding, calls=(*task.finding.calls, *calls)))


def _unread(explained: tuple[str, str]) -> Reason:
    code, message = explained
    told = f"The customer's policy excludes by tag, and the tags couldn't be read ({code}): {message}"
    return Reason("policy_tags_unread", told[:500])


_WRITING = frozenset({Mode.APPLY, Mode.ROLLBACK})
