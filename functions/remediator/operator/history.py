"""Look through all that was ever asked of a deployment, as far as it is kept: one entry per finding, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from remediator.operator.evidence import role_of
from remediator.service.records import Mode

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.catalogue.spec import JSON
    from remediator.operator.archive import Archive
    from remediator.operator.office import Office
    from remediator.service.records import Finding

BEGUN = "begun"
"""The outcome of a finding whose write was begun and whose end isn't known."""


@dataclass(frozen=True, slots=True)
class Filed:
    """Hold one finding as the store shows it by itself: it says who asked, and in which mode."""

    finding: Finding
    caller: str
    mode: Mode


@dataclass(frozen=True, slots=True)
class Entry:
    """Hold one line of the history; `at` is Unix time, `role` who asked: the vendor or the operator."""

    at: int
    receipt: str
    mode: str
    outcome: str
    fix: str
    target: str
    region: str | None
    role: str
    caller: str
    finding: str | None
    reference: str | None
    reason: str | None
    undoes: str | None

    def document(self) -> dict[str, JSON]:
        """Return the entry as a JSON object."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Say which entries are wanted; what isn't said isn't asked for. `until` is the first second too late."""

    since: int = 0
    until: int | None = None
    fixes: frozenset[str] = frozenset()
    outcomes: frozenset[str] = frozenset()
    modes: frozenset[str] = frozenset()
    target: str | None = None
    caller: str | None = None
    reference: str | None = None

    def takes(self, entry: Entry) -> bool:
        """Tell whether an entry is one of those. A target is a pattern, in which letter case doesn't matter."""
        return (
            self.since <= entry.at
            and (self.until is None or entry.at < self.until)
            and (not self.fixes or entry.fix in self.fixes)
            and (not self.outcomes or entry.outcome in self.outcomes)
            and (not self.modes or entry.mode in self.modes)
            and (self.target is None or fnmatchcase(entry.target.lower(), self.target.lower()))
            and self.caller in (None, entry.role, entry.caller)
            and self.reference in (None, entry.reference)
        )


def history(office: Office, archive: Archive, wanted: Wanted, looked_at: Callable[[int], None]) -> list[Entry]:
    """Return the entries that are wanted, newest first; `looked_at` is told how many were read, page by page."""
    found: list[Entry] = []
    count = 0
    for page in archive.pages(wanted.since):
        found += [entry for filed in page if wanted.takes(entry := _entry(filed, office))]
        count += len(page)
        looked_at(count)
    return sorted(found, key=lambda entry: (-entry.at, entry.receipt))


def _entry(filed: Filed, office: Office) -> Entry:
    finding = filed.finding
    return Entry(
        at=finding.at,
        receipt=finding.id,
        mode=filed.mode.value,
        outcome=finding.outcome.value if finding.outcome else BEGUN,
        fix=finding.fix,
        target=str(finding.target.get("arn") or finding.target.get("id")),
        region=finding.target.get("region"),
        role=role_of(filed.caller, office),
        caller=filed.caller,
        finding=finding.finding,
        reference=finding.reference,
        reason=finding.reason.code if finding.reason else None,
        undoes=finding.subject if filed.mode is Mode.ROLLBACK else None,
    )
