"""Know DynamoDB's resource types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from remediator.local.cloudformation.resource import (
    Live,
    Naming,
    ResourceType,
    Services,
    missing_if,
    pick,
    tag_list,
    tag_map,
)

if TYPE_CHECKING:
    from remediator.local.cloudformation.resource import Client
    from remediator.local.cloudformation.values import Properties

_ON_CREATION = (
    *("AttributeDefinitions", "BillingMode", "DeletionProtectionEnabled", "GlobalSecondaryIndexes", "KeySchema"),
    *("LocalSecondaryIndexes", "ProvisionedThroughput", "TableClass", "Tags"),
)
_CHANGEABLE = (
    "AttributeDefinitions",
    "BillingMode",
    "DeletionProtectionEnabled",
    "ProvisionedThroughput",
    "TableClass",
)


class Table(ResourceType):
    """A table."""

    name: ClassVar[str] = "AWS::DynamoDB::Table"
    settable: ClassVar[frozenset[str]] = frozenset(
        (
            *_ON_CREATION,
            *("PointInTimeRecoverySpecification", "SSESpecification", "TableName", "TimeToLiveSpecification"),
        )
    )
    replacing: ClassVar[frozenset[str]] = frozenset({"TableName", "KeySchema", "LocalSecondaryIndexes"})

    def create(self, services: Services, naming: Naming, wanted: Properties) -> str:
        """Make the table; return its name."""
        dynamodb = services.client("dynamodb")
        name = str(wanted.get("TableName") or naming.generate(255))
        options = pick(wanted, _ON_CREATION)
        if "SSESpecification" in wanted:
            options["SSESpecification"] = _encryption(wanted["SSESpecification"])
        dynamodb.create_table(TableName=name, **options)
        self._continue(dynamodb, name, {}, wanted)
        return name

    def update(self, services: Services, physical_id: str, before: Properties, wanted: Properties) -> None:
        """Change what can be changed."""
        dynamodb = services.client("dynamodb")
        options = {name: wanted[name] for name in _CHANGEABLE if name in wanted and wanted[name] != before.get(name)}
        if before.get("DeletionProtectionEnabled") and "DeletionProtectionEnabled" not in wanted:
            options["DeletionProtectionEnabled"] = False
        if wanted.get("SSESpecification") != before.get("SSESpecification"):
            options["SSESpecification"] = _encryption(wanted.get("SSESpecification", {"SSEEnabled": False}))
        if options:
            dynamodb.update_table(TableName=physical_id, **options)
        self._continue(dynamodb, physical_id, before, wanted)
        if wanted.get("Tags") != before.get("Tags"):
            arn = dynamodb.describe_table(TableName=physical_id)["Table"]["TableArn"]
            gone = sorted(tag_map(before.get("Tags")).keys() - tag_map(wanted.get("Tags")).keys())
            dynamodb.untag_resource(ResourceArn=arn, TagKeys=gone)
            dynamodb.tag_resource(ResourceArn=arn, Tags=list(wanted.get("Tags", ())))

    def delete(self, services: Services, physical_id: str, properties: Properties) -> None:
        """Remove it with its items."""
        del properties
        services.client("dynamodb").delete_table(TableName=physical_id)

    def read(self, services: Services, physical_id: str, properties: Properties) -> Live:
        """Read the table, its backups, its expiry and its tags."""
        del properties
        dynamodb = services.client("dynamodb")
        with missing_if("ResourceNotFoundException"):
            table = dynamodb.describe_table(TableName=physical_id)["Table"]
        backups = dynamodb.describe_continuous_backups(TableName=physical_id)["ContinuousBackupsDescription"]
        recovery = backups.get("PointInTimeRecoveryDescription", {})
        expiry = dynamodb.describe_time_to_live(TableName=physical_id)["TimeToLiveDescription"]
        billing = table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED")
        seen: dict[str, Any] = {
            **pick(table, ("AttributeDefinitions", "GlobalSecondaryIndexes", "KeySchema", "LocalSecondaryIndexes")),
            **pick(table, ("DeletionProtectionEnabled", "ProvisionedThroughput", "TableName")),
            "BillingMode": billing,
            "TableClass": table.get("TableClassSummary", {}).get("TableClass", "STANDARD"),
            "SSESpecification": _shown_encryption(table.get("SSEDescription", {})),
            "PointInTimeRecoverySpecification": {
                "PointInTimeRecoveryEnabled": recovery.get("PointInTimeRecoveryStatus") == "ENABLED",
                **pick(recovery, ("RecoveryPeriodInDays",)),
            },
            "TimeToLiveSpecification": {
                "Enabled": expiry["TimeToLiveStatus"] == "ENABLED",
                **pick(expiry, ("AttributeName",)),
            },
            "Tags": tag_list(tag_map(dynamodb.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"])),
        }
        return Live(seen, {"Arn": table["TableArn"]})

    @staticmethod
    def _continue(dynamodb: Client, name: str, before: Properties, wanted: Properties) -> None:
        recovery = wanted.get("PointInTimeRecoverySpecification")
        if recovery != before.get("PointInTimeRecoverySpecification"):
            setting = recovery or {"PointInTimeRecoveryEnabled": False}
            dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=setting)
        expiry, earlier = wanted.get("TimeToLiveSpecification"), before.get("TimeToLiveSpecification")
        if expiry != earlier:
            setting = expiry or {**(earlier or {}), "Enabled": False}
            dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=setting)


def _encryption(specification: Properties) -> dict[str, Any]:
    return {"Enabled": specification["SSEEnabled"], **pick(specification, ("SSEType", "KMSMasterKeyId"))}


def _shown_encryption(description: Properties) -> dict[str, Any]:
    shown = {"SSEEnabled": description.get("Status") == "ENABLED", **pick(description, ("SSEType",))}
    if description.get("KMSMasterKeyArn"):
        shown["KMSMasterKeyId"] = description["KMSMasterKeyArn"]
    return shown
