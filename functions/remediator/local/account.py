"""Start an AWS account in this process: deployable, enforced, with one clock."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final, Self

from remediator.local.clients import Clients, ServiceClients
from remediator.local.clock import Clock
from remediator.local.deploy import TOOLKIT_STACK, App, Target, deploy
from remediator.local.emulator.identities import CUSTOMER_ACCOUNT
from remediator.local.emulator.installed import Emulator
from remediator.local.iam import organization
from remediator.local.runtime.interpreters import interpreter_for
from remediator.local.witness import confirm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from botocore.client import BaseClient

    from remediator.local.calls import CallLog
    from remediator.local.cloudformation.history import Event
    from remediator.local.emulator.event_rules import EventRules
    from remediator.local.emulator.identities import Identities
    from remediator.local.faults import Faults
    from remediator.local.runtime.functions import Credentials
    from remediator.local.runtime.host import Invocation, LambdaHost
    from remediator.local.scheduler import Scheduler

REGION: Final = "eu-west-1"
ROTATION: Final = "remediator-rotate"
_ROTATION_SECONDS: Final = 60.0


class RotationFailed(Exception):  # noqa: N818 - errors are named for what is the case
    """Say why a rotation that was asked for didn't succeed."""


def _silent(_: str) -> None:
    """Say nothing."""


class EmbeddedAccount:
    """Hold a customer's account, and a vendor's beside it. One at a time in a process."""

    def __init__(
        self,
        *,
        region: str = REGION,
        port: int = 0,
        latency_ms: int = 0,
        real_time_schedules: bool = False,
        say: Callable[[str], None] = _silent,
    ) -> None:
        self.region = region
        self.clock = Clock()
        self.outputs: dict[str, str] = {}
        self.stack_name: str | None = None
        self._port = port
        self._latency_ms = latency_ms
        self._real_time = real_time_schedules
        self._say = say
        self._bootstrapped = False
        self._clients: dict[tuple[str, str], Clients] = {}
        self._emulator: Emulator | None = None
        self._external_id = f"vendor-issued-{secrets.token_hex(16)}"

    def __enter__(self) -> Self:
        self._emulator = Emulator(
            self.clock, port=self._port, real_time_schedules=self._real_time, say=self._say, on_event=self._on_event
        )
        self.faults.latency(self._latency_ms)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.control(None)
        if self._emulator is not None:
            self._emulator.close()
        self._emulator = None
        self._clients.clear()
        self.clock.close()

    @property
    def endpoint(self) -> str:
        """Return the URL under which every service answers."""
        return self._running.server.endpoint

    @property
    def identities(self) -> Identities:
        """Return who there is."""
        return self._running.identities

    @property
    def faults(self) -> Faults:
        """Return the faults, to be switched on."""
        return self._running.faults

    def control(self, document: Mapping[str, Any] | None) -> None:
        """Put the account under a service control policy, as its organisation would; None takes it away.

        The administrator, whom IAM doesn't stop here, isn't stopped by it either.
        """
        organization.control(CUSTOMER_ACCOUNT, document)

    @property
    def calls(self) -> CallLog:
        """Return the log of every API call."""
        return self._running.calls

    @property
    def host(self) -> LambdaHost:
        """Return what runs the functions."""
        return self._running.host

    @property
    def scheduler(self) -> Scheduler:
        """Return what fires the schedules."""
        return self._running.scheduler

    @property
    def rules(self) -> EventRules:
        """Return what delivers events."""
        return self._running.rules

    def client(self, service: str, credentials: Credentials | None = None, region: str | None = None) -> BaseClient:
        """Return an SDK client: the administrator's, or of whoever holds `credentials`."""
        chosen = credentials or self.identities.admin.credentials
        who = (chosen.access_key, region or self.region)
        if who not in self._clients:
            self._clients[who] = Clients(self.endpoint, who[1], chosen)
        return self._clients[who].client(service)

    def parameters(self) -> dict[str, str]:
        """Return the deployment's parameters that have no default: who the vendor and the operator are."""
        return {
            "vendor_principal_arn": self.identities.vendor.arn,
            "operator_principal_arn": self.identities.operator.arn,
            "external_id": self._external_id,
        }

    def deploy(self, app: App | None = None, **context: str) -> dict[str, str]:
        """Deploy with the CDK CLI, then compare every resource with its template; return the stack's outputs.

        `context` adds to the parameters. Raises `DeployFailed`, or `Unfaithful` if the account isn't as it says.
        """
        chosen = app or App(context={**self.parameters(), **context})
        admin = self.identities.admin.credentials
        target = Target(self.endpoint, CUSTOMER_ACCOUNT, self.region, admin)
        self.outputs = deploy(chosen, target, self._say, bootstrapped=self._bootstrapped)
        self._bootstrapped = True
        self.stack_name = chosen.stack
        self._say_interpreters()
        for stack in (TOOLKIT_STACK, chosen.stack):
            compared = self.confirm(stack)
            self._say(f"{stack}: {compared} properties are as the template says")
        return self.outputs

    def _say_interpreters(self) -> None:
        """Say under which Python the functions run; raises `NoRuntime` where none can."""
        client: Any = self.client("lambda")
        runtimes = {function["Runtime"] for function in client.list_functions()["Functions"]}
        for runtime in sorted(runtimes):
            self._say(f"{runtime} functions run under {interpreter_for(runtime).remark}")

    def confirm(self, stack: str) -> int:
        """Compare a stack with its template; return how many properties were. Raises `Unfaithful`."""
        admin = Clients(self.endpoint, self.region, self.identities.admin.credentials)
        return confirm(ServiceClients(admin, CUSTOMER_ACCOUNT), stack)

    def rotate(self) -> Invocation:
        """Fire the rotation now, and wait; raises `RotationFailed`."""
        firing = self.scheduler.fire(ROTATION)
        if not firing.deliveries:
            raise RotationFailed("; ".join(firing.refusals))
        delivery = firing.deliveries[0]
        if not delivery.wait(_ROTATION_SECONDS) or delivery.condition != "Success":
            tail = delivery.invocations[-1].log_tail if delivery.invocations else "it didn't run"
            raise RotationFailed(f"{delivery.condition}: {tail}")
        return delivery.invocations[-1]

    def describe(self) -> dict[str, Any]:
        """Return what an outside client needs; it holds keys, so write it where only its owner reads."""
        return {
            "aws_endpoint_url": self.endpoint,
            "region": self.region,
            "account_id": CUSTOMER_ACCOUNT,
            "stack": self.stack_name,
            "outputs": dict(self.outputs),
            "vendor_principal_arn": self.identities.vendor.arn,
            "operator_principal_arn": self.identities.operator.arn,
            "vendor_credentials": self.identities.vendor.describe(),
            "operator_credentials": self.identities.operator.describe(),
            "admin_credentials": self.identities.admin.describe(),
            **_flattened(self.outputs),
        }

    @property
    def _running(self) -> Emulator:
        if self._emulator is None:
            raise RuntimeError("the account isn't started: use it as a context manager")
        return self._emulator

    def _on_event(self, stack: str, event: Event) -> None:
        if event.status.endswith("_FAILED"):
            self._say(f"{stack}: {event.logical_id} {event.status}: {event.reason}")


def _flattened(outputs: Mapping[str, str]) -> dict[str, Any]:
    """Return the outputs under the names that clients in other languages look for."""
    if "Endpoint" not in outputs:
        return {}
    return {
        "endpoint_url": outputs["Endpoint"],
        "reader_role_arn": outputs["ReaderRoleArn"],
        "operator_role_arn": outputs["OperatorRoleArn"],
        "reader_external_id": outputs["ExternalId"],
        "seed_secrets": outputs["SeedSecrets"].split(","),
        "deployment": outputs["Deployment"],
    }
