"""Hold what the cloud is: its directory, its roles, what exists, who there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.local.azure.entra.directory import Directory
from remediator.local.azure.entra.tokens import Mint
from remediator.local.azure.estate import Registry
from remediator.local.azure.identities import make_identities
from remediator.local.azure.rbac.roles import Rbac

if TYPE_CHECKING:
    from remediator.local.azure.faults import Delays


class State:
    """Hold one tenant and one subscription."""

    def __init__(self, delays: Delays) -> None:
        self.delays = delays
        self.directory = Directory(delays)
        self.mint = Mint()
        self.rbac = Rbac(delays, lambda identity: self.directory.principal(identity) is not None)
        self.estate = Registry()
        self.identities = make_identities(self.directory, self.rbac)
