"""Put the services together, each behind the hosts that it answers at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.local.azure import places
from remediator.local.azure.apps.service import Sites
from remediator.local.azure.arm.embedded import EmbeddedArm
from remediator.local.azure.entra.service import Entra
from remediator.local.azure.event_grid import EventGrid
from remediator.local.azure.graph.service import Graph
from remediator.local.azure.management import Management
from remediator.local.azure.rbac.service import Authorization
from remediator.local.azure.resources.deployments import Deployments, Groups
from remediator.local.azure.resources.making import Maker
from remediator.local.azure.resources.publishing import Publishing
from remediator.local.azure.resources.removal import Removal
from remediator.local.azure.resources.service import Resources
from remediator.local.azure.resources.sites import SiteKeeper
from remediator.local.azure.tables.azurite import Azurite
from remediator.local.azure.tables.service import Tables
from remediator.local.azure.vault.service import Vaults

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from remediator.local.azure.apps.host import AppHost
    from remediator.local.azure.exchange import Service
    from remediator.local.azure.shared_clock import SharedOffset
    from remediator.local.azure.state import State


class Services:
    """Hold every service of one cloud."""

    def __init__(
        self, state: State, host: AppHost, offset: SharedOffset, folder: Path, now: Callable[[], float]
    ) -> None:
        self.arm = EmbeddedArm(now, state.rbac.allows)
        self.azurite = Azurite(offset)
        self.vaults = Vaults(state.estate, state.mint, state.rbac, state.delays)
        self.tables = Tables(state.estate, state.mint, state.rbac, self.azurite)
        self.events = EventGrid(state.estate, state.mint, state.rbac)
        self.sites = SiteKeeper(host, folder)
        self._hosts: dict[str, Service] = {
            places.LOGIN: Entra(state.directory, state.mint),
            places.GRAPH: Graph(state.directory, state.mint),
            places.MANAGEMENT: self._management(state, host),
            places.VAULTS: self.vaults,
            places.TABLES: self.tables,
            places.EVENTS: self.events,
            places.PUBLISHING: Publishing(self.sites, state.mint, state.rbac),
            places.SITES: Sites(host),
        }

    def find(self, host: str) -> Service | None:
        """Return who answers at a host."""
        for name, service in self._hosts.items():
            if host == name or (name.startswith(".") and host.endswith(name)):
                return service
        return None

    def close(self) -> None:
        """End what runs in a process of its own."""
        self.azurite.close()

    def _management(self, state: State, host: AppHost) -> Management:
        groups = Groups()
        maker = Maker(
            directory=state.directory,
            rbac=state.rbac,
            estate=state.estate,
            vaults=self.vaults,
            tables=self.tables,
            sites=self.sites,
        )
        deployments = Deployments(groups, maker)
        stores = (groups, deployments, maker, state.estate, self.vaults, self.sites, state.rbac, self.arm)
        removal = Removal(groups, state.estate, tuple(one.forget_below for one in stores))
        resources = Resources(
            groups=groups,
            deployments=deployments,
            maker=maker,
            sites=self.sites,
            host=host,
            estate=state.estate,
            vaults=self.vaults,
        )
        return Management(state.mint, state.rbac, Authorization(state.rbac), resources, removal, self.arm)
