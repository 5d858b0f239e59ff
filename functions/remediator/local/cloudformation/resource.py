"""Say what every resource type can do."""

from __future__ import annotations

import contextlib
import secrets
import string
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol

from botocore.exceptions import ClientError

from remediator.local.cloudformation.comparison import same

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from remediator.local.cloudformation.values import Properties, Value

_SUFFIX: Final = string.ascii_letters + string.digits


class Client(Protocol):
    """Call operations of one service, as boto3's clients do."""

    def __getattr__(self, operation: str) -> Callable[..., Any]: ...


class Services(Protocol):
    """Reach every service of the account, with the rights that the stack is deployed with."""

    region: str
    account: str

    def client(self, service: str) -> Client:
        """Return a client of one service."""


@dataclass(frozen=True, slots=True)
class Naming:
    """Make the names that CloudFormation gives to what the template doesn't name."""

    stack_name: str
    logical_id: str

    def generate(self, limit: int = 64) -> str:
        """Return stack, logical id and a random suffix, cut to `limit` characters."""
        suffix = "".join(secrets.choice(_SUFFIX) for _ in range(12))
        return f"{f'{self.stack_name}-{self.logical_id}'[: limit - 13]}-{suffix}"


@dataclass(frozen=True, slots=True)
class Live:
    """Hold a resource as its service shows it: properties in the template's words, and attributes."""

    properties: Mapping[str, Any]
    attributes: Mapping[str, Any] = field(default_factory=dict)


class Missing(Exception):  # noqa: N818 - errors are named for what is the case
    """Say that a resource doesn't exist."""


class ResourceType(ABC):
    """Make, change, remove and read back resources of one type, each through its service's own API."""

    name: ClassVar[str]
    #: The properties that it can set; every other one in a template is refused.
    settable: ClassVar[frozenset[str]]
    #: The properties whose change needs a new resource.
    replacing: ClassVar[frozenset[str]] = frozenset()

    @abstractmethod
    def create(self, services: Services, naming: Naming, wanted: Properties) -> str:
        """Make it; return its physical id."""

    @abstractmethod
    def update(self, services: Services, physical_id: str, before: Properties, wanted: Properties) -> None:
        """Change it from what the template said before to what it says now."""

    @abstractmethod
    def delete(self, services: Services, physical_id: str, properties: Properties) -> None:
        """Remove it."""

    @abstractmethod
    def read(self, services: Services, physical_id: str, properties: Properties) -> Live:
        """Read it back; raises `Missing`. `properties` may be asked for what identifies it, for nothing else."""

    def agrees(self, services: Services, name: str, wanted: Value, live: Value) -> bool:
        """Say if a property is as the template wants it; the stack and the service may have added tags."""
        del services
        if name == "Tags":
            return all(tag in live for tag in wanted)
        return same(wanted, live)


@contextlib.contextmanager
def missing_if(*codes: str) -> Iterator[None]:
    """Turn a service's own errors for what doesn't exist into `Missing`."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in codes:
            raise Missing(str(error)) from error
        raise


def pick(source: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return the entries that are there and aren't None."""
    return {name: source[name] for name in names if source.get(name) is not None}


def tag_map(tags: Value) -> dict[str, str]:
    """Return a template's tags, a list of pairs, as an object."""
    return {tag["Key"]: tag["Value"] for tag in tags or []}


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags that a service shows as an object in a template's form, without CloudFormation's own."""
    return [{"Key": key, "Value": value} for key, value in tags.items() if not key.startswith("aws:")]
