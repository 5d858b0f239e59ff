"""Compare two states of a setting, path by path."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediator.catalogue.spec import JSON


class Kind(Enum):
    """Say what happened at a path."""

    ADDED = "+"
    REMOVED = "-"
    CHANGED = "~"


@dataclass(frozen=True, slots=True)
class Line:
    """Hold one difference; `before` is None where it was added, `after` where it was removed."""

    kind: Kind
    path: str
    before: JSON
    after: JSON

    def document(self) -> dict[str, JSON]:
        """Return the line as a JSON object."""
        return {"kind": self.kind.name.lower(), "path": self.path, "before": self.before, "after": self.after}


def differences(before: JSON, after: JSON) -> list[Line]:
    """Return what changes from one state to the other; lists are compared as what is in them, not where."""
    return list(_walk("", before, after))


def _walk(path: str, before: JSON, after: JSON) -> Iterator[Line]:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name in [*before, *(name for name in after if name not in before)]:
            yield from _member(f"{path}.{name}" if path else name, name, before, after)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _lists(path, before, after)
    elif before is None:
        yield Line(Kind.ADDED, path, None, after)
    elif after is None:
        yield Line(Kind.REMOVED, path, before, None)
    else:
        yield Line(Kind.CHANGED, path, before, after)


def _member(path: str, name: str, before: dict[str, JSON], after: dict[str, JSON]) -> Iterator[Line]:
    if name not in before:
        yield Line(Kind.ADDED, path, None, after[name])
    elif name not in after:
        yield Line(Kind.REMOVED, path, before[name], None)
    else:
        yield from _walk(path, before[name], after[name])


def _lists(path: str, before: list[JSON], after: list[JSON]) -> Iterator[Line]:
    gone, come = _without(before, after), _without(after, before)
    if not gone and not come:
        yield Line(Kind.CHANGED, path, before, after)
    yield from (Line(Kind.REMOVED, f"{path}[]", one, None) for one in gone)
    yield from (Line(Kind.ADDED, f"{path}[]", None, one) for one in come)


def _without(these: list[JSON], those: list[JSON]) -> list[JSON]:
    """Return the elements of one list that the other hasn't, each as often as it has it less."""
    left = [json.dumps(one, sort_keys=True) for one in those]
    kept = []
    for one in these:
        text = json.dumps(one, sort_keys=True)
        if text in left:
            left.remove(text)
        else:
            kept.append(one)
    return kept
