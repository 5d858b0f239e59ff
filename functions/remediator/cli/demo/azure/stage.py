"""Hold what both sides have in their hands during the story on Azure."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from azure.identity import ClientSecretCredential

from remediator.azure.arm_client import ArmClient
from remediator.catalogue import registry
from remediator.catalogue.spec import Home
from remediator.core.windows import window_at
from remediator.local.azure import places
from remediator.operator.azure.office import AzureOffice
from remediator.vendor import Client
from remediator.vendor.azure_access import AzureAccess
from remediator.vendor.azure_deployment import AzureDeployment
from remediator.vendor.transport import HttpTransport

if TYPE_CHECKING:
    from remediator.catalogue.spec import JSON
    from remediator.cli.demo.board import Board
    from remediator.local.azure.cloud import EmbeddedAzure
    from remediator.local.azure.identities import Identity
    from remediator.vendor import Result

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
        self.desk = AzureOffice(
            credential(azure.identities.operator),
            described["subscription_id"],
            described["resource_group"],
            transport=self.transport,
        )
        self.operator = self.desk.client()
        self.admin = ArmClient(credential(azure.identities.admin), deadline=time.time() + _DAY)

    def setting(self, fix_id: str, target: str) -> JSON:
        """Return a setting as an administrator reads it, whatever any answer says."""
        fix = registry.load(fix_id)
        return fix.read(self.admin, fix.target.parse({"id": target}, self.home))

    def setting_of(self, result: Result) -> JSON:
        """Return the setting that a result is about, as an administrator reads it."""
        return self.setting(str(result.fix), (result.target or {})["id"])

    def lay_open(self, result: Result) -> None:
        """Bring a setting back to what was found there, as an administrator may."""
        fix = registry.load(str(result.fix))
        found = fix.target.parse(result.target or {}, self.home)
        fix.write(self.admin, found, fix.read(self.admin, found), result.before)

    def let_a_window_pass(self) -> None:
        """Be at the beginning of the next window, rotated, so that what follows has time for it."""
        now = time.time()
        self.azure.clock.shift(window_at(now).not_after + 1 - now)
        self.azure.rotate()

    def repairs_since(self, mark: int) -> int:
        """Return how many calls of function apps reached the resources that fixes repair, since a mark in the log."""
        return sum(call.service == "arm" and call.origin is not None for call in self.azure.calls.since(mark))


def credential(identity: Identity) -> ClientSecretCredential:
    """Return what an app signs in with."""
    return ClientSecretCredential(places.TENANT, identity.client_id, identity.secret)
