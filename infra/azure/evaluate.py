"""Evaluate an ARM template to the resources that Azure would be asked for.

What only Azure knows (the ids of identities, hosts of services, `guid`, `uniqueString`) is stood in for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from infra.azure.arm_functions import FUNCTIONS, guid, resource_path
from infra.azure.expressions import Access, Call, Literal, Malformed, is_expression, parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.azure.expressions import Expression

TYPES: Final = {"string": str, "securestring": str, "int": int, "bool": bool, "array": list, "object": dict}


@dataclass(frozen=True, slots=True)
class Place:
    """Say where a template is deployed to."""

    subscription: str
    group: str
    location: str
    tenant: str

    @property
    def group_id(self) -> str:
        """Return the resource group's id."""
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"


@dataclass(frozen=True, slots=True)
class Resource:
    """Hold a resource as it is put: its id, its body, what it waits for and what it refers to."""

    id: str
    type: str
    api: str
    body: Mapping[str, Any]
    after: frozenset[str]
    referred: frozenset[str]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """Hold what a template comes to."""

    resources: Sequence[Resource]
    outputs: Mapping[str, Any]

    def of_type(self, kind: str) -> list[Resource]:
        """Return the resources of a type."""
        return [one for one in self.resources if one.type == kind]


def evaluate(template: Mapping[str, Any], given: Mapping[str, Any], place: Place) -> Evaluated:
    """Return resources and outputs, or raise `Malformed`."""
    scene = _Scene(template, _parameters(template, given, place), place)
    resources: list[Resource] = []
    for written in template["resources"]:
        resources += _resources(scene, written)
    resources = [replace(one, after=one.after - scene.absent) for one in resources]
    twice = {one.id.lower() for one in resources}
    if len(twice) < len(resources):
        raise Malformed("two resources have the same id")
    outputs = {name: scene.value(one["value"]) for name, one in template.get("outputs", {}).items()}
    return Evaluated(resources, outputs)


def _parameters(template: Mapping[str, Any], given: Mapping[str, Any], place: Place) -> dict[str, Any]:
    declared = template.get("parameters", {})
    if given.keys() - declared.keys():
        raise Malformed(f"no such parameter: {', '.join(sorted(given.keys() - declared.keys()))}")
    scene = _Scene(template, {}, place)
    found = {}
    for name, one in declared.items():
        if name not in given and "defaultValue" not in one:
            raise Malformed(f"the parameter {name} is missing")
        found[name] = given[name] if name in given else scene.value(one["defaultValue"])
        _check(name, one, found[name])
    return found


def _check(name: str, declared: Mapping[str, Any], value: Any) -> None:  # noqa: ANN401 - any JSON value
    """Raise `Malformed` if a parameter's value isn't what is declared."""
    kind: type[Any] = TYPES[declared["type"].lower()]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise Malformed(f"the parameter {name} is no {declared['type']}")
    size = value if isinstance(value, int) else len(value)
    low, high = ("minValue", "maxValue") if isinstance(value, int) else ("minLength", "maxLength")
    if not declared.get(low, size) <= size <= declared.get(high, size):
        raise Malformed(f"the parameter {name} is too large or too small")
    if value not in declared.get("allowedValues", [value]):
        raise Malformed(f"the parameter {name} is none of {declared['allowedValues']}")


def _resources(scene: _Scene, written: Mapping[str, Any]) -> list[Resource]:
    copy = written.get("copy")
    count = scene.value(copy["count"]) if copy else 1
    loops = [{copy["name"]: index, "": index} for index in range(count)] if copy else [{}]
    found = [_resource(scene.within(loop), written) for loop in loops]
    return [one for one in found if one is not None]


def _resource(scene: _Scene, written: Mapping[str, Any]) -> Resource | None:
    apart = ("type", "apiVersion", "name", "copy", "condition", "dependsOn", "scope")
    name, scope = scene.value(written["name"]), scene.value(written.get("scope", scene.place.group_id))
    path = resource_path(written["type"], *name.split("/"))
    if not scene.value(written.get("condition", True)):
        scene.absent.add(f"{scope}/{path}")
        return None
    after = frozenset(scene.value(one) for one in written.get("dependsOn", ()))
    scene.referred.clear()
    body = {key: scene.value(value) for key, value in written.items() if key not in apart}
    referred = frozenset(scene.referred)
    return Resource(f"{scope}/{path}", written["type"], written["apiVersion"], body, after, referred)


@dataclass(slots=True)
class _Scene:
    """Evaluate values of one template, at one turn of its loops."""

    template: Mapping[str, Any]
    given: Mapping[str, Any]
    place: Place
    loops: Mapping[str, int] = field(default_factory=dict)
    referred: set[str] = field(default_factory=set)
    absent: set[str] = field(default_factory=set)
    """What a condition leaves out: nothing waits for it, as Azure drops such a dependency by itself."""

    def within(self, loops: Mapping[str, int]) -> _Scene:
        return _Scene(self.template, self.given, self.place, {**self.loops, **loops}, self.referred, self.absent)

    def value(self, written: Any) -> Any:  # noqa: ANN401 - any JSON value
        if isinstance(written, str):
            if is_expression(written):
                return self._value(parse(written))
            return written[1:] if written.startswith("[[") else written
        if isinstance(written, list):
            return [self.value(one) for one in written]
        if not isinstance(written, dict):
            return written
        whole = {self.value(name): self.value(one) for name, one in written.items() if name != "copy"}
        for copy in written.get("copy", ()):
            whole[copy["name"]] = self._copied(copy)
        return whole

    def _copied(self, copy: Mapping[str, Any]) -> list[Any]:
        count = self.value(copy["count"])
        return [self.within({copy["name"]: index}).value(copy["input"]) for index in range(count)]

    def _value(self, expression: Expression) -> Any:  # noqa: ANN401 - any JSON value
        if isinstance(expression, Literal):
            return expression.value
        if isinstance(expression, Access):
            inside, key = self._value(expression.inside), self._value(expression.key)
            try:
                return inside[key]
            except (LookupError, TypeError):
                raise Malformed(f"there is no {key!r} in {inside!r}") from None
        return self._called(expression)

    def _called(self, call: Call) -> Any:  # noqa: ANN401 - any JSON value
        if call.function == "if":
            condition, then, otherwise = call.arguments
            return self._value(then if self._value(condition) else otherwise)
        arguments = [self._value(one) for one in call.arguments]
        own = getattr(self, f"_call_{re.sub('[A-Z]', lambda one: f'_{one[0].lower()}', call.function)}", None)
        function = own or FUNCTIONS.get(call.function)
        if function is None:
            raise Malformed(f"no function {call.function} is known")
        return function(*arguments)

    def _call_parameters(self, name: str) -> Any:  # noqa: ANN401 - any JSON value
        if name not in self.given:
            raise Malformed(f"no parameter {name} is declared")
        return self.given[name]

    def _call_variables(self, name: str) -> Any:  # noqa: ANN401 - any JSON value
        variables = self.template.get("variables", {})
        for copy in variables.get("copy", ()):
            if copy["name"] == name:
                return self._copied(copy)
        if name not in variables:
            raise Malformed(f"no variable {name} is declared")
        return self.value(variables[name])

    def _call_copy_index(self, loop: str = "", offset: int = 0) -> int:
        if loop not in self.loops:
            raise Malformed(f"there is no loop {loop!r} here")
        return self.loops[loop] + offset

    def _call_resource_group(self) -> dict[str, str]:
        return {"id": self.place.group_id, "name": self.place.group, "location": self.place.location}

    def _call_subscription(self) -> dict[str, str]:
        found = self.place.subscription
        return {"id": f"/subscriptions/{found}", "subscriptionId": found, "tenantId": self.place.tenant}

    def _call_tenant(self) -> dict[str, str]:
        return {"tenantId": self.place.tenant}

    def _call_new_guid(self) -> str:
        return guid(self.place.group_id, "new")

    def _call_resource_id(self, kind: str, *names: str) -> str:
        return f"{self.place.group_id}/{resource_path(kind, *names)}"

    def _call_subscription_resource_id(self, kind: str, *names: str) -> str:
        return f"/subscriptions/{self.place.subscription}/{resource_path(kind, *names)}"

    def _call_reference(self, id: str, api: str) -> dict[str, Any]:  # noqa: A002 - ARM's word
        self.referred.add(id)
        return _stand_in(id, api)


def _stand_in(id: str, api: str) -> dict[str, Any]:  # noqa: A002 - ARM's word
    """Return what Azure would say of a resource, of what the template asks for."""
    kind, name = id.rpartition("/providers/")[2].rsplit("/", 1)
    service = f"https://{name}.{{}}.core.windows.net/"
    known: dict[str, dict[str, Any]] = {
        "Microsoft.ManagedIdentity/userAssignedIdentities": {
            "principalId": guid(id, "principal"),
            "clientId": guid(id, "client"),
        },
        "Microsoft.Insights/components": {"ConnectionString": f"InstrumentationKey={guid(id)}"},
        "Microsoft.Storage/storageAccounts": {
            "primaryEndpoints": {one: service.format(one) for one in ("blob", "queue", "table")}
        },
        "Microsoft.KeyVault/vaults": {"vaultUri": f"https://{name}.vault.azure.net/"},
        "Microsoft.EventGrid/topics": {"endpoint": f"https://{name}.westeurope-1.eventgrid.azure.net/api/events"},
        "Microsoft.Web/sites": {"defaultHostName": f"{name}.azurewebsites.net"},
    }
    if kind not in known or not api:
        raise Malformed(f"nothing stands in for {kind} of {api!r}")
    return known[kind]
