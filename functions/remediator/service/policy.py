"""Hold what the customer's policy forbids, by rules that have names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from remediator.catalogue.spec import Tags
from remediator.service.records import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.catalogue.spec import Fix, Target


@dataclass(frozen=True, slots=True)
class Policy:
    """Hold the customer's own restrictions; they come on top of the deployment's, and can't widen it.

    None allows all, an empty set allows nothing. `exclude` are patterns of the cloud's own names, in which `*` stands
    for any characters; `exclude_tags` are tags' keys, or keys and values as `key=value`. In none of them upper case is
    told from lower. `fault` says why the stored policy can't be read: then nothing is allowed.
    """

    plan_only: bool = False
    fixes: frozenset[str] | None = None
    regions: frozenset[str] | None = None
    resource_groups: frozenset[str] | None = None
    exclude: tuple[str, ...] = ()
    exclude_tags: tuple[str, ...] = ()
    findings_per_day: int | None = None
    fault: str | None = None

    def objection(self, fix: Fix[Any, Any, Any], target: Target, *, write: bool) -> Reason | None:
        """Return why the policy forbids this, as far as that is known without asking the cloud; or None."""
        return (
            self._broken()
            or self._planning(write=write)
            or self._disabled(fix)
            or self._elsewhere(target)
            or self._excluded(target)
            or self._hidden(fix)
        )

    def asks_tags(self, fix: Fix[Any, Any, Any]) -> bool:
        """Tell whether tags must be read before this fix may look at a target."""
        return bool(self.exclude_tags) and fix.target.tags is Tags.SHOWN

    def objection_to(self, tags: Mapping[str, str]) -> Reason | None:
        """Return why the policy forbids what has these tags, or None."""
        found = {text for key, value in tags.items() for text in (key.casefold(), f"{key}={value}".casefold())}
        for excluded in self.exclude_tags:
            if excluded.casefold() in found:
                return Reason("policy_excluded_tag", f"The customer's policy excludes what has the tag {excluded}.")
        return None

    def _broken(self) -> Reason | None:
        if self.fault is not None:
            return Reason("policy_broken", "The customer's stored policy can't be read, so it allows nothing.")
        return None

    def _planning(self, *, write: bool) -> Reason | None:
        if self.plan_only and write:
            return Reason("policy_plan_only", "The customer's policy allows nothing but plans.")
        return None

    def _disabled(self, fix: Fix[Any, Any, Any]) -> Reason | None:
        if self.fixes is not None and fix.id not in self.fixes:
            return Reason("policy_fix", f"The customer's policy doesn't enable {fix.id}.")
        return None

    def _elsewhere(self, target: Target) -> Reason | None:
        if self.regions is not None and target.region is not None and target.region not in self.regions:
            return Reason("policy_region", f"The customer's policy doesn't allow the region {target.region}.")
        if self.resource_groups is not None and target["group"].casefold() not in self.resource_groups:
            return Reason(
                "policy_resource_group", f"The customer's policy doesn't allow the resource group {target['group']}."
            )
        return None

    def _excluded(self, target: Target) -> Reason | None:
        for pattern in self.exclude:
            if _matches(target.id, pattern):
                return Reason("policy_excluded", f"The customer's policy excludes {pattern}.")
        return None

    def _hidden(self, fix: Fix[Any, Any, Any]) -> Reason | None:
        if self.exclude_tags and fix.target.tags is Tags.HIDDEN:
            return Reason(
                "policy_tags_unread",
                f"The customer's policy excludes by tag, and the tags of a {fix.target.title} can't be read.",
            )
        return None


UNRESTRICTED = Policy()


def _matches(name: str, pattern: str) -> bool:
    """Tell whether a name has a pattern's form; of the signs that stand for others there is but the star."""
    plain = re.sub(r"([?[])", r"[\1]", pattern)
    return fnmatchcase(name.casefold(), plain.casefold())
