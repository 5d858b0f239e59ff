"""Know EventBridge's resource types."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from remediator.local.cloudformation.comparison import identical
from remediator.local.cloudformation.resource import Live, Naming, ResourceType, Services, missing_if, pick

if TYPE_CHECKING:
    from remediator.local.cloudformation.values import Properties, Value

_SETTINGS = ("Description", "State")


class Rule(ResourceType):
    """A rule on the default bus, with its targets."""

    name: ClassVar[str] = "AWS::Events::Rule"
    settable: ClassVar[frozenset[str]] = frozenset((*_SETTINGS, "Name", "EventPattern", "Targets"))
    replacing: ClassVar[frozenset[str]] = frozenset({"Name"})

    def create(self, services: Services, naming: Naming, wanted: Properties) -> str:
        """Make the rule; return its name."""
        name = str(wanted.get("Name") or naming.generate())
        self._put(services, name, wanted)
        return name

    def update(self, services: Services, physical_id: str, before: Properties, wanted: Properties) -> None:
        """Write its settings, and take away the targets that it has no more."""
        gone = {one["Id"] for one in before.get("Targets", ())} - {one["Id"] for one in wanted.get("Targets", ())}
        if gone:
            services.client("events").remove_targets(Rule=physical_id, Ids=sorted(gone))
        self._put(services, physical_id, wanted)

    def delete(self, services: Services, physical_id: str, properties: Properties) -> None:
        """Take its targets away, then the rule."""
        targets = [one["Id"] for one in properties.get("Targets", ())]
        if targets:
            services.client("events").remove_targets(Rule=physical_id, Ids=targets)
        services.client("events").delete_rule(Name=physical_id)

    def read(self, services: Services, physical_id: str, properties: Properties) -> Live:
        """Read its settings and targets."""
        del properties
        events = services.client("events")
        with missing_if("ResourceNotFoundException"):
            rule = events.describe_rule(Name=physical_id)
        targets = events.list_targets_by_rule(Rule=physical_id)["Targets"]
        seen = {**pick(rule, (*_SETTINGS, "Name")), "EventPattern": json.loads(rule["EventPattern"])}
        return Live({**seen, "Targets": targets}, {"Arn": rule["Arn"]})

    def agrees(self, services: Services, name: str, wanted: Value, live: Value) -> bool:
        """Compare the pattern to the letter."""
        if name == "EventPattern":
            return identical(wanted, live)
        return super().agrees(services, name, wanted, live)

    @staticmethod
    def _put(services: Services, name: str, wanted: Properties) -> None:
        options: dict[str, Any] = {"State": "ENABLED", **pick(wanted, _SETTINGS)}
        events = services.client("events")
        events.put_rule(Name=name, EventPattern=json.dumps(wanted["EventPattern"]), **options)
        if wanted.get("Targets"):
            events.put_targets(Rule=name, Targets=wanted["Targets"])
