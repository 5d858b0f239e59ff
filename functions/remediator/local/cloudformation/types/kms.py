"""Know KMS's resource types."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from remediator.local.cloudformation.comparison import identical
from remediator.local.cloudformation.resource import Live, Missing, Naming, ResourceType, Services, missing_if, pick

if TYPE_CHECKING:
    from remediator.local.cloudformation.resource import Client
    from remediator.local.cloudformation.values import Properties, Value


class Key(ResourceType):
    """A customer managed key."""

    name: ClassVar[str] = "AWS::KMS::Key"
    settable: ClassVar[frozenset[str]] = frozenset(
        (
            *("KeyPolicy", "Description", "Enabled", "EnableKeyRotation", "RotationPeriodInDays", "Tags"),
            *("KeySpec", "KeyUsage", "MultiRegion"),
        )
    )
    replacing: ClassVar[frozenset[str]] = frozenset({"KeySpec", "KeyUsage", "MultiRegion"})

    def create(self, services: Services, naming: Naming, wanted: Properties) -> str:
        """Make the key; return its id."""
        del naming
        kms = services.client("kms")
        options = pick(wanted, ("Description", "KeySpec", "KeyUsage", "MultiRegion"))
        if "KeyPolicy" in wanted:
            options["Policy"] = json.dumps(wanted["KeyPolicy"])
        if "Tags" in wanted:
            options["Tags"] = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in wanted["Tags"]]
        key = str(kms.create_key(**options)["KeyMetadata"]["KeyId"])
        self._switch(kms, key, {}, wanted)
        return key

    def update(self, services: Services, physical_id: str, before: Properties, wanted: Properties) -> None:
        """Change policy, description and switches."""
        kms = services.client("kms")
        if "KeyPolicy" in wanted:
            kms.put_key_policy(KeyId=physical_id, PolicyName="default", Policy=json.dumps(wanted["KeyPolicy"]))
        kms.update_key_description(KeyId=physical_id, Description=wanted.get("Description", ""))
        self._switch(kms, physical_id, before, wanted)

    def delete(self, services: Services, physical_id: str, properties: Properties) -> None:
        """Schedule its deletion."""
        del properties
        services.client("kms").schedule_key_deletion(KeyId=physical_id, PendingWindowInDays=30)

    def read(self, services: Services, physical_id: str, properties: Properties) -> Live:
        """Read metadata, policy, rotation and tags."""
        del properties
        kms = services.client("kms")
        with missing_if("NotFoundException"):
            key = kms.describe_key(KeyId=physical_id)["KeyMetadata"]
        if key["KeyState"] == "PendingDeletion":
            raise Missing(f"key {physical_id} is pending deletion")
        rotation = kms.get_key_rotation_status(KeyId=physical_id)
        seen: dict[str, Any] = {
            "KeyPolicy": json.loads(kms.get_key_policy(KeyId=physical_id, PolicyName="default")["Policy"]),
            "Description": key.get("Description", ""),
            "Enabled": key["Enabled"],
            "EnableKeyRotation": rotation["KeyRotationEnabled"],
            "RotationPeriodInDays": rotation.get("RotationPeriodInDays"),
            **pick(key, ("KeySpec", "KeyUsage", "MultiRegion")),
            "Tags": [
                {"Key": tag["TagKey"], "Value": tag["TagValue"]}
                for tag in kms.list_resource_tags(KeyId=physical_id)["Tags"]
            ],
        }
        return Live(seen, {"Arn": key["Arn"], "KeyId": key["KeyId"]})

    def agrees(self, services: Services, name: str, wanted: Value, live: Value) -> bool:
        """Compare the policy to the letter."""
        if name == "KeyPolicy":
            return identical(wanted, live)
        return super().agrees(services, name, wanted, live)

    @staticmethod
    def _switch(kms: Client, key: str, before: Properties, wanted: Properties) -> None:
        if wanted.get("EnableKeyRotation"):
            kms.enable_key_rotation(KeyId=key, **pick(wanted, ("RotationPeriodInDays",)))
        elif before.get("EnableKeyRotation"):
            kms.disable_key_rotation(KeyId=key)
        if wanted.get("Enabled") is False:
            kms.disable_key(KeyId=key)
        elif before.get("Enabled") is False:
            kms.enable_key(KeyId=key)


class Alias(ResourceType):
    """A key's name."""

    name: ClassVar[str] = "AWS::KMS::Alias"
    settable: ClassVar[frozenset[str]] = frozenset({"AliasName", "TargetKeyId"})
    replacing: ClassVar[frozenset[str]] = frozenset({"AliasName"})

    def create(self, services: Services, naming: Naming, wanted: Properties) -> str:
        """Make the alias; return its name."""
        del naming
        services.client("kms").create_alias(AliasName=wanted["AliasName"], TargetKeyId=wanted["TargetKeyId"])
        return str(wanted["AliasName"])

    def update(self, services: Services, physical_id: str, before: Properties, wanted: Properties) -> None:
        """Point it elsewhere."""
        del before
        services.client("kms").update_alias(AliasName=physical_id, TargetKeyId=wanted["TargetKeyId"])

    def delete(self, services: Services, physical_id: str, properties: Properties) -> None:
        """Remove it."""
        del properties
        services.client("kms").delete_alias(AliasName=physical_id)

    def read(self, services: Services, physical_id: str, properties: Properties) -> Live:
        """Read what key it names; in the template's way, which may be an ARN."""
        del properties
        aliases = services.client("kms").list_aliases()["Aliases"]
        for alias in aliases:
            if alias["AliasName"] == physical_id:
                return Live({"AliasName": physical_id, "TargetKeyId": alias["TargetKeyId"]})
        raise Missing(f"alias {physical_id} doesn't exist")

    def agrees(self, services: Services, name: str, wanted: Value, live: Value) -> bool:
        """Compare the key by its id: a template may give its ARN."""
        if name == "TargetKeyId":
            return str(wanted).rpartition("/")[2] == str(live).rpartition("/")[2]
        return super().agrees(services, name, wanted, live)
