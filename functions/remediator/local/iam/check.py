"""Say what one API call needs: actions on resources, with the context that only this call has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Values = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True, slots=True)
class Check:
    """Hold one action on one resource; `*` as the resource means that the action has none."""

    action: str
    resource: str = "*"
    context: Values = field(default_factory=dict)
