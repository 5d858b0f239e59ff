"""Reach a deployment on Azure as its operator: sign in, find the installation, work there."""

from __future__ import annotations

import base64
import json
import time
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal

from remediator.azure import admissions
from remediator.azure.admission_desk import AdmissionDesk
from remediator.azure.arm_client import ArmClient
from remediator.azure.tables import table
from remediator.azure.windows_table import CONTROL_TABLE
from remediator.catalogue.azure.arm import Missing
from remediator.catalogue.spec import Home
from remediator.operator.azure import condition, doctor, freeze
from remediator.operator.azure.archive import AzureArchive
from remediator.operator.azure.policy import PolicyEntity
from remediator.operator.errors import NoDeployment, NoFormer
from remediator.operator.waiting import waits
from remediator.vendor.azure_access import AzureAccess
from remediator.vendor.azure_deployment import AzureDeployment
from remediator.vendor.client import Client
from remediator.vendor.transport import HttpTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from azure.core.credentials import TokenCredential
    from azure.data.tables import TableClient

    from remediator.operator.condition import Condition
    from remediator.operator.doctor import Check
    from remediator.service.freeze import Freezer, Step

DEPLOYMENT: Final = "remediator"
"""The name that the installer gives the ARM deployment."""

API: Final = "2021-04-01"
ARM_SCOPE: Final = "https://management.azure.com/.default"
PATIENCE: Final = 3600.0
"""Seconds for which one command may call Resource Manager."""

OUTPUTS: Final = frozenset(
    (
        *("AdmissionVault", "Audience", "Delivery", "Deployment", "Endpoint", "Location", "Operator", "Reader"),
        *("RemediateApp", "RotateApp", "SeedVault", "TablesEndpoint", "Tenant"),
    )
)
"""What some command takes from the installation's outputs."""


class AzureOffice:
    """Hold the operator's credential, and where the installation is."""

    cloud: Literal["azure"] = "azure"
    wanted_outputs = OUTPUTS

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
    def home(self) -> Home:
        """Return where the deployment lives: a subscription."""
        return Home("azure", self.group.split("/")[2].lower())

    @property
    def transport(self) -> HttpTransport:
        """Return what carries requests that aren't the SDK's."""
        return self._transport or HttpTransport()

    @property
    def operator(self) -> str:
        """Return the object id of the operator's principal."""
        return self.outputs["Operator"]

    def who(self) -> str:
        """Return who signed in, as their own token says: a person's name, or an object id."""
        return named_in(self.credential.get_token(ARM_SCOPE).token)

    def table(self, name: str) -> TableClient:
        """Return a client of one of the deployment's tables."""
        return table(self.outputs["TablesEndpoint"], name, self.credential)

    def access(self) -> AzureAccess:
        """Return the way to the endpoint and to the seed vault."""
        return AzureAccess(AzureDeployment.from_outputs(self.outputs), self.credential)

    def client(self) -> Client:
        """Return a client of the protocol: the operator signs like any caller."""
        return Client(AzureDeployment.from_outputs(self.outputs), self.access(), transport=self._transport)

    def archive(self, former: str | None = None) -> AzureArchive:
        """Return the deployment's archive; raise `NoFormer` if another one is asked for."""
        if former is not None:
            raise NoFormer(
                "on Azure, installing again takes the receipts' table up again: there is no other",
                next="Leave --receipts-table out.",
            )
        return AzureArchive(self)

    def desk(self, clock: Callable[[], float]) -> AdmissionDesk:
        """Return where openings are left with the remediator."""
        vault = admissions.vault_at(self.outputs["AdmissionVault"], self.credential)
        return AdmissionDesk(self.table(CONTROL_TABLE), self.table(admissions.ADMISSIONS_TABLE), vault, clock)

    def freezer(self, tell: Callable[[Step], None]) -> Freezer:
        """Return what freezes and unfreezes the deployment; `tell` is given each step as it ends."""
        return freeze.freezer(self, tell, lambda: waits(freeze.LONGEST_RUN), time.time)

    def policy_store(self) -> PolicyEntity:
        """Return where the customer's policy is kept."""
        return PolicyEntity(self.table(CONTROL_TABLE))

    def examine(self, now: float) -> Condition:
        """Look at everything that tells how the deployment is; reads only."""
        return condition.examine(self, now)

    def checks(self, condition: Condition) -> Iterator[Check]:
        """Yield the checks that only Azure has; reads only."""
        return doctor.checks(self, condition)

    def everybodys(self) -> None:
        """Return nothing: no fix for Azure is for something that every subscription has."""
        return


def named_in(token: str) -> str:
    """Return whom a token of Entra names. Its signature isn't looked at: whoever it is sent to does that."""
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return str(claims.get("upn") or claims.get("unique_name") or claims["oid"])


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
