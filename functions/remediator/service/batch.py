"""Spread tasks over sessions: one for each chunk of a fix's targets in a region, several at a time."""

from __future__ import annotations

from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from remediator.catalogue.engine import Outcome
from remediator.service.errors import GateShut, SessionTooLarge
from remediator.service.problems import Problem, Refused
from remediator.service.records import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from remediator.service.admission import Admission
    from remediator.service.passage import Passage
    from remediator.service.policy import Policy
    from remediator.service.ports import Doorway, Monitor, Session, Sessions
    from remediator.service.records import Finding
    from remediator.service.restraint import Restraint
    from remediator.service.tasks import Task
    from remediator.service.work import Tools

LANES: Final = 4
"""Sessions at work at the same time."""


class Work(Protocol):
    """Do with a chunk what a request asks."""

    @property
    def write(self) -> bool:
        """Tell whether sessions need the fix's writes."""

    @property
    def tools(self) -> Tools:
        """Return what the work is done with."""

    def run(self, session: Session, tasks: Sequence[Task]) -> list[Finding]:
        """Work on tasks of one fix, store what becomes of them, and return it."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Report what was begun; `obstacle` is why some of it wasn't, if that isn't the deadline."""

    findings: list[Finding] = field(default_factory=list)
    obstacle: Refused | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Pass the gate once per chunk, until the deadline."""

    sessions: Sessions
    admission: Admission
    monitor: Monitor
    clock: Callable[[], float]
    restraint: Restraint
    policy: Policy
    """The policy that sessions are sized for; before each it is read again."""

    def run(self, tasks: Iterable[Task], passage: Passage, work: Work) -> Progress:
        """Run tasks; tasks on the same target never run at the same time."""
        progress: list[Progress] = []
        doorway = self.sessions.at(passage)
        with ThreadPoolExecutor(LANES, "lane") as lanes:
            for wave in _waves(tasks):
                chunks = self._chunks(wave, passage, work)
                progress += lanes.map(lambda chunk: self._run_chunk(chunk, doorway, passage, work), chunks)
        return _joined(progress)

    def _chunks(self, tasks: Sequence[Task], passage: Passage, work: Work) -> list[list[Task]]:
        groups: defaultdict[tuple[str, str | None], list[Task]] = defaultdict(list)
        for task in tasks:
            groups[task.fix.id, task.target.region].append(task)
        chunks = []
        for group in groups.values():
            targets, rest = [task.target for task in group], iter(group)
            fix = group[0].fix
            tags = self.policy.asks_tags(fix)
            sizes = self.sessions.chunks(fix, targets, deadline=passage.deadline, write=work.write, tags=tags)
            chunks += [[next(rest) for _ in range(size)] for size in sizes]
        return chunks

    def _run_chunk(
        self, tasks: Sequence[Task], doorway: Doorway, passage: Passage, work: Work, *, counted: bool = False
    ) -> Progress:
        if self.clock() >= passage.deadline:
            return Progress()
        try:
            policy = self.restraint.policy(self.admission.require_open())
        except Refused as refused:
            return Progress(obstacle=refused)
        rest, stopped = self.restraint.admit(policy, tasks)
        if not counted:
            rest, over = self.restraint.count(policy, rest)
            stopped += over
        work.tools.store(stopped)
        passed = self._pass(rest, policy, doorway, passage, work) if rest else Progress()
        return _joined([Progress(stopped), passed])

    def _pass(self, tasks: Sequence[Task], policy: Policy, doorway: Doorway, passage: Passage, work: Work) -> Progress:
        fix, targets = tasks[0].fix, [task.target for task in tasks]
        try:
            with doorway.open(fix, targets, write=work.write, tags=policy.asks_tags(fix)) as session:
                rest, stopped = self.restraint.look_at_tags(policy, session, tasks, work.tools)
                work.tools.store(stopped)
                return Progress([*stopped, *work.run(session, rest)])
        except GateShut as shut:
            return Progress(obstacle=self._shut(shut, passage))
        except SessionTooLarge:
            return self._halve(tasks, doorway, passage, work)

    def _shut(self, shut: GateShut, passage: Passage) -> Refused | None:
        if self.clock() >= passage.deadline:
            return None
        self.monitor.note("the gate refused a right code", reason=str(shut))
        self.monitor.count("GateUnavailable")
        return Refused(Problem.GATE_UNAVAILABLE, "Send the same request under the same key again.", retry_after=60)

    def _halve(self, tasks: Sequence[Task], doorway: Doorway, passage: Passage, work: Work) -> Progress:
        if len(tasks) == 1:
            reason = Reason("session_too_large", "The cloud takes no session policy that names this target.")
            refused = [tasks[0].finding.ended(Outcome.REFUSED, reason=reason)]
            work.tools.store(refused)
            return Progress(refused)
        middle = len(tasks) // 2
        halves = (tasks[:middle], tasks[middle:])
        return _joined([self._run_chunk(half, doorway, passage, work, counted=True) for half in halves])


def _waves(tasks: Iterable[Task]) -> list[list[Task]]:
    met: Counter[str] = Counter()
    waves: defaultdict[int, list[Task]] = defaultdict(list)
    for task in tasks:
        waves[met[task.target.id]].append(task)
        met[task.target.id] += 1
    return [waves[number] for number in sorted(waves)]


def _joined(progress: Sequence[Progress]) -> Progress:
    findings = [finding for one in progress for finding in one.findings]
    return Progress(findings, next((one.obstacle for one in progress if one.obstacle), None))
