"""Know the names of the kinds of resources that Azure fixes repair, and the version each provider is spoken to in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from remediator.catalogue.errors import BadTarget
from remediator.catalogue.spec import Tags, Target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.catalogue.spec import JSON, Home

LONGEST: Final = 512
"""The longest resource id in characters that a schema takes; the longest of these kinds have about 420."""

VERSIONS: Final[Mapping[str, str]] = {
    "Microsoft.Compute": "2021-12-01",
    "Microsoft.DBforPostgreSQL": "2021-06-01",
    "Microsoft.KeyVault": "2021-10-01",
    "Microsoft.Network": "2021-05-01",
    "Microsoft.Sql": "2021-11-01-preview",
    "Microsoft.Storage": "2021-09-01",
    "Microsoft.Web": "2021-03-01",
}
"""The version of its API that each provider is spoken to in: one that its published description can judge."""

_GUID: Final = "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
_GROUP: Final = r"[A-Za-z0-9._()-]{0,89}[A-Za-z0-9_()-]"

EXAMPLE: Final = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/example/providers"


@dataclass(frozen=True, slots=True)
class ResourceId:
    """A kind of resource that ARM names by an id: a provider, then types and names in turn.

    `names` are regular expressions, one for each of the type's parts. ARM doesn't tell upper case from lower in an id;
    the target's is written in one way only, so that two spellings of one resource are one.
    """

    title: str
    type: str
    names: tuple[str, ...]
    example: Mapping[str, str]
    regional: bool = False
    tags: Tags = Tags.SHOWN

    @property
    def provider(self) -> str:
        """Return the namespace of the resource's provider."""
        return self.type.partition("/")[0]

    @property
    def api(self) -> str:
        """Return the version of the provider's API to speak."""
        return VERSIONS[self.provider]

    def schema(self) -> dict[str, JSON]:
        """Return the JSON Schema of a target of this kind."""
        provider, *types = self.type.split("/")
        named = "/".join(f"{_either_case(kind)}/{name}" for kind, name in zip(types, self.names, strict=True))
        pattern = (
            f"^/{_either_case('subscriptions')}/{_GUID}/{_either_case('resourceGroups')}/{_GROUP}"
            f"/{_either_case('providers')}/{_either_case(provider)}/{named}$"
        )
        return {
            "type": "object",
            "additionalProperties": False,
            "required": ["id"],
            "properties": {"id": {"type": "string", "maxLength": LONGEST, "pattern": pattern}},
        }

    def parse(self, raw: Mapping[str, str], home: Home) -> Target:  # noqa: ARG002 - an id always says its subscription
        """Read a target, or raise `BadTarget`.

        Any subscription of the right form is read: who asks decides whether it may be touched. `target["group"]` is the
        resource group, `target["name"]` the resource's own name, `target["parent"]` that of what it is part of.
        """
        written: object = raw.get("id")
        if raw.keys() - {"id"}:
            raise BadTarget("a target has nothing but an id")
        if not isinstance(written, str) or not re.fullmatch(self._pattern(), written):
            raise BadTarget(f"the id isn't that of a {self.title}, such as {self.example['id']}")
        _, _, subscription, _, group, _, _, *parts = written.lower().split("/")
        names = parts[1::2]
        _, *types = self.type.split("/")
        where = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{self.provider}"
        named = "/".join(f"{kind}/{name}" for kind, name in zip(types, names, strict=True))
        return Target(
            id=f"{where}/{named}",
            partition="azure",
            account=subscription,
            region=None,
            parts={"group": group, "name": names[-1], "parent": names[0]},
        )

    def patterns(self, home: Home) -> tuple[str, ...]:
        """Return a pattern that matches the ids of this kind in the subscription that is home."""
        provider, *types = self.type.split("/")
        named = "/".join(f"{kind}/*" for kind in types)
        return (f"/subscriptions/{home.account}/resourceGroups/*/providers/{provider}/{named}",)

    def names_account(self) -> bool:
        """Tell whether the id says which subscription the resource is in."""
        return True

    def _pattern(self) -> str:
        pattern: str = self.schema()["properties"]["id"]["pattern"]
        return pattern


def _either_case(text: str) -> str:
    """Return a regular expression for a text in any letter case: JSON Schema knows no flag for that."""
    return "".join(f"[{one.upper()}{one.lower()}]" if one.isalpha() else re.escape(one) for one in text)


STORAGE_ACCOUNT: Final = ResourceId(
    title="storage account",
    type="Microsoft.Storage/storageAccounts",
    names=("[A-Za-z0-9]{3,24}",),
    example={"id": f"{EXAMPLE}/Microsoft.Storage/storageAccounts/examplestore"},
)
NETWORK_SECURITY_GROUP: Final = ResourceId(
    title="network security group",
    type="Microsoft.Network/networkSecurityGroups",
    names=("[A-Za-z0-9](?:[A-Za-z0-9._-]{0,78}[A-Za-z0-9_])?",),
    example={"id": f"{EXAMPLE}/Microsoft.Network/networkSecurityGroups/example-nsg"},
)
WEB_APP: Final = ResourceId(
    title="web app or function app",
    type="Microsoft.Web/sites",
    names=("[A-Za-z0-9](?:[A-Za-z0-9-]{0,58}[A-Za-z0-9])?",),
    example={"id": f"{EXAMPLE}/Microsoft.Web/sites/example-app"},
)
SQL_SERVER: Final = ResourceId(
    title="SQL server",
    type="Microsoft.Sql/servers",
    names=("[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?",),
    example={"id": f"{EXAMPLE}/Microsoft.Sql/servers/example-sql"},
)
SQL_DATABASE: Final = ResourceId(
    title="SQL database",
    type="Microsoft.Sql/servers/databases",
    names=(SQL_SERVER.names[0], "[A-Za-z0-9_](?:[A-Za-z0-9 ._()-]{0,126}[A-Za-z0-9_()-])?"),
    example={"id": f"{EXAMPLE}/Microsoft.Sql/servers/example-sql/databases/orders"},
)
POSTGRESQL_SERVER: Final = ResourceId(
    title="PostgreSQL flexible server",
    type="Microsoft.DBforPostgreSQL/flexibleServers",
    names=("[A-Za-z0-9](?:[A-Za-z0-9-]{1,61}[A-Za-z0-9])",),
    example={"id": f"{EXAMPLE}/Microsoft.DBforPostgreSQL/flexibleServers/example-pg"},
)
KEY_VAULT: Final = ResourceId(
    title="key vault",
    type="Microsoft.KeyVault/vaults",
    names=("[A-Za-z](?:-?[A-Za-z0-9]){2,23}",),
    example={"id": f"{EXAMPLE}/Microsoft.KeyVault/vaults/example-vault"},
)
DISK: Final = ResourceId(
    title="managed disk",
    type="Microsoft.Compute/disks",
    names=("[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,78}[A-Za-z0-9_])?",),
    example={"id": f"{EXAMPLE}/Microsoft.Compute/disks/example-disk"},
)
