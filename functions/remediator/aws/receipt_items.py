"""Turn execution records and findings into DynamoDB items and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from remediator.service.stored import asked_of, finding_fields, finding_of, record_fields, record_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.service.records import Finding, Mode, Record


def record_item(record: Record, retention: int) -> dict[str, Any]:
    """Return an execution record's item; `retention` is in seconds."""
    return _item(record.id, "record", record_fields(record), record.created_at + retention)


def record_from(item: Mapping[str, Any]) -> Record:
    """Return the execution record of an item."""
    return record_of(item["pk"]["S"], _values(item))


def finding_item(finding: Finding, record: Record, retention: int) -> dict[str, Any]:
    """Return a finding's item, which expires with its record."""
    key = f"finding/{finding.index:04}"
    return _item(finding.remediation, key, finding_fields(finding, record), record.created_at + retention)


def finding_from(item: Mapping[str, Any]) -> Finding:
    """Return the finding of an item."""
    return finding_of(item["pk"]["S"], _values(item))


def asked_from(item: Mapping[str, Any]) -> tuple[str, Mode]:
    """Return who asked for the finding of an item, and in which mode."""
    return asked_of(_values(item))


def item_size(item: Mapping[str, Any]) -> int:
    """Return an item's size in bytes, never less than what DynamoDB counts."""
    return len(json.dumps(item, ensure_ascii=False).encode())


def _item(remediation: str, key: str, fields: Mapping[str, str | int], expires_at: int) -> dict[str, Any]:
    values = {"pk": remediation, "sk": key, **fields, "expires_at": expires_at}
    return {name: {"N": str(value)} if isinstance(value, int) else {"S": value} for name, value in values.items()}


def _values(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: int(value["N"]) if "N" in value else value.get("S") for name, value in item.items()}
