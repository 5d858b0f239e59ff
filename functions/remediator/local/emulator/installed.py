"""Put everything of ours into moto, and take it out again."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from remediator.local import iam, quotas, scheduler
from remediator.local.clients import Clients, ServiceClients
from remediator.local.emulator import (
    accounts,
    bucket_settings,
    lambda_policies,
    lambda_repairs,
    secret_batches,
    slow_changes,
    transactions,
    url_service,
)
from remediator.local.emulator.cloudformation_service import CloudFormationService
from remediator.local.emulator.event_rules import EventRules
from remediator.local.emulator.hooks import Hooks
from remediator.local.emulator.identities import Identities, make_identities
from remediator.local.emulator.lambda_service import LambdaService, deployed
from remediator.local.emulator.outbox import Outbox
from remediator.local.emulator.runtime_account import RuntimeAccount
from remediator.local.emulator.schedules import schedules
from remediator.local.emulator.server import MotoServer
from remediator.local.emulator.sessions import service_session
from remediator.local.emulator.trail import Trail
from remediator.local.function_url import door
from remediator.local.function_url.door import Doors
from remediator.local.runtime.asynchronous import AsyncInvoker
from remediator.local.runtime.functions import Acting
from remediator.local.runtime.host import LambdaHost
from remediator.local.scheduler import Scheduler

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.local.clock import Clock
    from remediator.local.cloudformation.history import Event

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
        with ExitStack() as undo:  # what was begun is undone if the rest fails: a port that is taken, for one
            undo.callback(_ONE.release)
            self._start(undo, clock, port, say, on_event)
            self._fire(undo, clock, say, real_time=real_time_schedules)
            self._undo = undo.pop_all()

    def _start(
        self,
        undo: ExitStack,
        clock: Clock,
        port: int,
        say: Callable[[str], None],
        on_event: Callable[[str, Event], None],
    ) -> None:
        """Start the services, then put our parts into them."""
        hooks = Hooks()
        undo.callback(hooks.remove)
        accounts.install(hooks)
        self.server = MotoServer(port)
        undo.callback(self.server.close)
        self.identities: Identities = make_identities()
        enforced = iam.install(bypass=[self.identities.admin.credentials.access_key])
        undo.callback(enforced.uninstall)
        self.calls, self.faults = enforced.calls, enforced.faults
        self.faults.kill = self._kill
        undo.callback(quotas.install())
        lambda_repairs.install(hooks)
        lambda_policies.install(hooks)
        bucket_settings.install(hooks)
        secret_batches.install(hooks)
        transactions.install(hooks)
        slow_changes.install(hooks, lambda: self.faults.settling_seconds)
        self.outbox = Outbox(self.server.endpoint, say)
        self.host = LambdaHost(RuntimeAccount(self.server.endpoint, say), clock)
        undo.callback(self.host.close)
        self.asynchronous = AsyncInvoker(self.host, clock, deployed, self.outbox)
        undo.callback(self.asynchronous.close)
        self.rules = EventRules(self.outbox, self.asynchronous, say)
        self.rules.install(hooks)
        undo.callback(self.rules.close)
        enforced.witness = self._trail = Trail(self.rules)
        LambdaService(self.host, self.asynchronous).install(hooks)
        CloudFormationService(self._services, on_event).install(hooks)
        self.doors = Doors(door.Surroundings(self.host, deployed, url_service.auth_type, self.calls, self.faults))
        undo.callback(self.doors.close_all)
        url_service.install(hooks, self.doors)
        self.server.preload()

    def _fire(self, undo: ExitStack, clock: Clock, say: Callable[[str], None], *, real_time: bool) -> None:
        """Start what fires schedules."""
        surroundings = scheduler.Surroundings(
            endpoint=self.server.endpoint,
            clock=clock,
            schedules=schedules,
            session=service_session,
            asynchronous=self.asynchronous,
            dead_letters=self.outbox,
            say=say,
        )
        self.scheduler = Scheduler(surroundings, real_time=real_time)
        undo.callback(self.scheduler.close)

    def clients(self, region: str, identity: str = "admin") -> Clients:
        """Return clients with a user's keys: `admin`, `operator` or `vendor`."""
        credentials = getattr(self.identities, identity).credentials
        return Clients(self.server.endpoint, region, credentials)

    def close(self) -> None:
        """Take everything out of moto and forget its state."""
        self._undo.close()

    def _services(self, account: str, region: str, role_arn: str | None) -> ServiceClients:
        """Return the rights of a stack: its role's, if it was given one, else the administrator's who asked."""
        if role_arn is None:
            credentials = self.identities.admin.credentials
        else:
            credentials = service_session(Acting(role_arn, CLOUDFORMATION), "AWSCloudFormation")
            self._trail.stacks.add(credentials.access_key)
        return ServiceClients(Clients(self.server.endpoint, region, credentials), account)

    def _kill(self, access_key: str) -> None:
        self.host.kill(access_key)
