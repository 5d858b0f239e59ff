"""Match paths against routes as the Functions host does, which has them from ASP.NET.

https://learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook-trigger#customize-the-http-endpoint
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from remediator.local.azure.apps.settings import BadApp

if TYPE_CHECKING:
    from collections.abc import Sequence

_PARAMETER: Final = re.compile(r"\{(\*{0,2})(\w+)(?::(\w+))?(\?)?\}")
_CONSTRAINTS: Final = {
    None: r"[^/]+",
    "int": r"-?\d{1,10}",
    "long": r"-?\d{1,19}",
    "alpha": r"[A-Za-z]+",
    "bool": r"(?i:true|false)",
    "guid": r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}",
}


@dataclass(frozen=True, slots=True)
class Route:
    """Hold one HTTP function's route; no `methods` means all of them. `level` is who may call it."""

    function: str
    template: str
    pattern: re.Pattern[str]
    methods: frozenset[str]
    level: str

    def params(self, method: str, path: str) -> dict[str, str] | None:
        """Return the route's parameters if it is the path's, else None."""
        match = self.pattern.fullmatch(path.strip("/"))
        if match is None or (self.methods and method not in self.methods):
            return None
        return {name: value for name, value in match.groupdict().items() if value is not None}


def route(function: str, template: str | None, prefix: str, methods: Sequence[str], level: str) -> Route:
    """Compile a route, the function's name by default; raises `BadApp` for what isn't understood."""
    whole = "/".join(part for part in (prefix, (function if template is None else template).strip("/")) if part)
    wanted = frozenset(str(method).upper() for method in methods)
    return Route(function, whole, re.compile(_pattern(whole), re.IGNORECASE), wanted, level.lower())


def ordered(routes: list[Route]) -> list[Route]:
    """Return routes in the order in which they are tried: the more literal first."""
    return sorted(routes, key=lambda one: ("{*" in one.template, one.template.count("{"), -len(one.template)))


def _pattern(template: str) -> str:
    pattern = ""
    for number, segment in enumerate(template.split("/")):
        slash = "/" if number else ""
        parameter = _PARAMETER.fullmatch(segment)
        if parameter is None and set(segment) & set("{}"):
            raise BadApp(f"route {template}: {segment} isn't one that the embedded host knows")
        if parameter is None:
            pattern += slash + re.escape(segment)
            continue
        star, name, constraint, optional = parameter.groups()
        if constraint not in _CONSTRAINTS:
            raise BadApp(f"route {template}: the constraint {constraint} isn't one that the embedded host knows")
        if star:
            pattern += f"(?:{slash}(?P<{name}>.*))?"
        else:
            one = f"{slash}(?P<{name}>{_CONSTRAINTS[constraint]})"
            pattern += f"(?:{one})?" if optional else one
    return pattern
