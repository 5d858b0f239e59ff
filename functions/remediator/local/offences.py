"""Tell what is wrong in an account from what is right in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.vendor.findings import Finding


@dataclass(frozen=True, slots=True)
class Offence:
    """Hold something that is wrong, and the finding that a scanner would send about it."""

    what: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class Innocent:
    """Hold something that is right, and the fix whose `read` shows its setting."""

    what: str
    fix: str
    target: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Mess:
    """Hold what was made."""

    offences: tuple[Offence, ...]
    innocents: tuple[Innocent, ...]


Made: TypeAlias = tuple[list[Offence], list[Innocent]]
"""What one maker made of a mess."""
