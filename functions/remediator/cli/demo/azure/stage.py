"""Hold what both sides have in their hands during the story on Azure."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from azure.identity import ClientSecretCredential

from remediator.azure.arm_client import ArmClient
from remediator.catalogue import registry
from remediator.catalogue.spec import Home
from remediator.local.azure import places
from remediator.vendor import Client
from remediator.vendor.azure_access import AzureAccess
from remediator.vendor.azure_deployment import AzureDeployment
from remediator.vendor.transport import HttpTransport

if TYPE_CHECKING:
    from remediator.catalogue.spec import JSON
    from remediator.cli.demo.board import Board
    from remediator.local.azure.cloud import EmbeddedAzure
    from remediator.local.azure.identities import Identity

_DAY: Final = 86_400.0


class Stage:
    """Hold the cloud, the deployment in it, and a client for each side."""

    def __init__(self, azure: EmbeddedAzure, board: Board) -> None:
        described = azure.describe()
        self.azure = azure
        self.board = board
        self.home = Home("azure", described["subscription_id"])
        self.group = f"/subscriptions/{self.home.account}/resourceGroups/{described['target_resource_group']}"
        self.own_group = f"/subscriptions/{self.home.account}/resourceGroups/{described['resource_group']}"
        self.deployment = AzureDeployment.from_outputs(azure.outputs)
        self.reader = credential(azure.identities.vendor)
        self.access = AzureAccess(self.deployment, self.reader)
        self.transport = HttpTransport(str(azure.authority.file))
        self.vendor = Client(self.deployment, self.access, transport=self.transport)
        operator = AzureAccess(self.deployment, credential(azure.identities.operator))
        self.operator = Client(self.deployment, operator, transport=self.transport)
        self.admin = ArmClient(credential(azure.identities.admin), deadline=time.time() + _DAY)

    def setting(self, fix_id: str, target: str) -> JSON:
        """Return a setting as an administrator reads it, whatever any answer says."""
        fix = registry.load(fix_id)
        return fix.read(self.admin, fix.target.parse({"id": target}, self.home))

    def repairs_since(self, mark: int) -> int:
        """Return how many calls of function apps reached the resources that fixes repair, since a mark in the log."""
        return sum(call.service == "arm" and call.origin is not None for call in self.azure.calls.since(mark))


def credential(identity: Identity) -> ClientSecretCredential:
    """Return what an app signs in with."""
    return ClientSecretCredential(places.TENANT, identity.client_id, identity.secret)
