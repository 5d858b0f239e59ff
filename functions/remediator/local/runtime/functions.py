"""Describe a deployed function, and what its host needs from the account around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Function:
    """Hold a function's configuration as it was when an invocation began."""

    arn: str
    name: str
    account: str
    region: str
    runtime: str
    handler: str
    code: bytes
    code_digest: str
    role_arn: str
    environment: Mapping[str, str]
    timeout: int
    memory: int
    log_group: str
    log_format: str = "Text"
    reserved: int | None = None
    dead_letter_arn: str | None = None
    retries: int = 2
    maximum_age: int = 21_600
    on_failure_arn: str | None = None
    on_success_arn: str | None = None

    @property
    def revision(self) -> tuple[object, ...]:
        """Return what a sandbox was started with: one of another revision can't serve this function."""
        variables = tuple(sorted(self.environment.items()))
        launch = (self.code_digest, self.handler, self.runtime, self.role_arn, self.memory, self.timeout)
        return (*launch, self.log_group, self.log_format, variables)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Hold a session's keys; `expires` in seconds since the epoch by the account's clock."""

    access_key: str
    secret_key: str
    token: str
    expires: float


@dataclass(frozen=True, slots=True)
class LogEvent:
    """Hold one log event; `at` in milliseconds since the epoch."""

    at: int
    message: str


@dataclass(frozen=True, slots=True)
class Acting:
    """Say as which role a service acts, and for which resource."""

    role_arn: str
    service: str
    source_arn: str | None = None


class Account(Protocol):
    """Give the host what Lambda takes from the account: sessions of the execution role, and a place for logs."""

    @property
    def endpoint(self) -> str:
        """Return the URL under which every service answers."""

    def session(self, acting: Acting, name: str) -> Credentials:
        """Assume a role as an AWS service does; raises `Unassumable` if its trust policy doesn't let the service."""

    def put_logs(self, function: Function, stream: str, access_key: str, events: Sequence[LogEvent]) -> None:
        """Write log events with the execution role's own right to do so."""


class Unassumable(Exception):  # noqa: N818 - errors are named for what is the case
    """Say that a role doesn't exist, or doesn't trust the service that needs it."""


class Throttled(Exception):  # noqa: N818 - errors are named for what is the case
    """Say that every concurrent invocation that the function may have is under way."""
