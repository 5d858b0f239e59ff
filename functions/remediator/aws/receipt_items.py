"""Turn execution records and findings into DynamoDB items and back. States are kept as JSON text, as they were read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from remediator.catalogue.engine import Change, Outcome
from remediator.service.records import Finding, Mode, Reason, Record, State

if TYPE_CHECKING:
    from collections.abc import Mapping


def record_item(record: Record, retention: int) -> dict[str, Any]:
    """Return an execution record's item; `retention` is in seconds."""
    return _item(
        {
            "pk": record.id,
            "sk": "record",
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
            "expires_at": record.created_at + retention,
        }
    )


def record_from(item: Mapping[str, Any]) -> Record:
    """Return the execution record of an item."""
    value = _values(item)
    return Record(
        id=value["pk"],
        digest=value["digest"],
        caller=value["caller"],
        mode=Mode(value["mode"]),
        state=State(value["state"]),
        attempt=value["attempt"],
        deadline=value["deadline"],
        created_at=value["created_at"],
        findings=value["findings"],
        free_at=value["free_at"],
        subject=value.get("subject"),
    )


def finding_item(finding: Finding, record: Record, retention: int) -> dict[str, Any]:
    """Return a finding's item; it says itself who asked, in which mode and when, for whoever reads receipts alone."""
    reason = finding.reason and {"code": finding.reason.code, "message": finding.reason.message}
    return _item(
        {
            "pk": finding.remediation,
            "sk": f"finding/{finding.index:04}",
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
            "expires_at": record.created_at + retention,
        }
    )


def finding_from(item: Mapping[str, Any]) -> Finding:
    """Return the finding of an item."""
    value = _values(item)
    return Finding(
        remediation=value["pk"],
        index=value["index"],
        fix=value["fix"],
        target=json.loads(value["target"]),
        parameters=json.loads(value["parameters"]),
        at=value["at"],
        outcome=Outcome(value["outcome"]) if "outcome" in value else None,
        change=Change(json.loads(value["before"]), json.loads(value["after"])) if "before" in value else None,
        calls=tuple(json.loads(value["calls"])),
        reason=Reason(**json.loads(value["reason"])) if "reason" in value else None,
        finding=value.get("finding"),
        reference=value.get("reference"),
        acknowledged=bool(value["acknowledged"]),
        subject=value.get("subject"),
    )


def item_size(item: Mapping[str, Any]) -> int:
    """Return an item's size in bytes, never less than what DynamoDB counts."""
    return len(json.dumps(item, ensure_ascii=False).encode())


def _item(values: Mapping[str, str | int | None]) -> dict[str, Any]:
    return {
        name: {"N": str(value)} if isinstance(value, int) else {"S": value}
        for name, value in values.items()
        if value is not None
    }


def _values(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: int(value["N"]) if "N" in value else value.get("S") for name, value in item.items()}


def _json(value: Any) -> str:  # noqa: ANN401 - any JSON value
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
