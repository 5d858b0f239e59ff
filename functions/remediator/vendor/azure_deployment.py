"""Hold what the vendor knows of a deployment on Azure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from remediator.vendor.deployment import require_private
from remediator.vendor.errors import BadDeployment

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class AzureDeployment:
    """Know one deployment on Azure. None of this is secret.

    `audience` is the API's application id URI, for which Entra makes the caller's token; `seed_vault` is a vault's URL.
    """

    id: str
    endpoint: str
    audience: str
    seed_vault: str

    def __post_init__(self) -> None:
        require_private(self.endpoint)
        require_private(self.seed_vault)

    @classmethod
    def from_outputs(cls, outputs: Mapping[str, str]) -> AzureDeployment:
        """Read the installation's outputs, or raise `BadDeployment` naming what is missing."""
        try:
            return cls(outputs["Deployment"], outputs["Endpoint"], outputs["Audience"], outputs["SeedVault"])
        except KeyError as missing:
            raise BadDeployment(f"the outputs lack {missing.args[0]}: is this Remediator on Azure?") from None

    @property
    def scope(self) -> str:
        """Return what to ask Entra for."""
        return f"{self.audience}/.default"

    def url(self, path: str) -> str:
        """Return the address of a path of the protocol, such as `/v1/fixes`."""
        return self.endpoint.rstrip("/") + path
