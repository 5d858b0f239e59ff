"""Know CloudWatch Logs' resource types."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from remediator.local.cloudformation.resource import (
    Live,
    Missing,
    Naming,
    ResourceType,
    Services,
    pick,
    tag_list,
    tag_map,
)

if TYPE_CHECKING:
    from remediator.local.cloudformation.values import Properties


class LogGroup(ResourceType):
    """A log group."""

    name: ClassVar[str] = "AWS::Logs::LogGroup"
    settable: ClassVar[frozenset[str]] = frozenset({"LogGroupName", "RetentionInDays", "KmsKeyId", "Tags"})
    replacing: ClassVar[frozenset[str]] = frozenset({"LogGroupName", "KmsKeyId"})

    def create(self, services: Services, naming: Naming, wanted: Properties) -> str:
        """Make the group; return its name."""
        logs = services.client("logs")
        name = str(wanted.get("LogGroupName") or naming.generate(512))
        options = {"kmsKeyId": wanted["KmsKeyId"]} if wanted.get("KmsKeyId") else {}
        logs.create_log_group(logGroupName=name, tags=tag_map(wanted.get("Tags")), **options)
        self._retain(services, name, {}, wanted)
        return name

    def update(self, services: Services, physical_id: str, before: Properties, wanted: Properties) -> None:
        """Change how long it keeps its events."""
        self._retain(services, physical_id, before, wanted)

    def delete(self, services: Services, physical_id: str, properties: Properties) -> None:
        """Remove it with its events."""
        del properties
        services.client("logs").delete_log_group(logGroupName=physical_id)

    def read(self, services: Services, physical_id: str, properties: Properties) -> Live:
        """Read the group and its tags."""
        del properties
        logs = services.client("logs")
        groups = logs.describe_log_groups(logGroupNamePrefix=physical_id)["logGroups"]
        group = next((one for one in groups if one["logGroupName"] == physical_id), None)
        if group is None:
            raise Missing(f"log group {physical_id} doesn't exist")
        arn = str(group["arn"]).removesuffix(":*")
        seen = {
            "LogGroupName": physical_id,
            "RetentionInDays": group.get("retentionInDays"),
            "KmsKeyId": group.get("kmsKeyId"),
            "Tags": tag_list(logs.list_tags_log_group(logGroupName=physical_id)["tags"]),
        }
        return Live(seen, {"Arn": f"{arn}:*"})

    @staticmethod
    def _retain(services: Services, name: str, before: Properties, wanted: Properties) -> None:
        logs = services.client("logs")
        if pick(wanted, ("RetentionInDays",)):
            logs.put_retention_policy(logGroupName=name, retentionInDays=int(wanted["RetentionInDays"]))
        elif pick(before, ("RetentionInDays",)):
            logs.delete_retention_policy(logGroupName=name)
