"""Compare what a stack's template says with what exists, read back through each service's own API.

An emulator that ignores a property says CREATE_COMPLETE all the same; whoever believes it finds out in production. So
nothing is believed: a resource that isn't there, a property that nobody can read back and a value that differs are all
errors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from remediator.local.cloudformation.dynamic import put_in, refers
from remediator.local.cloudformation.parameters import values_of
from remediator.local.cloudformation.registry import TYPES
from remediator.local.cloudformation.resource import Live, Missing, Services
from remediator.local.cloudformation.template import Place, Template, Wanted
from remediator.local.cloudformation.values import Invalid, Value, parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True)
class Lie:
    """Hold one place where the account isn't what the template says."""

    logical_id: str
    type_name: str
    what: str

    def __str__(self) -> str:
        return f"{self.logical_id} ({self.type_name}): {self.what}"


class Unfaithful(Exception):  # noqa: N818 - errors are named for what is the case
    """Say that a deployment isn't what its template says, and list where."""

    def __init__(self, stack: str, lies: list[Lie]) -> None:
        listed = "".join(f"\n  {lie}" for lie in lies)
        super().__init__(f"stack {stack} isn't what its template says:{listed}")
        self.lies = lies


class _Existing:
    """Read a stack's resources back, each once."""

    def __init__(self, services: Services, stack: str) -> None:
        self._services = services
        found = services.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
        self.physical = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}
        self.types = {one["LogicalResourceId"]: one["ResourceType"] for one in found}
        self._live: dict[str, Live] = {}
        self.template: Template | None = None

    def physical_id(self, logical_id: str) -> str:
        """Return what `Ref` gives."""
        if logical_id not in self.physical:
            raise Missing(f"{logical_id} isn't in the stack")
        return str(self.physical[logical_id])

    def attribute(self, logical_id: str, name: str) -> Value:
        """Return what `Fn::GetAtt` gives."""
        attributes = self.read(logical_id).attributes
        if name not in attributes:
            raise Missing(f"{logical_id} shows no {name}")
        return attributes[name]

    def read(self, logical_id: str) -> Live:
        """Return a resource as its service shows it; raises `Missing`."""
        if logical_id not in self._live:
            if self.template is None or logical_id not in self.types:
                raise Missing(f"{logical_id} isn't in the stack")
            properties = self.template.properties(logical_id, self)
            kind = TYPES[self.types[logical_id]]
            self._live[logical_id] = kind.read(self._services, self.physical_id(logical_id), properties)
        return self._live[logical_id]


def confirm(services: Services, stack: str) -> int:
    """Return how many properties of a stack were compared, or raise `Unfaithful` with every lie."""
    existing = _Existing(services, stack)
    template = existing.template = _template(services, stack)
    lies: list[Lie] = []
    compared = 0
    for wanted in template.wanted.values():
        found = list(_examine(services, template, existing, wanted))
        compared += sum(1 for lie in found if lie is None)
        lies += [lie for lie in found if lie is not None]
    lies += [
        Lie(name, existing.types[name], "is in the stack, but not in its template")
        for name in sorted(existing.physical.keys() - template.wanted.keys())
    ]
    if lies:
        raise Unfaithful(stack, lies)
    return compared


def _template(services: Services, stack: str) -> Template:
    cloudformation = services.client("cloudformation")
    described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    body: Any = cloudformation.get_template(StackName=stack)["TemplateBody"]
    document = body if isinstance(body, dict) else parse(body)
    given = {one["ParameterKey"]: one["ParameterValue"] for one in described.get("Parameters", ())}
    partition = described["StackId"].split(":")[1]
    place = Place(services.account, services.region, partition, described["StackId"], described["StackName"])

    def read_ssm(name: str) -> str:
        return str(services.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])

    return Template(document, place, values_of(document.get("Parameters") or {}, given, read_ssm))


def _examine(services: Services, template: Template, existing: _Existing, wanted: Wanted) -> Iterator[Lie | None]:
    """Yield a lie for each property that isn't so, None for each that is."""

    def lie(what: str) -> Lie:
        return Lie(wanted.logical_id, wanted.type_name, what)

    if wanted.type_name not in TYPES:
        yield lie("nobody here knows this type")
        return
    if wanted.logical_id not in existing.physical:
        yield lie("the stack doesn't have it")
        return
    try:
        properties = template.properties(wanted.logical_id, existing)
        live = existing.read(wanted.logical_id)
    except (Missing, Invalid, ClientError) as error:
        yield lie(f"can't be read back: {error}")
        return
    for name, value in properties.items():
        lie_there = _compare(services, wanted, live.properties, name, put_in(value, services))
        yield lie(f"{name} differs; it holds a secret") if lie_there and refers(value) else lie_there


def _compare(services: Services, wanted: Wanted, live: Mapping[str, Any], name: str, value: Value) -> Lie | None:
    if live.get(name) is None:
        return Lie(wanted.logical_id, wanted.type_name, f"{name} can't be read back; the template says {value!r}")
    if TYPES[wanted.type_name].agrees(services, name, value, live[name]):
        return None
    what = f"{name} is {live[name]!r}, the template says {value!r}"
    return Lie(wanted.logical_id, wanted.type_name, what)
