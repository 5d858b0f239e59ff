"""Repair what is one property of a resource, or of one of its children: read a path, PATCH a path."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from remediator.catalogue.spec import JSON, Fix, NoParameters

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remediator.catalogue.azure.arm import Arm
    from remediator.catalogue.azure.resources import ResourceId
    from remediator.catalogue.spec import Target


class Property(Fix["Arm", JSON, NoParameters]):
    """Set a property to `wanted` where it is one of `offending`; any other value, stricter or unknown, stays."""

    target: ClassVar[ResourceId]
    child: ClassVar[str] = ""
    """The path from the target to the child that has the property, such as `/config/web`."""
    path: ClassVar[Sequence[str]]
    """The names that lead to the property."""
    unset: ClassVar[JSON]
    """What the property means where Azure shows none."""
    offending: ClassVar[Sequence[JSON]]
    wanted: ClassVar[JSON]

    def read(self, client: Arm, target: Target) -> JSON:
        """Return the property now."""
        found = dug(client.get(target.id + self.child, api=self.target.api), self.path)
        return self.unset if found is None else found

    def desired(self, current: JSON, parameters: NoParameters) -> JSON:  # noqa: ARG002 - takes none
        """Return what is wanted in place of what offends."""
        return self.wanted if current in self.offending else current

    def write(self, client: Arm, target: Target, before: JSON, after: JSON) -> None:  # noqa: ARG002 - a PATCH replaces
        """PATCH the property and nothing else."""
        client.patch(target.id + self.child, nested(self.path, after), api=self.target.api)


def dug(body: Mapping[str, JSON], path: Sequence[str]) -> JSON:
    """Return what stands at a path in a resource, or None."""
    found: JSON = body
    for name in path:
        found = (found or {}).get(name)
    return found


def nested(path: Sequence[str], value: JSON) -> dict[str, JSON]:
    """Return a body that has a value at a path, and nothing else."""
    body: JSON = value
    for name in reversed(path):
        body = {name: body}
    filled: dict[str, JSON] = body
    return filled
