"""Refuse what is outside the deployment's scope, by a rule that has a name."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from remediator.catalogue.spec import OneWay
from remediator.service.records import Reason

if TYPE_CHECKING:
    from remediator.catalogue.spec import Fix, Home, Target


@dataclass(frozen=True, slots=True)
class Scope:
    """Hold what the deployment was told to touch.

    `own` are patterns of its own resources' names; `within` are patterns of the names that it may touch at all.
    """

    home: Home
    regions: frozenset[str]
    fixes: frozenset[str]
    own: tuple[str, ...]
    within: tuple[str, ...] = ("*",)

    def objection(self, fix: Fix[Any, Any, Any], target: Target, *, acknowledged: bool) -> Reason | None:
        """Return why this fix must not touch this target, or None."""
        return (
            self._foreign(target)
            or self._own(target)
            or self._outside(target)
            or self._disabled(fix)
            or self._elsewhere(target)
            or _irreversible(fix, acknowledged=acknowledged)
        )

    def _foreign(self, target: Target) -> Reason | None:
        if target.partition != self.home.partition:
            return Reason("other_partition", f"The deployment works in the partition {self.home.partition} only.")
        if target.account != self.home.account:
            return Reason("other_account", f"The deployment works in the account {self.home.account} only.")
        return None

    def _own(self, target: Target) -> Reason | None:
        if _matches(target, self.own):
            return Reason("own_resource", "The deployment never touches its own resources.")
        return None

    def _outside(self, target: Target) -> Reason | None:
        if not _matches(target, self.within):
            return Reason("out_of_scope", "The customer's deployment isn't given this part of the account.")
        return None

    def _disabled(self, fix: Fix[Any, Any, Any]) -> Reason | None:
        if fix.id not in self.fixes:
            return Reason("fix_not_enabled", f"The customer's deployment doesn't enable {fix.id}.")
        return None

    def _elsewhere(self, target: Target) -> Reason | None:
        if target.region is not None and target.region not in self.regions:
            return Reason("region_not_allowed", f"The customer's deployment doesn't allow the region {target.region}.")
        return None


def _matches(target: Target, patterns: tuple[str, ...]) -> bool:
    name = target.id.lower()
    return any(fnmatchcase(name, pattern.lower()) for pattern in patterns)


def _irreversible(fix: Fix[Any, Any, Any], *, acknowledged: bool) -> Reason | None:
    if isinstance(fix, OneWay) and not acknowledged:
        return Reason("irreversible", f"This can't be undone: {fix.why} Send acknowledge_irreversible to go on.")
    return None
