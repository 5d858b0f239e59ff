"""Announce what was changed: one event for each finding, with what was there before and the way back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from remediator.catalogue import registry
from remediator.catalogue.engine import Outcome
from remediator.service.records import Mode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remediator.catalogue.spec import JSON
    from remediator.service.ports import Announcer, Monitor
    from remediator.service.records import Finding, Record
    from remediator.service.tasks import Task

VERSION: Final = 1
"""The version of the events' form."""

ANNOUNCED: Final = frozenset({Outcome.FIXED, Outcome.PENDING, Outcome.UNVERIFIED, Outcome.ROLLED_BACK, Outcome.FAILED})
"""The outcomes after which a setting may be another than before: a write that failed may have had its effect."""


class NotTaken(Exception):  # noqa: N818 - errors are named for what is the case
    """Say that the bus didn't take so many events, and why; the reason is safe to log."""

    def __init__(self, events: int, reason: str) -> None:
        super().__init__(reason)
        self.events = events


@dataclass(frozen=True, slots=True)
class Announcement:
    """Hold one event. Its id is the receipt's, so that whoever gets it twice can tell; `at` is Unix time in seconds."""

    id: str
    at: int
    resource: str
    detail: Mapping[str, JSON]

    def without_states(self) -> Announcement:
        """Return the event without the two states, for a bus that it is too large for; the receipt has them."""
        detail = {**self.detail, "before": None, "after": None, "states_left_out": True}
        return Announcement(self.id, self.at, self.resource, detail)


@dataclass(frozen=True, slots=True)
class Announcements:
    """Announce for one account, known to its people as `alias`. What isn't announced stops nothing."""

    announcer: Announcer
    monitor: Monitor
    account: str
    alias: str
    commands: str = ""
    """What the operator's commands need besides, to speak to this cloud."""

    def announce(self, record: Record, tasks: Sequence[Task], findings: Sequence[Finding]) -> None:
        """Announce each of the findings that may have changed its setting."""
        if record.mode not in (Mode.APPLY, Mode.ROLLBACK):
            return
        resources = {task.finding.index: task.target.id for task in tasks}
        changed = [one for one in findings if one.change and one.outcome in ANNOUNCED]
        if changed:
            self._send([self.of(record, one, resources[one.index]) for one in changed])

    def of(self, record: Record, finding: Finding, resource: str) -> Announcement:
        """Return the event for a finding."""
        detail: dict[str, Any] = {
            "version": VERSION,
            "id": finding.id,
            "remediation": finding.remediation,
            "index": finding.index,
            "mode": record.mode.value,
            "caller": record.caller,
            "outcome": finding.outcome,
            "account": self.account,
            "account_alias": self.alias,
            "fix": finding.fix,
            "resource": resource,
            "target": dict(finding.target),
            "parameters": dict(finding.parameters),
            "finding": finding.finding or finding.reference or finding.fix,
            "reference": finding.reference,
            "before": finding.change and finding.change.before,
            "after": finding.change and finding.change.after,
            "states_left_out": False,
            "calls": list(finding.calls),
            "undoes": finding.subject,
            "way_back": self._way_back(finding),
        }
        return Announcement(finding.id, finding.at, resource, detail)

    def _send(self, announcements: Sequence[Announcement]) -> None:
        try:
            self.announcer.announce(announcements)
        except NotTaken as lost:
            self._lost(lost.events, str(lost))
        except Exception as error:  # noqa: BLE001 - the change is made: no trouble with telling of it stops the answer
            self._lost(len(announcements), type(error).__name__)

    def _lost(self, events: int, reason: str) -> None:
        self.monitor.note("changes weren't announced", events=events, reason=reason)
        self.monitor.count("NotAnnounced", events)

    def _way_back(self, finding: Finding) -> str:
        """Return the operator's command that takes the change back, or why there is none."""
        if finding.subject is not None:
            return "Send the finding again: what was taken back is a finding once more."
        why = finding.change and registry.load(finding.fix).one_way_from(finding.change.before)
        if why:
            return f"None: {why}"
        return f"remediator rollback {finding.remediation} --finding {finding.index}{self.commands}"
