"""Hold one template with its parameters: what it wants, in which order, and what it gives out."""

from __future__ import annotations

from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any, Final, Protocol

from remediator.local.cloudformation.dynamic import refers
from remediator.local.cloudformation.intrinsics import decide, references, resolve
from remediator.local.cloudformation.values import NO_VALUE, Invalid, Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SECTIONS: Final = frozenset(
    (
        *("AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Mappings", "Conditions", "Rules"),
        *("Resources", "Outputs"),
    )
)
_RESOURCE_KEYS: Final = frozenset(
    ("Type", "Properties", "DependsOn", "Condition", "Metadata", "DeletionPolicy", "UpdateReplacePolicy")
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Hold a resource as the template writes it."""

    logical_id: str
    type_name: str
    properties: Mapping[str, Any]
    deletion_policy: str = "Delete"
    replace_policy: str = "Delete"


@dataclass(frozen=True, slots=True)
class Output:
    """Hold an output's value, its description and the name under which it is exported."""

    key: str
    value: str
    description: str | None
    export: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """Say where a stack is: what the pseudo parameters give."""

    account: str
    region: str
    partition: str
    stack_id: str
    stack_name: str

    def pseudo(self) -> dict[str, Value]:
        """Return the pseudo parameters."""
        return {
            "AWS::AccountId": self.account,
            "AWS::Region": self.region,
            "AWS::Partition": self.partition,
            "AWS::StackId": self.stack_id,
            "AWS::StackName": self.stack_name,
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::NotificationARNs": [],
            "AWS::NoValue": NO_VALUE,
        }


class Resources(Protocol):
    """Know the resources that exist by now."""

    def physical_id(self, logical_id: str) -> str:
        """Return a resource's physical id."""

    def attribute(self, logical_id: str, name: str) -> Value:
        """Return an attribute of a resource."""


class _Scope:
    def __init__(self, template: Template, resources: Resources | None) -> None:
        self._template = template
        self._resources = resources

    def ref(self, name: str) -> Value:
        if name in self._template.names:
            return self._template.names[name]
        return self._existing(name).physical_id(name)

    def attribute(self, resource: str, name: str) -> Value:
        return self._existing(resource).attribute(resource, name)

    def mapping(self, name: str) -> Mapping[str, Mapping[str, Value]]:
        mapping: Mapping[str, Mapping[str, Value]] = self._template.document["Mappings"][name]
        return mapping

    def condition(self, name: str) -> bool:
        conditions = self._template.document.get("Conditions", {})
        if name not in conditions:
            raise Invalid(f"Template error: unresolved condition dependency {name}")
        return decide(conditions[name], self)

    def _existing(self, name: str) -> Resources:
        if self._resources is None or name not in self._template.document["Resources"]:
            raise Invalid(f"Template error: instance of Ref or Fn::GetAtt references undefined resource {name}")
        return self._resources


class Template:
    """Answer every question about a template; raises `Invalid` for what CloudFormation would refuse."""

    def __init__(self, document: Mapping[str, Any], place: Place, parameters: Mapping[str, Value]) -> None:
        unknown = sorted(document.keys() - _SECTIONS)
        if unknown:
            raise Invalid(f"Template format error: section {', '.join(unknown)} isn't supported")
        self.document = document
        self.names: dict[str, Value] = {**place.pseudo(), **parameters}
        self.wanted = {wanted.logical_id: wanted for wanted in self._read_resources()}
        self._check_rules()

    def order(self) -> list[str]:
        """Return the logical ids so that each comes after what it depends on."""
        graph = {name: self._dependencies(name) for name in self.wanted}
        try:
            return list(TopologicalSorter(graph).static_order())
        except CycleError as error:
            raise Invalid(
                f"Circular dependency between resources: [{', '.join(sorted(set(error.args[1])))}]"
            ) from error

    def properties(self, logical_id: str, resources: Resources) -> dict[str, Value]:
        """Return a resource's properties with everything resolved."""
        resolved: dict[str, Value] = resolve(dict(self.wanted[logical_id].properties), _Scope(self, resources))
        return resolved

    def outputs(self, resources: Resources) -> Iterator[Output]:
        """Yield the outputs whose condition holds."""
        scope = _Scope(self, resources)
        for key, output in (self.document.get("Outputs") or {}).items():
            if "Condition" in output and not scope.condition(output["Condition"]):
                continue
            if refers(resolve(output["Value"], scope)):
                raise Invalid(f"Template error: output {key} can't hold a dynamic reference")
            export = resolve(output["Export"]["Name"], scope) if "Export" in output else None
            yield Output(key, str(resolve(output["Value"], scope)), output.get("Description"), export)

    def _read_resources(self) -> Iterator[Wanted]:
        scope = _Scope(self, None)
        for logical_id, resource in self.document["Resources"].items():
            unknown = sorted(resource.keys() - _RESOURCE_KEYS)
            if unknown:
                raise Invalid(f"Invalid template resource property '{unknown[0]}' of {logical_id}")
            if "Condition" in resource and not scope.condition(resource["Condition"]):
                continue
            yield Wanted(
                logical_id,
                resource["Type"],
                resource.get("Properties", {}),
                resource.get("DeletionPolicy", "Delete"),
                resource.get("UpdateReplacePolicy", "Delete"),
            )

    def _dependencies(self, logical_id: str) -> set[str]:
        resource = self.document["Resources"][logical_id]
        explicit = resource.get("DependsOn", [])
        named = {explicit} if isinstance(explicit, str) else set(explicit)
        return {name for name in (*named, *references(resource.get("Properties", {}))) if name in self.wanted}

    def _check_rules(self) -> None:
        scope = _Scope(self, None)
        for rule in (self.document.get("Rules") or {}).values():
            if "RuleCondition" in rule and not decide(rule["RuleCondition"], scope):
                continue
            for assertion in rule["Assertions"]:
                if not decide(assertion["Assert"], scope):
                    raise Invalid(f"Template rule failed: {assertion.get('AssertDescription', 'assertion is false')}")
