"""Know Systems Manager's resource types."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from remediator.local.cloudformation.resource import Live, Missing, Naming, ResourceType, Services, missing_if, pick

if TYPE_CHECKING:
    from remediator.local.cloudformation.values import Properties


class Parameter(ResourceType):
    """A parameter."""

    name: ClassVar[str] = "AWS::SSM::Parameter"
    settable: ClassVar[frozenset[str]] = frozenset({"Name", "Type", "Value", "Description"})
    replacing: ClassVar[frozenset[str]] = frozenset({"Name"})

    def create(self, services: Services, naming: Naming, wanted: Properties) -> str:
        """Make the parameter; return its name."""
        name = str(wanted.get("Name") or naming.generate(128))
        options = pick(wanted, ("Type", "Value", "Description"))
        services.client("ssm").put_parameter(Name=name, **options)
        return name

    def update(self, services: Services, physical_id: str, before: Properties, wanted: Properties) -> None:
        """Write a new version."""
        del before
        options = pick(wanted, ("Type", "Value", "Description"))
        services.client("ssm").put_parameter(Name=physical_id, Overwrite=True, **options)

    def delete(self, services: Services, physical_id: str, properties: Properties) -> None:
        """Remove it."""
        del properties
        services.client("ssm").delete_parameter(Name=physical_id)

    def read(self, services: Services, physical_id: str, properties: Properties) -> Live:
        """Read the value and what describes it."""
        del properties
        ssm = services.client("ssm")
        with missing_if("ParameterNotFound"):
            parameter = ssm.get_parameter(Name=physical_id)["Parameter"]
        filters = [{"Key": "Name", "Option": "Equals", "Values": [physical_id]}]
        described = ssm.describe_parameters(ParameterFilters=filters)["Parameters"]
        if not described:
            raise Missing(f"parameter {physical_id} can't be described")
        seen = {
            "Name": parameter["Name"],
            "Type": parameter["Type"],
            "Value": parameter["Value"],
            "Description": described[0].get("Description", ""),
        }
        return Live(seen, {"Type": parameter["Type"], "Value": parameter["Value"]})
