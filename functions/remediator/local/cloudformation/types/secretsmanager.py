"""Know Secrets Manager's resource types."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from remediator.local.cloudformation.resource import (
    Live,
    Missing,
    Naming,
    ResourceType,
    Services,
    missing_if,
    pick,
    tag_list,
    tag_map,
)

if TYPE_CHECKING:
    from remediator.local.cloudformation.values import Properties


class Secret(ResourceType):
    """A secret; without a value if the template gives it none."""

    name: ClassVar[str] = "AWS::SecretsManager::Secret"
    settable: ClassVar[frozenset[str]] = frozenset({"Name", "Description", "KmsKeyId", "SecretString", "Tags"})
    replacing: ClassVar[frozenset[str]] = frozenset({"Name"})

    def create(self, services: Services, naming: Naming, wanted: Properties) -> str:
        """Make the secret; return its ARN."""
        options = pick(wanted, ("Description", "KmsKeyId", "SecretString", "Tags"))
        name = wanted.get("Name") or naming.generate()
        return str(services.client("secretsmanager").create_secret(Name=name, **options)["ARN"])

    def update(self, services: Services, physical_id: str, before: Properties, wanted: Properties) -> None:
        """Change description, key, and the value if the template's changed."""
        secrets = services.client("secretsmanager")
        options = pick(wanted, ("Description", "KmsKeyId"))
        if wanted.get("SecretString") != before.get("SecretString"):
            options |= pick(wanted, ("SecretString",))
        secrets.update_secret(SecretId=physical_id, **options)
        gone = sorted(tag_map(before.get("Tags")).keys() - tag_map(wanted.get("Tags")).keys())
        if gone:
            secrets.untag_resource(SecretId=physical_id, TagKeys=gone)
        if wanted.get("Tags"):
            secrets.tag_resource(SecretId=physical_id, Tags=wanted["Tags"])

    def delete(self, services: Services, physical_id: str, properties: Properties) -> None:
        """Remove the secret at once, as CloudFormation does."""
        del properties
        services.client("secretsmanager").delete_secret(SecretId=physical_id, ForceDeleteWithoutRecovery=True)

    def read(self, services: Services, physical_id: str, properties: Properties) -> Live:
        """Read what describes it; its value only if the template gives one."""
        secrets = services.client("secretsmanager")
        with missing_if("ResourceNotFoundException"):
            secret = secrets.describe_secret(SecretId=physical_id)
        if secret.get("DeletedDate"):
            raise Missing(f"secret {physical_id} is deleted")
        seen = {
            "Name": secret["Name"],
            "Description": secret.get("Description", ""),
            "KmsKeyId": secret.get("KmsKeyId"),
            "Tags": tag_list(tag_map(secret.get("Tags"))),
        }
        if "SecretString" in properties:
            seen["SecretString"] = secrets.get_secret_value(SecretId=physical_id).get("SecretString")
        return Live(seen, {"Id": secret["ARN"]})
