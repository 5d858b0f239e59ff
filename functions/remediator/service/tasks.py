"""Say what is worked on: one finding, its fix and its target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from remediator.catalogue.engine import Job

if TYPE_CHECKING:
    from remediator.catalogue.spec import Fix, Target
    from remediator.service.ports import Session
    from remediator.service.records import Finding


@dataclass(frozen=True, slots=True)
class Task:
    """Hold one finding to work on; a finding that has a change already is a receipt to go on from."""

    finding: Finding
    fix: Fix[Any, Any, Any]
    target: Target
    options: Any

    def job(self, session: Session) -> Job:
        """Return the task as a job for the session's client."""
        return Job(self.fix, session.client, self.target, self.options)
