"""Turn execution records and findings into flat fields for a store, and back. States are kept as JSON text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

from remediator.catalogue.engine import Change, Outcome
from remediator.service.records import Finding, Mode, Reason, Record, State

if TYPE_CHECKING:
    from collections.abc import Mapping

Fields: TypeAlias = "dict[str, str | int]"


def record_fields(record: Record) -> Fields:
    """Return an execution record as fields, its id left out."""
    return _present(
        {
            "digest": record.digest,
            "caller": record.caller,
            "mode": record.mode.value,
            "state": record.state.value,
            "attempt": record.attempt,
            "deadline": record.deadline,
            "created_at": record.created_at,
            "findings": record.findings,
            "free_at": record.free_at,
            "subject": record.subject,
        }
    )


def record_of(remediation: str, fields: Mapping[str, Any]) -> Record:
    """Return the execution record that has these fields."""
    return Record(
        id=remediation,
        digest=fields["digest"],
        caller=fields["caller"],
        mode=Mode(fields["mode"]),
        state=State(fields["state"]),
        attempt=fields["attempt"],
        deadline=fields["deadline"],
        created_at=fields["created_at"],
        findings=fields["findings"],
        free_at=fields["free_at"],
        subject=fields.get("subject"),
    )


def finding_fields(finding: Finding, record: Record) -> Fields:
    """Return a finding as fields; it says itself who asked, in which mode and when, for who reads receipts alone."""
    reason = finding.reason and {"code": finding.reason.code, "message": finding.reason.message}
    return _present(
        {
            "index": finding.index,
            "fix": finding.fix,
            "target": _json(finding.target),
            "parameters": _json(finding.parameters),
            "at": finding.at,
            "outcome": finding.outcome and finding.outcome.value,
            "before": _json(finding.change.before) if finding.change else None,
            "after": _json(finding.change.after) if finding.change else None,
            "calls": _json(finding.calls),
            "reason": _json(reason) if reason else None,
            "finding": finding.finding,
            "reference": finding.reference,
            "acknowledged": int(finding.acknowledged),
            "subject": finding.subject,
            "caller": record.caller,
            "mode": record.mode.value,
            "attempt": record.attempt,
        }
    )


def finding_of(remediation: str, fields: Mapping[str, Any]) -> Finding:
    """Return the finding that has these fields."""
    return Finding(
        remediation=remediation,
        index=fields["index"],
        fix=fields["fix"],
        target=json.loads(fields["target"]),
        parameters=json.loads(fields["parameters"]),
        at=fields["at"],
        outcome=Outcome(fields["outcome"]) if "outcome" in fields else None,
        change=Change(json.loads(fields["before"]), json.loads(fields["after"])) if "before" in fields else None,
        calls=tuple(json.loads(fields["calls"])),
        reason=Reason(**json.loads(fields["reason"])) if "reason" in fields else None,
        finding=fields.get("finding"),
        reference=fields.get("reference"),
        acknowledged=bool(fields["acknowledged"]),
        subject=fields.get("subject"),
    )


def asked_of(fields: Mapping[str, Any]) -> tuple[str, Mode]:
    """Return who asked for the finding that has these fields, and in which mode."""
    return fields["caller"], Mode(fields["mode"])


def _present(fields: Mapping[str, str | int | None]) -> Fields:
    return {name: value for name, value in fields.items() if value is not None}


def _json(value: Any) -> str:  # noqa: ANN401 - any JSON value
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
