"""Read receipts from where they are kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from remediator.aws.receipts import ReceiptTable
from remediator.catalogue import registry
from remediator.catalogue.engine import Outcome
from remediator.catalogue.errors import UnknownFix
from remediator.cli.difference import differences
from remediator.cli.exits import Exit
from remediator.cli.failures import Failed
from remediator.core.messages import KEY
from remediator.service.answers import result
from remediator.service.records import Mode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediator.catalogue.spec import JSON
    from remediator.cli.places import Operator
    from remediator.service.records import Finding, Record

_RECEIPT: Final = re.compile(rf"(?P<id>{KEY.pattern})(?:/(?P<index>[0-9]{{1,3}}))?", re.ASCII)
_UNCHANGED: Final = frozenset({Outcome.PLANNED, Outcome.ALREADY_COMPLIANT, Outcome.REFUSED})


@dataclass(frozen=True, slots=True)
class Evidence:
    """Hold a remediation's record and the findings that were asked for; `caller` says whose record it is."""

    record: Record
    findings: Sequence[Finding]
    caller: str

    def document(self) -> dict[str, JSON]:
        """Return the evidence as a JSON object."""
        record = self.record
        return {
            "id": record.id,
            "mode": record.mode.value,
            "state": record.state.value,
            "caller": {"id": record.caller, "role": self.caller},
            "created_at": record.created_at,
            "findings": [self._shown(finding) for finding in self.findings],
        }

    def way_back(self, finding: Finding) -> tuple[str | None, str]:
        """Return the command that writes the old state back, or None and why there is none."""
        if self.record.mode is not Mode.APPLY:
            return None, f"a {self.record.mode.value} isn't rolled back"
        if finding.change is None or finding.outcome in _UNCHANGED:
            return None, "nothing was changed"
        why = _irreversible(finding.fix)
        if why:
            return None, why
        return f"remediator rollback {finding.remediation} --finding {finding.index}", ""

    def _shown(self, finding: Finding) -> dict[str, JSON]:
        command, why_not = self.way_back(finding)
        change = finding.change
        lines = [line.document() for line in differences(change.before, change.after)] if change else []
        way_back = {"command": command} if command else {"none": why_not}
        return result(finding, self.record.mode) | {"changes": lines, "way_back": way_back}


def read_evidence(operator: Operator, remediation: str, index: int | None) -> Evidence:
    """Read a receipt, or with no index a whole remediation; raise `Failed` if there is none of that id."""
    table = ReceiptTable(
        operator.service("dynamodb"),
        receipts=operator.outputs["ReceiptsTable"],
        state=operator.outputs["StateTable"],
        retention_days=0,
    )
    record = table.record(remediation)
    findings = [one for one in table.findings(remediation) if index in (None, one.index)]
    if record is None or (index is not None and not findings):
        named = remediation if index is None else f"{remediation}/{index}"
        raise Failed(f"there is no receipt {named}", exit=Exit.NOT_FOUND, next="Check the id and the deployment.")
    return Evidence(record, findings, _caller(record, operator))


def parse_receipt(text: str) -> tuple[str, int | None]:
    """Read a receipt's id, or a remediation's, or raise `Failed`."""
    match = _RECEIPT.fullmatch(text)
    if not match:
        raise Failed(
            f"{text!r} isn't the id of a receipt or a remediation",
            exit=Exit.USAGE,
            next="A receipt's id is a remediation's, a slash and a number, as every answer shows it.",
        )
    return match["id"], int(match["index"]) if match["index"] else None


def _caller(record: Record, operator: Operator) -> str:
    """Return who asked: there are but two roles that may, and we know which of them is ours."""
    return "operator" if record.caller == operator.id else "vendor"


def _irreversible(fix: str) -> str | None:
    try:
        why: str | None = getattr(registry.load(fix), "why", None)
    except UnknownFix:
        return "this version's catalogue doesn't know the fix any more"
    return why
