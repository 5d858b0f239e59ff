"""Know EventBridge Scheduler's resource types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from remediator.local.cloudformation.resource import Live, Naming, ResourceType, Services, missing_if, pick
from remediator.local.cloudformation.values import Invalid
from remediator.local.expressions import parse

if TYPE_CHECKING:
    from remediator.local.cloudformation.values import Properties

# Start, end and time zone aren't settable: the embedded scheduler fires in UTC, for as long as the schedule stands.
_SETTINGS = ("Description", "FlexibleTimeWindow", "KmsKeyArn", "ScheduleExpression", "State", "Target")


class Schedule(ResourceType):
    """A schedule."""

    name: ClassVar[str] = "AWS::Scheduler::Schedule"
    settable: ClassVar[frozenset[str]] = frozenset((*_SETTINGS, "Name", "GroupName"))
    replacing: ClassVar[frozenset[str]] = frozenset({"Name", "GroupName"})

    def create(self, services: Services, naming: Naming, wanted: Properties) -> str:
        """Make the schedule; return its name."""
        name = str(wanted.get("Name") or naming.generate())
        options = _options(wanted)
        services.client("scheduler").create_schedule(Name=name, **options)
        return name

    def update(self, services: Services, physical_id: str, before: Properties, wanted: Properties) -> None:
        """Write all its settings."""
        del before
        services.client("scheduler").update_schedule(Name=physical_id, **_options(wanted))

    def delete(self, services: Services, physical_id: str, properties: Properties) -> None:
        """Remove it."""
        group = pick(properties, ("GroupName",))
        services.client("scheduler").delete_schedule(Name=physical_id, **group)

    def read(self, services: Services, physical_id: str, properties: Properties) -> Live:
        """Read its settings."""
        group = pick(properties, ("GroupName",))
        with missing_if("ResourceNotFoundException"):
            schedule = services.client("scheduler").get_schedule(Name=physical_id, **group)
        return Live(pick(schedule, (*_SETTINGS, "Name", "GroupName")), {"Arn": schedule["Arn"]})


def _options(wanted: Properties) -> dict[str, Any]:
    if wanted["FlexibleTimeWindow"].get("Mode") != "OFF":
        raise Invalid("the embedded scheduler fires on time: FlexibleTimeWindow must be OFF")
    parse(wanted["ScheduleExpression"])
    return {"State": "ENABLED", **pick(wanted, (*_SETTINGS, "GroupName"))}
