"""Hold what a deployment says of a resource to what Azure's own schemas for templates let it say."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from remediator.local.azure.arm.refusals import ArmRefusal
from remediator.local.azure.arm.shapes import Shapes

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE: Final = Path(__file__).parent / "templates.json"
"""The types, each with the version that is spoken here and the shape of its body; the file names its source."""


def demand(kind: str, api: str, body: Mapping[str, Any]) -> None:
    """Return if a resource can be asked for so, else raise `ArmRefusal`: type, version, names, kinds of values."""
    described = described_types().get(kind.lower())
    if described is None:
        raise ArmRefusal(400, "InvalidTemplate", f"The embedded Azure doesn't know the type {kind}.")
    if api != described["api"]:
        what = (
            f"No registered resource provider found for API version '{api}' for type '{kind}'. The supported "
            f"api-versions are '{described['api']}'."
        )
        raise ArmRefusal(400, "NoRegisteredProviderFound", what)
    shapes().demand(body, described["shape"])


@cache
def described_types() -> Mapping[str, Any]:
    """Return the types by their names in lower case: version and shape."""
    return {name.lower(): one for name, one in _loaded()["types"].items()}


@cache
def shapes() -> Shapes:
    """Return the shapes of what the types have in common."""
    return Shapes(_loaded()["shapes"])


@cache
def _loaded() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(FILE.read_bytes())
    return loaded
