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
from remediator.local.azure.authority import Authority
from remediator.local.azure.calls import CallLog
from remediator.local.azure.deployment import ROTATE_APP, TARGETS, Order, describe_outputs, install, rotate
from remediator.local.azure.entra.managed_identity import IdentityEndpoint, Site
from remediator.local.azure.faults import Faults
from remediator.local.azure.front import Door, Reception
from remediator.local.azure.functions_worker.guard import Guard
from remediator.local.azure.inside import Inside, trust
from remediator.local.azure.services import Services
from remediator.local.azure.shared_clock import SharedOffset
from remediator.local.azure.state import State
from remediator.local.azure.tunnel import Tunnel
from remediator.local.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from remediator.local.azure.apps.app import Invocation
    from remediator.local.azure.apps.interpreters import Interpreter
    from remediator.local.azure.arm.embedded import EmbeddedArm
    from remediator.local.azure.entra.directory import Directory
    from remediator.local.azure.entra.tokens import Mint
    from remediator.local.azure.estate import Registry
    from remediator.local.azure.identities import Identities
    from remediator.local.azure.rbac.roles import Rbac

_ONE: Final = threading.Lock()


class AlreadyRunning(Exception):  # noqa: N818 - errors are named for what is the case
    """Say that this process holds a cloud already: its name look-ups and its clock are the process's."""


def _silent(_: str) -> None:
    """Say nothing."""


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
        say: Callable[[str], None] = _silent,
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
        self._say = say
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

    @property
    def identities(self) -> Identities:
        """Return who there is before anything is deployed."""
        return self.state.identities

    @property
    def directory(self) -> Directory:
        """Return the tenant's directory, past Graph and its permissions."""
        return self.state.directory

    @property
    def mint(self) -> Mint:
        """Return what signs tokens."""
        return self.state.mint

    @property
    def rbac(self) -> Rbac:
        """Return the role definitions and assignments, past Resource Manager and its permissions."""
        return self.state.rbac

    @property
    def estate(self) -> Registry:
        """Return which vaults and storage accounts exist."""
        return self.state.estate

    @property
    def arm(self) -> EmbeddedArm:
        """Return the resources that fixes repair."""
        return self.services.arm

    def deploy(self, order: Order | None = None) -> dict[str, str]:
        """Install with the project's own installer, as the administrator; return the deployment's outputs."""
        self.services.azurite.start()  # it gets ready while the installer is still busy elsewhere
        self.outputs = install(self.identities, order or Order(), self._say)
        return self.outputs

    def rotate(self) -> Invocation:
        """Fire the rotation now, and wait; raises `RotationFailed`."""
        return rotate(self.apps, self.outputs[ROTATE_APP])

    @property
    def targets(self) -> str:
        """Return the id of the resource group whose resources may be repaired."""
        return f"{places.subscription_id()}/resourceGroups/{TARGETS}"

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
            "authority_host": f"https://{places.LOGIN}",
            "resource_manager": f"https://{places.MANAGEMENT}",
            "graph": f"https://{places.GRAPH}",
            "proxy_url": self.tunnel.url,
            "connect_to": dict.fromkeys(_wildcards(), f"127.0.0.1:{self.door.port}"),
            "ca_file": str(self.authority.file),
            "environment": self.environment(),
            "outputs": dict(self.outputs),
            "vendor_credentials": self.identities.vendor.describe(),
            "operator_credentials": self.identities.operator.describe(),
            "admin_credentials": self.identities.admin.describe(),
            **describe_outputs(self.outputs),
        }

    def environment(self) -> dict[str, str]:
        """Return the variables with which another process reaches this cloud."""
        proxied = {"HTTPS_PROXY": self.tunnel.url, "https_proxy": self.tunnel.url}
        here = {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
        return {**trust(self.authority.file), **proxied, **here}

    def sign_in_here(self, *identities: str) -> dict[str, str]:
        """Return the environment in which `ManagedIdentityCredential` speaks for these managed identities."""
        return self.identity_endpoint.admit(Site(None, identities))

    def _build(self, stack: ExitStack) -> None:
        """Make what knows no network."""
        self._folder = Path(tempfile.mkdtemp(prefix="embedded-azure-"))
        stack.callback(shutil.rmtree, self._folder, ignore_errors=True)
        self.authority = Authority(self._folder, places.exists)
        self._offset = SharedOffset(self.clock, self._folder / "clock")
        stack.callback(self._offset.close)
        self.state = State(self.faults.delays)

    def _open(self, stack: ExitStack) -> None:
        """Listen, and put this process inside."""
        # The services are there only after the doors: function workers come through those.
        self.reception = Reception(lambda host: self.services.find(host), self.calls, self.faults)  # noqa: PLW0108 - as said
        self.door = Door(self.reception, self.authority.context())
        stack.callback(self.door.close)
        self.tunnel = Tunnel(places.exists, self.door.port, self._port)
        stack.callback(self.tunnel.close)
        self.identity_endpoint = IdentityEndpoint(self.directory, self.mint, self.calls)
        stack.callback(self.identity_endpoint.close)
        self.apps = self._host(stack)
        stack.callback(self.apps.close)
        self.faults.kill = self.apps.kill
        self.services = Services(self.state, self.apps, self._offset, self._folder, self.clock.now)
        stack.callback(self.services.close)
        stack.enter_context(Inside(Guard(places.HOSTS, self.door.port), self.authority.file))

    def _host(self, stack: ExitStack) -> AppHost:
        doors = stack.enter_context(ExitStack())

        def open_door(worker: str) -> int:
            opened = Door(self.reception, self.authority.context(), origin=worker)
            doors.callback(opened.close)
            return opened.port

        around = Surroundings(
            clock=self.clock,
            clock_file=self._offset.path,
            authority=self.authority.file,
            hosts=places.HOSTS,
            door=open_door,
            identity=self.identity_endpoint,
            interpreter=self._python,
        )
        return AppHost(around, real_time=self._real_time)


def _wildcards() -> list[str]:
    """Return the hosts as certificates write them."""
    return [f"*{name}" if name.startswith(".") else name for name in places.HOSTS]
