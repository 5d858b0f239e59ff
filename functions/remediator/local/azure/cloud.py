"""Start an Azure in this process: one tenant, one subscription, enforced, with one clock."""

from __future__ import annotations

import shutil
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from remediator.local.azure import places
from remediator.local.azure.apps.host import AppHost, Surroundings
from remediator.local.azure.apps.interpreters import interpreter
from remediator.local.azure.apps.service import Sites
from remediator.local.azure.arm.embedded import EmbeddedArm
from remediator.local.azure.authority import Authority
from remediator.local.azure.calls import CallLog
from remediator.local.azure.entra.directory import Directory
from remediator.local.azure.entra.managed_identity import IdentityEndpoint, Site
from remediator.local.azure.entra.service import Entra
from remediator.local.azure.entra.tokens import Mint
from remediator.local.azure.estate import Registry
from remediator.local.azure.faults import Faults
from remediator.local.azure.front import Door, Reception
from remediator.local.azure.functions_worker.guard import Guard
from remediator.local.azure.graph.service import Graph
from remediator.local.azure.identities import Identities, make_identities
from remediator.local.azure.inside import Inside, trust
from remediator.local.azure.management import Management
from remediator.local.azure.rbac.roles import Rbac
from remediator.local.azure.rbac.service import Authorization
from remediator.local.azure.shared_clock import SharedOffset
from remediator.local.azure.tables.azurite import Azurite
from remediator.local.azure.tables.service import Tables
from remediator.local.azure.tunnel import Tunnel
from remediator.local.azure.vault.service import Vaults
from remediator.local.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from remediator.local.azure.apps.interpreters import Interpreter
    from remediator.local.azure.exchange import Service

_ONE: Final = threading.Lock()


class AlreadyRunning(Exception):  # noqa: N818 - errors are named for what is the case
    """Say that this process holds a cloud already: its name look-ups and its clock are the process's."""


class EmbeddedAzure:
    """Hold a customer's tenant and subscription, and a vendor's app. One at a time in a process.

    Entered, this process is inside: the cloud's names lead here, no other name resolves, and the certificates are
    trusted. Other processes come in through `describe()`'s proxy.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        latency_ms: int = 0,
        real_time_timers: bool = False,
        python: Callable[[], Interpreter] = interpreter,
    ) -> None:
        """`port` is the proxy's, for outside clients; `python` chooses what runs function apps."""
        self.clock = Clock()
        self.calls = CallLog()
        self.faults = Faults()
        self.faults.latency(latency_ms)
        self.outputs: dict[str, str] = {}
        self._port = port
        self._real_time = real_time_timers
        self._python = python
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        if not _ONE.acquire(blocking=False):
            raise AlreadyRunning("one embedded Azure at a time in a process")
        with ExitStack() as stack:
            stack.callback(_ONE.release)
            stack.callback(self.clock.close)
            self._build(stack)
            self._open(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def describe(self) -> dict[str, Any]:
        """Return what an outside client needs; it holds secrets, so write it where only its owner reads.

        With `environment` set, a client of any language reaches the real names through the proxy and trusts what
        answers there. `connect_to` is for clients that resolve names themselves: every host answers on that port.
        """
        return {
            "cloud": "azure",
            "tenant_id": places.TENANT,
            "subscription_id": places.SUBSCRIPTION,
            "location": places.LOCATION,
            "proxy_url": self.tunnel.url,
            "connect_to": dict.fromkeys(_wildcards(), f"127.0.0.1:{self.door.port}"),
            "ca_file": str(self.authority.file),
            "environment": self.environment(),
            "authority_host": f"https://{places.LOGIN}",
            "resource_manager": f"https://{places.MANAGEMENT}",
            "graph": f"https://{places.GRAPH}",
            "outputs": dict(self.outputs),
            "vendor_credentials": self.identities.vendor.describe(),
            "operator_credentials": self.identities.operator.describe(),
            "admin_credentials": self.identities.admin.describe(),
        }

    def environment(self) -> dict[str, str]:
        """Return the variables with which another process reaches this cloud."""
        proxied = {"HTTPS_PROXY": self.tunnel.url, "https_proxy": self.tunnel.url}
        return {**trust(self.authority.file), **proxied, "NO_PROXY": "127.0.0.1,localhost"}

    def sign_in_here(self, *identities: str) -> dict[str, str]:
        """Return the environment in which `ManagedIdentityCredential` speaks for these managed identities."""
        return self.identity_endpoint.admit(Site(None, identities))

    def _build(self, stack: ExitStack) -> None:
        """Make the parts that hold state and know no network."""
        folder = Path(tempfile.mkdtemp(prefix="embedded-azure-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        self.authority = Authority(folder, places.exists)
        self._offset = SharedOffset(self.clock, folder / "clock")
        stack.callback(self._offset.close)
        self.directory = Directory(self.faults.delays)
        self.mint = Mint()
        self.rbac = Rbac(self.faults.delays, lambda identity: self.directory.principal(identity) is not None)
        self.identities: Identities = make_identities(self.directory, self.rbac)
        self.estate = Registry()
        self.arm = EmbeddedArm(self.clock.now, self.rbac.allows)
        self.vaults = Vaults(self.estate, self.mint, self.rbac, self.faults.delays)
        self.azurite = Azurite(self._offset)
        stack.callback(self.azurite.close)

    def _open(self, stack: ExitStack) -> None:
        """Listen, and put this process inside."""
        self.reception = Reception(self._service, self.calls, self.faults)
        self.door = Door(self.reception, self.authority.context())
        stack.callback(self.door.close)
        self.tunnel = Tunnel(places.exists, self.door.port, self._port)
        stack.callback(self.tunnel.close)
        self.identity_endpoint = IdentityEndpoint(self.directory, self.mint, self.calls)
        stack.callback(self.identity_endpoint.close)
        self.apps = self._host(stack)
        stack.callback(self.apps.close)
        self.faults.kill = self.apps.kill
        self._services = self._every_service()
        stack.enter_context(Inside(Guard(places.HOSTS, self.door.port), self.authority.file))

    def _host(self, stack: ExitStack) -> AppHost:
        def door(worker: str) -> int:
            opened = Door(self.reception, self.authority.context(), origin=worker)
            stack_of_doors.callback(opened.close)
            return opened.port

        stack_of_doors = stack.enter_context(ExitStack())
        around = Surroundings(
            clock=self.clock,
            clock_file=self._offset.path,
            authority=self.authority.file,
            hosts=places.HOSTS,
            door=door,
            identity=self.identity_endpoint,
            interpreter=self._python,
        )
        return AppHost(around, real_time=self._real_time)

    def _every_service(self) -> dict[str, Service]:
        return {
            places.LOGIN: Entra(self.directory, self.mint),
            places.GRAPH: Graph(self.directory, self.mint),
            places.MANAGEMENT: Management(self.mint, self.rbac, Authorization(self.rbac), self.arm),
            places.VAULTS: self.vaults,
            places.TABLES: Tables(self.estate, self.mint, self.rbac, lambda: self.azurite),
            places.SITES: Sites(self.apps),
        }

    def _service(self, host: str) -> Service | None:
        for name, service in self._services.items():
            if host == name or (name.startswith(".") and host.endswith(name)):
                return service
        return None


def _wildcards() -> list[str]:
    """Return the hosts as certificates write them."""
    return [f"*{name}" if name.startswith(".") else name for name in places.HOSTS]
