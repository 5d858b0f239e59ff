"""Find a deployment, and reach it as its operator or as its vendor."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from remediator.cli.exits import Exit
from remediator.cli.failures import Failed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from remediator.cli.aws_place import AwsPlace
    from remediator.cli.azure_place import AzurePlace
    from remediator.operator.office import Office
    from remediator.vendor import Client


class Cloud(StrEnum):
    """Name the clouds that a deployment may be on."""

    AWS = "aws"
    AZURE = "azure"


GUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

_OPTIONS: Final[Mapping[Cloud, tuple[str, ...]]] = {
    Cloud.AWS: ("profile", "region", "stack"),
    Cloud.AZURE: ("subscription", "resource_group"),
}
_SIDES: Final = frozenset(("admin_credentials", "operator_credentials", "vendor_credentials"))
_WRITTEN: Final[Mapping[str, frozenset[str]]] = {
    Cloud.AWS: _SIDES | {"aws_endpoint_url", "outputs", "region"},
    Cloud.AZURE: _SIDES | {"ca_file", "environment", "outputs", "resource_group", "subscription_id"},
}
"""What is taken from an embedded cloud's file."""


@dataclass(frozen=True)
class Place:
    """Say where to look, as the options do: on AWS or on Azure, or in the file of an embedded cloud."""

    cloud: Cloud | None = None
    profile: str | None = None
    region: str | None = None
    stack: str | None = None
    subscription: str | None = None
    resource_group: str | None = None
    account: Path | None = None

    def operator(self) -> Office:
        """Reach the deployment as its operator."""
        return self.there.operator()

    def vendor(self, outputs: Path | None = None) -> Client:
        """Reach the deployment as its vendor, through outputs that the customer gave or those of the deployment."""
        return self.there.vendor(flat(read_json(outputs)) if outputs else None)

    @cached_property
    def there(self) -> AwsPlace | AzurePlace:
        """Return the place on its cloud, or raise `Failed` where the options don't name one."""
        described = embedded(self.account) if self.account else None
        cloud = self._cloud(described)
        self._require_options_of(cloud, described)
        if cloud is Cloud.AZURE:
            return self._on_azure(described)
        from remediator.cli.aws_place import AwsPlace

        return AwsPlace(self.profile, self.region, self.stack, described)

    def _on_azure(self, described: Mapping[str, Any] | None) -> AzurePlace:
        try:
            from remediator.cli.azure_place import AzurePlace
        except ModuleNotFoundError as missing:
            if not str(missing.name).startswith("azure"):
                raise
            raise Failed(
                f"Azure's SDK isn't installed: {missing.name} is missing",
                exit=Exit.USAGE,
                next="Install it: pip install 'remediator[azure]'.",
            ) from None
        return AzurePlace(self.subscription, self.resource_group, described)

    def _cloud(self, described: Mapping[str, Any] | None) -> Cloud:
        if described is None:
            return self.cloud or Cloud.AWS
        found = Cloud(described.get("cloud", Cloud.AWS))
        if self.cloud not in (None, found):
            raise Failed(f"{self.account} is of {found.value}", exit=Exit.USAGE, next="Leave --cloud out.")
        return found

    def _require_options_of(self, cloud: Cloud, described: Mapping[str, Any] | None) -> None:
        """Refuse options that nothing would come of."""
        allowed = () if described else _OPTIONS[cloud]
        others = [name for names in _OPTIONS.values() for name in names if name not in allowed and getattr(self, name)]
        if others:
            named = " and ".join(f"--{name.replace('_', '-')}" for name in others)
            where = f"--account {self.account}" if described else f"--cloud {cloud.value}"
            usual = " ".join(f"--{name.replace('_', '-')}" for name in allowed) or "nothing else"
            raise Failed(f"{named} means nothing with {where}", exit=Exit.USAGE, next=f"There it takes {usual}.")


def read_json(path: Path) -> Any:  # noqa: ANN401 - any JSON value
    """Read a JSON file, or raise `Failed`; what is in it is never quoted."""
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise Failed(f"{path} can't be read: {error.strerror}", exit=Exit.USAGE, next="Check the path.") from None
    except ValueError:
        raise Failed(f"{path} isn't JSON", exit=Exit.USAGE, next="Check that it is the right file.") from None


def embedded(path: Path) -> Mapping[str, Any]:
    """Read what an embedded cloud says of itself, or raise `Failed` if the file is another one."""
    found = read_json(path)
    said = found if isinstance(found, dict) else {}
    missing = _WRITTEN.get(said.get("cloud", Cloud.AWS), _SIDES) - said.keys()
    if missing:
        raise Failed(
            f"{path} lacks {', '.join(sorted(missing))}",
            exit=Exit.USAGE,
            next="Name the file that `remediator local up --json FILE` wrote.",
        )
    return said


def flat(outputs: Any) -> Mapping[str, str]:  # noqa: ANN401 - as the file has it
    """Take outputs as they are, or as the clouds' tools write them.

    `cdk deploy --outputs-file` and `remediator azure install --json` put them into another object, and `az deployment
    group show --query properties.outputs` each value.
    """
    if not isinstance(outputs, dict):
        raise Failed("the outputs aren't an object", exit=Exit.USAGE, next="`cdk deploy --outputs-file` writes them.")
    found = {name: one["value"] if isinstance(one, dict) and "value" in one else one for name, one in outputs.items()}
    inner = found.get("outputs") or (next(iter(found.values())) if len(found) == 1 else None)
    return flat(inner) if isinstance(inner, dict) else found
