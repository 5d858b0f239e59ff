"""Know Secrets Manager's resource types."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Any, ClassVar, Final

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
from remediator.local.cloudformation.values import Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.local.cloudformation.values import Properties


class Secret(ResourceType):
    """A secret; without a value if the template gives it none."""

    name: ClassVar[str] = "AWS::SecretsManager::Secret"
    settable: ClassVar[frozenset[str]] = frozenset(
        {"Name", "Description", "KmsKeyId", "SecretString", "GenerateSecretString", "Tags"}
    )
    replacing: ClassVar[frozenset[str]] = frozenset({"Name"})

    def create(self, services: Services, naming: Naming, wanted: Properties) -> str:
        """Make the secret; return its ARN."""
        options = pick(wanted, ("Description", "KmsKeyId", "SecretString", "Tags")) | self._drawn(services, wanted)
        name = wanted.get("Name") or naming.generate()
        return str(services.client("secretsmanager").create_secret(Name=name, **options)["ARN"])

    def update(self, services: Services, physical_id: str, before: Properties, wanted: Properties) -> None:
        """Change description, key, and the value if the template's changed."""
        secrets = services.client("secretsmanager")
        options = pick(wanted, ("Description", "KmsKeyId"))
        if wanted.get("SecretString") != before.get("SecretString"):
            options |= pick(wanted, ("SecretString",))
        if wanted.get("GenerateSecretString") != before.get("GenerateSecretString"):
            options |= self._drawn(services, wanted)
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
        if "GenerateSecretString" in properties:
            value = str(secrets.get_secret_value(SecretId=physical_id).get("SecretString", ""))
            seen["GenerateSecretString"] = _drawn_by(properties["GenerateSecretString"], value)
        return Live(seen, {"Id": secret["ARN"]})

    @staticmethod
    def _drawn(services: Services, wanted: Properties) -> dict[str, str]:
        """Let Secrets Manager draw the value, as CloudFormation does."""
        if "GenerateSecretString" not in wanted:
            return {}
        how = wanted["GenerateSecretString"]
        unknown = sorted(how.keys() - _DRAWING)
        if unknown:
            raise Invalid(f"Encountered unsupported property {', '.join(unknown)} of GenerateSecretString")
        drawn = services.client("secretsmanager").get_random_password(**_typed(how))
        return {"SecretString": str(drawn["RandomPassword"])}


_DRAWING: Final = frozenset(
    (
        *("PasswordLength", "ExcludeCharacters", "ExcludeLowercase", "ExcludeNumbers", "ExcludePunctuation"),
        *("ExcludeUppercase", "IncludeSpace", "RequireEachIncludedType"),
    )
)


def _typed(how: Mapping[str, Any]) -> dict[str, Any]:
    """Return numbers and truth values as the API wants them; templates may write them as text."""
    words = {"true": True, "false": False}
    return {
        name: int(value) if name == "PasswordLength" else words.get(str(value).lower(), value)
        for name, value in how.items()
    }


def _drawn_by(how: Mapping[str, Any], value: str) -> Mapping[str, Any] | None:
    """Return how a value was drawn if it may have been drawn so; the value itself is shown nowhere."""
    given = _typed(how)
    alphabets = {
        "ExcludeLowercase": string.ascii_lowercase,
        "ExcludeUppercase": string.ascii_uppercase,
        "ExcludeNumbers": string.digits,
        "ExcludePunctuation": string.punctuation,
    }
    letters = {letter for name, alphabet in alphabets.items() if not given.get(name) for letter in alphabet}
    letters |= {" "} if given.get("IncludeSpace") else set()
    fits = set(value) <= letters - set(given.get("ExcludeCharacters", ""))
    return how if fits and len(value) == given.get("PasswordLength", 32) else None
