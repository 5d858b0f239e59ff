"""Reach a deployment on Azure as its operator: sign in, find the installation."""

from __future__ import annotations

import time
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal

from remediator.azure.arm_client import ArmClient
from remediator.azure.tables import table
from remediator.catalogue.azure.arm import Missing
from remediator.operator.errors import NoDeployment
from remediator.vendor.azure_access import AzureAccess
from remediator.vendor.azure_deployment import AzureDeployment
from remediator.vendor.client import Client
from remediator.vendor.transport import HttpTransport

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azure.core.credentials import TokenCredential
    from azure.data.tables import TableClient


DEPLOYMENT: Final = "remediator"
"""The name that the installer gives the ARM deployment."""

API: Final = "2021-04-01"
PATIENCE: Final = 3600.0
"""Seconds for which one command may call Resource Manager."""


class AzureOffice:
    """Hold the operator's credential, and where the installation is."""

    cloud: Literal["azure"] = "azure"

    def __init__(
        self, credential: TokenCredential, subscription: str, group: str, *, transport: HttpTransport | None = None
    ) -> None:
        """`transport` carries what goes to the endpoint."""
        self.credential = credential
        self._transport = transport
        self.group = f"/subscriptions/{subscription}/resourceGroups/{group}"
        self.arm = ArmClient(credential, deadline=time.time() + PATIENCE)

    @cached_property
    def outputs(self) -> Mapping[str, str]:
        """Return the installation's outputs."""
        return outputs_of(self.arm, self.group)

    @property
    def transport(self) -> HttpTransport:
        """Return what carries requests that aren't the SDK's."""
        return self._transport or HttpTransport()

    @property
    def operator(self) -> str:
        """Return the object id of the operator's principal."""
        return self.outputs["Operator"]

    def table(self, name: str) -> TableClient:
        """Return a client of one of the deployment's tables."""
        return table(self.outputs["TablesEndpoint"], name, self.credential)

    def access(self) -> AzureAccess:
        """Return the way to the endpoint and to the seed vault."""
        return AzureAccess(AzureDeployment.from_outputs(self.outputs), self.credential)

    def client(self) -> Client:
        """Return a client of the protocol: the operator signs like any caller."""
        return Client(AzureDeployment.from_outputs(self.outputs), self.access(), transport=self._transport)


def outputs_of(arm: ArmClient, group: str) -> Mapping[str, str]:
    """Return what the installation in a resource group said, or raise `NoDeployment`."""
    path = f"{group}/providers/Microsoft.Resources/deployments/{DEPLOYMENT}"
    try:
        properties = arm.get(path, api=API)["properties"]
    except Missing:
        properties = {}
    if properties.get("provisioningState") != "Succeeded":
        raise NoDeployment(
            f"there is no finished installation in {group}",
            next="Name its --subscription and --resource-group; or install it: `remediator azure install --help`.",
        )
    return {name: str(one["value"]) for name, one in properties["outputs"].items()}
