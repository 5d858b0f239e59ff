"""Put everything of ours into moto, and take it out again."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from remediator.local import iam, quotas, scheduler
from remediator.local.clients import Clients, ServiceClients
from remediator.local.emulator import accounts, lambda_repairs, secret_batches, url_service
from remediator.local.emulator.cloudformation_service import CloudFormationService
from remediator.local.emulator.hooks import Hooks
from remediator.local.emulator.identities import Identities, make_identities
from remediator.local.emulator.lambda_service import LambdaService, deployed
from remediator.local.emulator.outbox import Outbox
from remediator.local.emulator.runtime_account import RuntimeAccount
from remediator.local.emulator.schedules import schedules
from remediator.local.emulator.server import MotoServer
from remediator.local.emulator.sessions import service_session
from remediator.local.function_url import door
from remediator.local.function_url.door import Doors
from remediator.local.runtime.asynchronous import AsyncInvoker
from remediator.local.runtime.functions import Acting
from remediator.local.runtime.host import LambdaHost
from remediator.local.scheduler import Scheduler

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.local.clock import Clock
    from remediator.local.cloudformation.stack import Event

CLOUDFORMATION: Final = "cloudformation.amazonaws.com"
_ONE: Final = threading.Lock()


class AlreadyRunning(Exception):  # noqa: N818 - errors are named for what is the case
    """Say that this process hosts an account already: moto's state is the process's."""


class Emulator:
    """Hold moto with our parts in it: IAM, quotas, functions, stacks."""

    def __init__(
        self,
        clock: Clock,
        *,
        port: int,
        real_time_schedules: bool,
        say: Callable[[str], None],
        on_event: Callable[[str, Event], None],
    ) -> None:
        if not _ONE.acquire(blocking=False):
            raise AlreadyRunning("one embedded account at a time in a process")
        self._hooks = Hooks()
        accounts.install(self._hooks)
        self.server = MotoServer(port)
        self.identities: Identities = make_identities()
        self._iam = iam.install(bypass=[self.identities.admin.credentials.access_key])
        self.calls = self._iam.calls
        self.faults = self._iam.faults
        self._quotas = quotas.install()
        self.outbox = Outbox(self.server.endpoint, say)
        self.host = LambdaHost(RuntimeAccount(self.server.endpoint, say), clock)
        self.asynchronous = AsyncInvoker(self.host, clock, deployed, self.outbox)
        self.faults.kill = self._kill
        lambda_repairs.install(self._hooks)
        secret_batches.install(self._hooks)
        LambdaService(self.host, self.asynchronous).install(self._hooks)
        CloudFormationService(self._services, on_event).install(self._hooks)
        self.doors = Doors(door.Surroundings(self.host, deployed, url_service.auth_type, self.calls, self.faults))
        url_service.install(self._hooks, self.doors)
        self.scheduler = Scheduler(
            scheduler.Surroundings(
                endpoint=self.server.endpoint,
                clock=clock,
                schedules=schedules,
                session=service_session,
                asynchronous=self.asynchronous,
                dead_letters=self.outbox,
                say=say,
            ),
            real_time=real_time_schedules,
        )
        self.server.preload()

    def clients(self, region: str, identity: str = "admin") -> Clients:
        """Return clients with a user's keys: `admin`, `operator` or `vendor`."""
        credentials = getattr(self.identities, identity).credentials
        return Clients(self.server.endpoint, region, credentials)

    def close(self) -> None:
        """Take everything out of moto and forget its state."""
        self.scheduler.close()
        self.asynchronous.close()
        self.doors.close_all()
        self.host.close()
        self._hooks.remove()
        self._quotas()
        self._iam.uninstall()
        self.server.close()
        _ONE.release()

    def _services(self, account: str, region: str, role_arn: str | None) -> ServiceClients:
        """Return the rights of a stack: its role's, if it was given one, else the administrator's who asked."""
        if role_arn is None:
            credentials = self.identities.admin.credentials
        else:
            credentials = service_session(Acting(role_arn, CLOUDFORMATION), "AWSCloudFormation")
        return ServiceClients(Clients(self.server.endpoint, region, credentials), account)

    def _kill(self, access_key: str) -> None:
        self.host.kill(access_key)
