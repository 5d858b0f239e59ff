"""Find a deployment on Azure."""

from __future__ import annotations

import logging
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NoReturn

from azure.identity import ClientSecretCredential, DefaultAzureCredential

from remediator.azure.arm_client import ArmClient
from remediator.cli.exits import Exit
from remediator.cli.failures import Failed
from remediator.cli.places import GUID
from remediator.operator.azure.captor import AzureCaptor
from remediator.operator.azure.office import PATIENCE, AzureOffice, outputs_of
from remediator.vendor.azure_access import AzureAccess
from remediator.vendor.azure_deployment import AzureDeployment
from remediator.vendor.client import Client
from remediator.vendor.transport import HttpTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from azure.core.credentials import TokenCredential

    from remediator.local.mess import Mess


@dataclass(frozen=True, slots=True)
class AzurePlace:
    """Name a subscription and a resource group; or hold what an embedded cloud says of itself."""

    cloud: ClassVar[Literal["azure"]] = "azure"

    subscription: str | None
    resource_group: str | None
    described: Mapping[str, Any] | None

    def operator(self) -> AzureOffice:
        """Reach the deployment as its operator."""
        subscription, group = self.site
        return AzureOffice(self.credential("operator"), subscription, group, transport=self._transport())

    def vendor(self, outputs: Mapping[str, str] | None) -> Client:
        """Reach the deployment as its vendor: outputs that the customer gave are all there is to know."""
        credential = self.credential("vendor")
        given = outputs or (self.described and self.described["outputs"])
        deployment = AzureDeployment.from_outputs(given or self._found())
        return Client(deployment, AzureAccess(deployment, credential), transport=self._transport())

    def credential(self, whose: str) -> TokenCredential:
        """Sign in as somebody of an embedded cloud; elsewhere as whoever is signed in."""
        logging.getLogger("azure.identity").setLevel(logging.CRITICAL)  # what it logs, its errors say again
        if self.described is None:
            return DefaultAzureCredential()
        self._enter(self.described)
        given = self.described[f"{whose}_credentials"]
        return ClientSecretCredential(given["tenant_id"], given["client_id"], given["client_secret"])

    @property
    def site(self) -> tuple[str, str]:
        """Return subscription and resource group, or raise `Failed`."""
        if self.described is not None:
            return self.described["subscription_id"], self.described["resource_group"]
        if self.subscription is None or self.resource_group is None:
            raise Failed(
                "on Azure a deployment is named by its subscription and resource group",
                exit=Exit.USAGE,
                next="Add --subscription and --resource-group, as they were given to `remediator azure install`.",
            )
        if not GUID.fullmatch(self.subscription):
            raise Failed(
                f"--subscription {self.subscription!r} is no GUID",
                exit=Exit.USAGE,
                next="`az account show --query id` prints it.",
            )
        return self.subscription, self.resource_group

    def captor(self) -> AzureCaptor:
        """Return what derives the way back; in an embedded cloud it reads as the administrator."""
        return AzureCaptor(self.credential("admin"))

    def roller(self, tell: Callable[[str], None]) -> NoReturn:  # noqa: ARG002 - as on AWS
        """Raise `Failed`: there is nothing of that kind."""
        raise Failed(
            "on Azure there is a certificate to roll, and no external id",
            exit=Exit.USAGE,
            next="Run `remediator azure roll-credential`.",
        )

    def mess(self) -> Mess:
        """Make a mess in an embedded cloud."""
        from remediator.local.azure.mess import make_mess

        return make_mess(self.arm("admin"), self._targets)

    def arm(self, whose: str) -> ArmClient:
        """Return a client of Resource Manager with somebody's rights."""
        return ArmClient(self.credential(whose), deadline=time.time() + PATIENCE)

    @property
    def _targets(self) -> str:
        """Return the id of the resource group that an embedded cloud repairs."""
        described = self.described or {}
        return f"/subscriptions/{described['subscription_id']}/resourceGroups/{described['target_resource_group']}"

    def _found(self) -> Mapping[str, str]:
        subscription, group = self.site
        return outputs_of(self.arm("vendor"), f"/subscriptions/{subscription}/resourceGroups/{group}")

    def _transport(self) -> HttpTransport:
        return HttpTransport(self.described["ca_file"] if self.described else None)

    @staticmethod
    def _enter(described: Mapping[str, Any]) -> None:
        """Go through the embedded cloud's proxy, and trust what answers there: every SDK looks into the environment."""
        os.environ.update(described["environment"])
