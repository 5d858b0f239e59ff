"""Turn execution records and findings into entities of Table Storage and back. Long texts are cut into parts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from remediator.service.stored import finding_fields, finding_of, record_fields, record_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.service.records import Finding, Record

PART: Final = 16_000
"""Characters in one property: Table Storage takes 64 KiB of UTF-16, and a character may be two units of it."""

_LONG: Final = ("before", "after", "target", "parameters", "calls", "reason")


def record_entity(record: Record, retention: int) -> dict[str, Any]:
    """Return an execution record's entity; `retention` is in seconds."""
    return {
        "PartitionKey": record.id,
        "RowKey": "record",
        **record_fields(record),
        "expires_at": record.created_at + retention,
    }


def record_from(entity: Mapping[str, Any]) -> Record:
    """Return the execution record of an entity."""
    return record_of(entity["PartitionKey"], entity)


def finding_entity(finding: Finding, record: Record, retention: int) -> dict[str, Any]:
    """Return a finding's entity, which expires with its record."""
    fields = finding_fields(finding, record)
    parts = {
        f"{name}{number}": str(fields[name])[start : start + PART]
        for name in _LONG
        if name in fields
        for number, start in enumerate(range(0, len(str(fields[name])), PART))
    }
    return {
        "PartitionKey": finding.remediation,
        "RowKey": f"finding-{finding.index:04}",
        **{name: value for name, value in fields.items() if name not in _LONG},
        **parts,
        "expires_at": record.created_at + retention,
    }


def finding_from(entity: Mapping[str, Any]) -> Finding:
    """Return the finding of an entity."""
    whole = {name: _joined(entity, name) for name in _LONG if f"{name}0" in entity}
    return finding_of(entity["PartitionKey"], {**entity, **whole})


def settled(entity: Mapping[str, Any], outcome: str) -> dict[str, Any]:
    """Return a finding's entity with another outcome, which needs none of the parts of the reason it had."""
    return {name: value for name, value in entity.items() if not name.startswith("reason")} | {"outcome": outcome}


def entity_size(entity: Mapping[str, Any]) -> int:
    """Return an entity's size in bytes as it is sent, never less than what Table Storage counts."""
    return len(json.dumps(entity)) + 1_000


def _joined(entity: Mapping[str, Any], name: str) -> str:
    parts, number = [], 0
    while f"{name}{number}" in entity:
        parts.append(str(entity[f"{name}{number}"]))
        number += 1
    return "".join(parts)
