"""Know the types of resources, the versions and methods they are spoken to in, and what requests may say."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from remediator.local.azure.arm.refusals import ArmRefusal, bad_request
from remediator.local.azure.arm.shapes import Shapes

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE: Final = Path(__file__).parent / "description.json"
"""Cut from Azure's own descriptions; it says which. `tests/local/azure/arm/cutting.py` makes it."""

ID: Final = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/[^/]+/providers/(?P<provider>[^/]+)(?P<named>(?:/[^/]+/[^/]+)+)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ResourceType:
    """Describe one type of resources: `methods` has the shape of each method's body, None where it has none."""

    name: str
    api: str
    methods: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Located:
    """Say what a path names: `key` is the id in lower case, `parent` that of what it is part of, if of anything."""

    type: ResourceType
    subscription: str
    path: str
    parent: str | None

    @property
    def key(self) -> str:
        """Return what the resource is kept under: ids don't tell upper case from lower."""
        return self.path.lower()


@cache
def shapes() -> Shapes:
    """Return the shapes of all bodies."""
    return Shapes(_loaded()["shapes"])


@cache
def types() -> Mapping[str, ResourceType]:
    """Return the types by their names in lower case."""
    described = _loaded()["types"]
    return {name.lower(): ResourceType(name, one["api"], one["methods"]) for name, one in described.items()}


def locate(path: str) -> Located:
    """Return what a path names; raise `ArmRefusal` for what doesn't exist, or not here."""
    found = ID.fullmatch(path)
    if found is None:
        raise ArmRefusal(HTTPStatus.NOT_FOUND, "NotFound", f"The resource path '{path}' isn't the id of a resource.")
    parts = found["named"].strip("/").split("/")
    name = "/".join((found["provider"], *parts[::2]))
    kind = types().get(name.lower())
    if kind is None:
        message = (
            f"The resource type '{'/'.join(parts[::2])}' could not be found in the namespace '{found['provider']}'."
        )
        raise ArmRefusal(HTTPStatus.NOT_FOUND, "InvalidResourceType", message)
    parent = "/".join(path.split("/")[:-2]) if len(parts) > 2 else None  # noqa: PLR2004 - a type, a name
    return Located(kind, found["subscription"], path, parent.lower() if parent else None)


def demand_version(kind: ResourceType, query: Mapping[str, str]) -> None:
    """Return if a request is in the version that is spoken here, else raise `ArmRefusal`."""
    version = query.get("api-version")
    if not version:
        message = "The api-version query parameter (?api-version=) is required for all requests."
        raise bad_request("MissingApiVersionParameter", message)
    if version != kind.api:
        provider, _, short = kind.name.partition("/")
        message = (
            f"No registered resource provider found for API version '{version}' for type '{short}' of {provider}. "
            f"The supported api-versions are '{kind.api}'."
        )
        raise bad_request("NoRegisteredProviderFound", message)


@cache
def _loaded() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(FILE.read_bytes())
    return loaded
