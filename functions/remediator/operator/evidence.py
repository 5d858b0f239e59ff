"""Find a remediation's record and receipts: who asked, what became of it, and the way back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from remediator.catalogue import registry
from remediator.catalogue.engine import UNTOUCHED
from remediator.catalogue.errors import UnknownFix
from remediator.operator.errors import NoReceipt
from remediator.service.records import Mode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediator.catalogue.engine import Change
    from remediator.operator.office import Office
    from remediator.service.records import Finding, Record


@dataclass(frozen=True, slots=True)
class Evidence:
    """Hold a remediation's record and the findings that were asked for; `caller` says whose record it is."""

    record: Record
    findings: Sequence[Finding]
    caller: str

    def way_back(self, finding: Finding) -> tuple[str | None, str]:
        """Return the command that writes the old state back, or None and why there is none."""
        if self.record.mode is not Mode.APPLY:
            return None, f"a {self.record.mode.value} isn't rolled back"
        if finding.change is None or finding.outcome in UNTOUCHED:
            return None, "nothing was changed"
        why = _irreversible(finding.fix, finding.change)
        if why:
            return None, why
        return f"remediator rollback {finding.remediation} --finding {finding.index}", ""


def read_evidence(office: Office, remediation: str, index: int | None, former: str | None = None) -> Evidence:
    """Read a receipt, or with no index a whole remediation; raise `NoReceipt` if there is none of that id.

    `former` is the table of a former deployment's receipts.
    """
    archive = office.archive(former)
    record = archive.record(remediation)
    findings = [one for one in archive.findings(remediation) if index in (None, one.index)]
    if record is None or (index is not None and not findings):
        named = remediation if index is None else f"{remediation}/{index}"
        raise NoReceipt(
            f"there is no receipt {named}",
            next="`remediator history` lists what there is.",
        )
    return Evidence(record, findings, role_of(record.caller, office))


def role_of(caller: str, office: Office) -> str:
    """Return who asked: there are but two principals that may, and we know which of them is ours."""
    return "operator" if caller == office.operator else "vendor"


def _irreversible(fix_id: str, change: Change) -> str | None:
    try:
        fix = registry.load(fix_id)
    except UnknownFix:
        return "this version's catalogue doesn't know the fix any more"
    return fix.one_way_from(change.before)
