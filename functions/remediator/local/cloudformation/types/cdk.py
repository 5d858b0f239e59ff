"""Know CDK's own resource type."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from remediator.local.cloudformation.resource import Live, Naming, ResourceType, Services

if TYPE_CHECKING:
    from remediator.local.cloudformation.values import Properties


class Metadata(ResourceType):
    """What CDK notes about the app: no service keeps it, so there is nothing to make and nothing to read back."""

    name: ClassVar[str] = "AWS::CDK::Metadata"
    settable: ClassVar[frozenset[str]] = frozenset({"Analytics"})

    def create(self, services: Services, naming: Naming, wanted: Properties) -> str:
        """Return a physical id."""
        del services, wanted
        return naming.generate()

    def update(self, services: Services, physical_id: str, before: Properties, wanted: Properties) -> None:
        """Do nothing: there is nothing."""

    def delete(self, services: Services, physical_id: str, properties: Properties) -> None:
        """Do nothing: there is nothing."""

    def read(self, services: Services, physical_id: str, properties: Properties) -> Live:
        """Return what the template says: it exists nowhere else."""
        del services, physical_id
        return Live(dict(properties))
