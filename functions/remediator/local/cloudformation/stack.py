"""Carry out one stack: create, update with rollback, delete.

The order, the events and the states are CloudFormation's; so is what happens to a resource whose properties didn't
change: nothing, whatever somebody else did to it since.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from remediator.local.cloudformation.dynamic import put_in
from remediator.local.cloudformation.history import FAILURES, Event, Failed, explain, summary
from remediator.local.cloudformation.registry import TYPES
from remediator.local.cloudformation.resource import Naming
from remediator.local.cloudformation.values import Invalid, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from remediator.local.cloudformation.resource import Services
    from remediator.local.cloudformation.template import Output, Place, Template, Wanted

STACK_TYPE: Final = "AWS::CloudFormation::Stack"


@dataclass(frozen=True, slots=True)
class Resource:
    """Hold a resource that exists, and what it was made from."""

    wanted: Wanted
    physical_id: str
    properties: Mapping[str, Any]
    attributes: dict[str, Value] = field(default_factory=dict, compare=False)


class Action(enum.Enum):
    """Name what an update did to a resource."""

    CREATED = "created"
    CHANGED = "changed"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class _Step:
    action: Action
    now: Resource
    before: Resource | None = None


class Stack:
    """Hold one stack's resources, its state and its history."""

    def __init__(self, place: Place, tell: Callable[[Event], None]) -> None:
        self.place = place
        self.template: Template | None = None
        self.resources: dict[str, Resource] = {}
        self.outputs: list[Output] = []
        self.status = "REVIEW_IN_PROGRESS"
        self.reason: str | None = None
        self._tell = tell
        self._services: Services | None = None
        self._tags: Mapping[str, str] = {}

    def create(self, template: Template, services: Services, tags: Mapping[str, str], *, rollback: bool = True) -> None:
        """Make every resource; if one fails, take away what was made, unless rollback is off."""
        self._begin("CREATE_IN_PROGRESS", services, tags)
        self.template = template
        try:
            for logical_id in template.order():
                self._create(logical_id)
            self.outputs = list(template.outputs(self))
        except (Failed, Invalid) as failure:
            self._fail_creation(failure, rollback=rollback)
            return
        self._end("CREATE_COMPLETE")

    def update(self, template: Template, services: Services, tags: Mapping[str, str]) -> None:
        """Bring every resource to what the template says now; if one fails, back to what it said before.

        Raises `Invalid` if there is nothing to do.
        """
        before = (self.template, dict(self.resources), self._tags, self.outputs)
        if self.template is not None and self._unchanged(template, tags):
            raise Invalid("No updates are to be performed.")
        self._begin("UPDATE_IN_PROGRESS", services, tags)
        self.template = template
        steps: list[_Step] = []
        try:
            for logical_id in template.order():
                step = self._bring(logical_id)
                if step is not None:
                    steps.append(step)
            self.outputs = list(template.outputs(self))
        except (Failed, Invalid) as failure:
            self._roll_back(steps, failure)
            self.template, self.resources, self._tags, self.outputs = before
            self._end("UPDATE_ROLLBACK_COMPLETE", self.reason)
            return
        self._clean_up(before[1], steps)
        self._end("UPDATE_COMPLETE")

    def delete(self, services: Services) -> None:
        """Remove every resource that the template doesn't retain, last made first."""
        self._begin("DELETE_IN_PROGRESS", services, self._tags)
        failed = self._remove(self.resources)
        if failed:
            self._end("DELETE_FAILED", f"The following resource(s) failed to delete: [{', '.join(failed)}].")
            return
        self._end("DELETE_COMPLETE")

    def physical_id(self, logical_id: str) -> str:
        """Return what `Ref` gives for a resource."""
        if logical_id not in self.resources:
            raise Invalid(f"Template error: {logical_id} isn't part of the stack")
        return self.resources[logical_id].physical_id

    def attribute(self, logical_id: str, name: str) -> Value:
        """Return what `Fn::GetAtt` gives for a resource, read from its service."""
        resource = self.resources.get(logical_id)
        if resource is None:
            raise Invalid(f"Template error: {logical_id} isn't part of the stack")
        if not resource.attributes:
            kind = TYPES[resource.wanted.type_name]
            live = kind.read(self._acting(), resource.physical_id, resource.properties)
            resource.attributes.update(live.attributes)
        if name not in resource.attributes:
            raise Invalid(f"Requested attribute {name} does not exist in schema for {resource.wanted.type_name}")
        return resource.attributes[name]

    def _acting(self) -> Services:
        if self._services is None:
            raise Invalid("the stack isn't being worked on")
        return self._services

    def _begin(self, status: str, services: Services, tags: Mapping[str, str]) -> None:
        self._services, self._tags = services, tags
        self.reason = None
        self._end(status, "User Initiated")

    def _end(self, status: str, reason: str | None = None) -> None:
        self.status, self.reason = status, reason
        self._tell(Event(self.place.stack_name, self.place.stack_id, STACK_TYPE, status, reason))

    def _wanted(self, logical_id: str) -> tuple[Wanted, dict[str, Value]]:
        template = self.template
        if template is None:
            raise Invalid("the stack has no template")
        wanted = template.wanted[logical_id]
        kind = TYPES.get(wanted.type_name)
        if kind is None:
            raise Invalid(f"Resource type {wanted.type_name} isn't supported by the embedded account")
        properties = template.properties(logical_id, self)
        unknown = sorted(properties.keys() - kind.settable)
        if unknown:
            raise Invalid(f"Encountered unsupported property {', '.join(unknown)} of {wanted.type_name}")
        if self._tags and "Tags" in kind.settable:
            own = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", ())}
            merged = {**self._tags, **own}
            properties["Tags"] = [{"Key": key, "Value": value} for key, value in merged.items()]
        return wanted, properties

    def _create(self, logical_id: str) -> Resource:
        wanted = self.template.wanted[logical_id] if self.template else None
        type_name = wanted.type_name if wanted else ""
        self._tell(Event(logical_id, "", type_name, "CREATE_IN_PROGRESS"))
        try:
            wanted, properties = self._wanted(logical_id)
            naming = Naming(self.place.stack_name, logical_id)
            services = self._acting()
            physical_id = TYPES[wanted.type_name].create(services, naming, put_in(properties, services))
        except FAILURES as error:
            reason = explain(error)
            self._tell(Event(logical_id, "", type_name, "CREATE_FAILED", reason))
            raise Failed(logical_id, reason) from error
        resource = self.resources[logical_id] = Resource(wanted, physical_id, properties)
        self._tell(Event(logical_id, physical_id, type_name, "CREATE_COMPLETE"))
        return resource

    def _bring(self, logical_id: str) -> _Step | None:
        before = self.resources.get(logical_id)
        if before is None:
            return _Step(Action.CREATED, self._create(logical_id))
        try:
            wanted, properties = self._wanted(logical_id)
        except FAILURES as error:
            self._tell(Event(logical_id, before.physical_id, "", "UPDATE_FAILED", explain(error)))
            raise Failed(logical_id, explain(error)) from error
        if wanted.type_name != before.wanted.type_name:
            return _Step(Action.REPLACED, self._create(logical_id), before)
        changed = {name for name in (*properties, *before.properties) if _differs(name, before.properties, properties)}
        if not changed:
            self.resources[logical_id] = replace(before, wanted=wanted)
            return None
        if changed & TYPES[wanted.type_name].replacing:
            return _Step(Action.REPLACED, self._create(logical_id), before)
        return self._change(before, wanted, properties)

    def _change(self, before: Resource, wanted: Wanted, properties: dict[str, Value]) -> _Step:
        def tell(status: str, reason: str | None = None) -> None:
            self._tell(Event(wanted.logical_id, before.physical_id, wanted.type_name, status, reason))

        tell("UPDATE_IN_PROGRESS")
        now = Resource(wanted, before.physical_id, properties)
        kind = TYPES[wanted.type_name]
        try:
            services = self._acting()
            kind.update(services, before.physical_id, before.properties, put_in(properties, services))
        except FAILURES as error:
            tell("UPDATE_FAILED", explain(error))
            self._undo(_Step(Action.CHANGED, now, before))  # it may have got half way
            raise Failed(wanted.logical_id, explain(error)) from error
        self.resources[wanted.logical_id] = now
        tell("UPDATE_COMPLETE")
        return _Step(Action.CHANGED, now, before)

    def _fail_creation(self, failure: Failed | Invalid, *, rollback: bool) -> None:
        reason = summary("create", failure)
        if not rollback:
            self._end("CREATE_FAILED", reason)
            return
        self._end("ROLLBACK_IN_PROGRESS", reason)
        # Nobody keeps what was never finished: a deletion policy counts from the first success on.
        made = {
            name: replace(one, wanted=replace(one.wanted, deletion_policy="Delete"))
            for name, one in self.resources.items()
        }
        failed = self._remove(made)
        self._end("ROLLBACK_FAILED" if failed else "ROLLBACK_COMPLETE", reason)

    def _roll_back(self, steps: list[_Step], failure: Failed | Invalid) -> None:
        self._end("UPDATE_ROLLBACK_IN_PROGRESS", summary("update", failure))
        for step in reversed(steps):
            self._undo(step)

    def _undo(self, step: _Step) -> None:
        kind = TYPES[step.now.wanted.type_name]
        services = self._acting()
        try:
            if step.action is Action.CHANGED and step.before is not None:
                wanted = put_in(step.before.properties, services)
                kind.update(services, step.now.physical_id, step.now.properties, wanted)
            else:
                kind.delete(services, step.now.physical_id, step.now.properties)
        except FAILURES as error:
            logical_id = step.now.wanted.logical_id
            self._tell(Event(logical_id, step.now.physical_id, kind.name, "UPDATE_FAILED", explain(error)))

    def _clean_up(self, before: Mapping[str, Resource], steps: list[_Step]) -> None:
        """Remove what the template no longer holds, and what was replaced."""
        self._end("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        wanted = self.template.wanted if self.template else {}
        gone = {name: resource for name, resource in before.items() if name not in wanted}
        for name in gone:
            del self.resources[name]
        replaced = {
            step.now.wanted.logical_id: replace(
                step.before, wanted=replace(step.before.wanted, deletion_policy=step.before.wanted.replace_policy)
            )
            for step in steps
            if step.action is Action.REPLACED and step.before is not None
        }
        self._remove({**gone, **replaced}, keep_listed=True)

    def _remove(self, resources: Mapping[str, Resource], *, keep_listed: bool = False) -> list[str]:
        """Remove resources, last made first; return the logical ids of those that wouldn't go."""
        failed = []
        for logical_id, resource in reversed(tuple(resources.items())):
            kind = TYPES[resource.wanted.type_name]
            if resource.wanted.deletion_policy.startswith("Retain"):
                self._tell(Event(logical_id, resource.physical_id, kind.name, "DELETE_SKIPPED"))
                continue
            self._tell(Event(logical_id, resource.physical_id, kind.name, "DELETE_IN_PROGRESS"))
            try:
                kind.delete(self._acting(), resource.physical_id, resource.properties)
            except FAILURES as error:
                self._tell(Event(logical_id, resource.physical_id, kind.name, "DELETE_FAILED", explain(error)))
                failed.append(logical_id)
                continue
            if not keep_listed:
                self.resources.pop(logical_id, None)
            self._tell(Event(logical_id, resource.physical_id, kind.name, "DELETE_COMPLETE"))
        return failed

    def _unchanged(self, template: Template, tags: Mapping[str, str]) -> bool:
        old = self.template
        if old is None or tags != self._tags or template.wanted.keys() != old.wanted.keys():
            return False
        same_inputs = template.names == old.names and template.wanted == old.wanted
        return same_inputs and template.document.get("Outputs") == old.document.get("Outputs")


def _differs(name: str, before: Mapping[str, Value], now: Mapping[str, Value]) -> bool:
    return (name in before, before.get(name)) != (name in now, now.get(name))
