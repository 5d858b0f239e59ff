"""Hold a stack of ours in the form that moto's CloudFormation API shows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from moto.cloudformation import models
from moto.cloudformation.parsing import Export
from moto.core.utils import utcnow
from moto.ssm.models import ssm_backends

from remediator.local.cloudformation.parameters import values_of
from remediator.local.cloudformation.stack import Stack
from remediator.local.cloudformation.template import Place, Template
from remediator.local.cloudformation.values import Invalid, parse

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from remediator.local.cloudformation.history import Event
    from remediator.local.cloudformation.resource import Services


@dataclass(frozen=True, slots=True)
class Home:
    """Say where stacks live: whose rights they are carried out with, and who hears of it."""

    account: str
    region: str
    services_for: Callable[[str | None], Services]
    on_event: Callable[[str, Event], None]


@dataclass(frozen=True, slots=True)
class Request:
    """Hold what a caller asks of a stack; parameters as texts."""

    template: str
    parameters: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    role_arn: str | None = None


class _Resource:
    """Show one resource of a stack as moto's responses read it."""

    def __init__(self, logical_id: str, physical_id: str, type_name: str) -> None:
        self.logical_resource_id = logical_id
        self.physical_resource_id = physical_id
        self.cf_resource_type = type_name


class HostedStack:
    """Hold one stack."""

    class Meta:
        """Name for moto's serializer what the API calls otherwise."""

        serialization_aliases: ClassVar[dict[str, str]] = {
            "Parameters": "parameter_list",
            "StackName": "name",
            "StackStatus": "status",
            "StackStatusReason": "status_reason",
        }

    def __init__(self, home: Home, stack_id: str, name: str, request: Request) -> None:
        self.stack_id = stack_id
        self.name = name
        self.request = request
        self.events: list[models.Event] = []
        self.notification_arns: list[str] = []
        self.enable_termination_protection = False
        self.timeout_in_minutes: int | None = None
        self.policy = ""
        self.creation_time = utcnow()
        self.last_updated_time: datetime | None = None
        self.deletion_time: datetime | None = None
        self.disable_rollback = False
        self.place = Place(home.account, home.region, "aws", stack_id, name)
        self._home = home
        self.engine = Stack(self.place, self._tell)

    @property
    def template(self) -> str:
        """Return the template's text."""
        return self.request.template

    @property
    def tags(self) -> dict[str, str]:
        """Return the stack's tags."""
        return self.request.tags

    @property
    def role_arn(self) -> str | None:
        """Return the role that it is carried out with."""
        return self.request.role_arn

    @property
    def status(self) -> str:
        """Return the stack's state."""
        return self.engine.status

    @status.setter
    def status(self, value: str) -> None:
        self.engine.status = value

    @property
    def status_reason(self) -> str | None:
        """Return why it is in that state."""
        return self.engine.reason

    @property
    def description(self) -> str | None:
        """Return the template's description."""
        return self.engine.template.document.get("Description") if self.engine.template else None

    @property
    def stack_parameters(self) -> dict[str, str]:
        """Return the parameters' texts, defaults included."""
        declared = self.engine.template.document.get("Parameters", {}) if self.engine.template else {}
        defaults = {name: str(about["Default"]) for name, about in declared.items() if "Default" in about}
        return {**defaults, **self.request.parameters}

    @property
    def parameter_list(self) -> list[dict[str, Any]]:
        """Return the parameters as DescribeStacks shows them."""
        return [{"ParameterKey": key, "ParameterValue": text} for key, text in self.stack_parameters.items()]

    @property
    def stack_resources(self) -> list[_Resource]:
        """Return the resources as DescribeStackResources shows them."""
        found = self.engine.resources.values()
        return [_Resource(one.wanted.logical_id, one.physical_id, one.wanted.type_name) for one in found]

    @property
    def outputs(self) -> list[dict[str, Any]] | None:
        """Return the outputs as DescribeStacks shows them."""
        return [
            {
                "OutputKey": output.key,
                "OutputValue": output.value,
                "Description": output.description,
                "ExportName": output.export,
            }
            for output in self.engine.outputs
        ] or None

    @property
    def exports(self) -> list[Export]:
        """Return what the outputs export."""
        named = [output for output in self.engine.outputs if output.export is not None]
        return [Export(self.stack_id, str(output.export), output.value) for output in named]

    def check(self, request: Request) -> Template:
        """Return what a request's template wants; raises `Invalid` for what CloudFormation refuses."""
        document = parse(request.template)
        declared = document.get("Parameters") or {}
        return Template(document, self.place, values_of(declared, request.parameters, self._ssm))

    def bring(self, request: Request) -> None:
        """Create or update the stack; raises `Invalid` before anything is done."""
        template = self.check(request)
        role_arn = request.role_arn or self.role_arn
        services = self._home.services_for(role_arn)
        if self.engine.template is None:
            self.request = replace(request, role_arn=role_arn)
            self.engine.create(template, services, request.tags, rollback=not self.disable_rollback)
        else:
            self.engine.update(template, services, request.tags)
            if self.status == "UPDATE_COMPLETE":
                self.request = replace(request, role_arn=role_arn)
        self.last_updated_time = utcnow()

    def remove(self) -> None:
        """Delete the stack."""
        self.engine.delete(self._home.services_for(self.role_arn))
        self.deletion_time = utcnow()

    def _ssm(self, name: str) -> str:
        parameter = ssm_backends[self.place.account][self.place.region].get_parameter(name)
        if parameter is None:
            raise Invalid(f"Unable to fetch parameters [{name}] from parameter store for this account.")
        return str(parameter.value)

    def _tell(self, event: Event) -> None:
        shown = models.Event(
            stack_id=self.stack_id,
            stack_name=self.name,
            logical_resource_id=event.logical_id,
            physical_resource_id=event.physical_id,
            resource_type=event.type_name,
            resource_status=event.status,
            resource_status_reason=event.reason,
            resource_properties=None,
        )
        self.events.append(shown)
        self._home.on_event(self.name, event)
