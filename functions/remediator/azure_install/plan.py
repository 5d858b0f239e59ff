"""Say what is to be installed, and how its parts are named."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from remediator.catalogue.registry import all_fixes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DEPLOYMENT: Final = "remediator"
"""The name of the ARM deployment; what it was given and what it said is where later commands look."""

NAMESPACE: Final = uuid.UUID("6f3b5a52-95f5-4d4f-8f3a-0f2a3a1b7c55")


@dataclass(frozen=True, slots=True)
class Site:
    """Say where an installation is; everything that is outside its resource group is named after it."""

    subscription: str
    group: str

    @property
    def group_id(self) -> str:
        """Return the resource group's id."""
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"

    @property
    def key(self) -> str:
        """Return twelve characters that no other installation has."""
        return hashlib.sha256(self.group_id.lower().encode()).hexdigest()[:12]

    def id_of(self, *parts: str) -> str:
        """Return an id that is always the same for the same thing of this installation."""
        return str(uuid.uuid5(NAMESPACE, "|".join([self.group_id.lower(), *(part.lower() for part in parts)])))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Say what is to be installed. `operator_type` is `User` or `ServicePrincipal`; `settings` go to the template."""

    site: Site
    location: str
    reader: str
    operator: str
    operator_type: str
    scopes: Sequence[str]
    fixes: Sequence[str]
    settings: Mapping[str, Any]

    def reaches_itself(self) -> bool:
        """Tell whether the roles reach the deployment's own resource group, which Azure can't leave out of a scope."""
        return any(scope.count("/") == 2 for scope in self.scopes)  # noqa: PLR2004 - /subscriptions/<id>

    def objection(self) -> str | None:
        """Return why this can't be installed, or None."""
        home = f"/subscriptions/{self.site.subscription}".lower()
        for scope in self.scopes:
            if not f"{scope.lower()}/".startswith(f"{home}/"):
                return f"{scope} isn't in the subscription {self.site.subscription}: install once in each subscription"
            if scope.lower() == self.site.group_id.lower():
                return f"{scope} is where Remediator itself is: it never touches that"
        unknown = sorted(set(self.fixes) - {fix.id for fix in all_fixes("azure")})
        if unknown:
            return f"there is no fix {', '.join(unknown)}"
        if self.reader.lower() == self.operator.lower():
            return "reader and operator are the same principal, so the vendor could do what only the operator may"
        return None
