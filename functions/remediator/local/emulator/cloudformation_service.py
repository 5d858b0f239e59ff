"""Put our way of carrying out stacks in the place of moto's, behind moto's CloudFormation API."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, cast

from moto.cloudformation.exceptions import AlreadyExistsException, ValidationError
from moto.cloudformation.models import Change, CloudFormationBackend, cloudformation_backends
from moto.cloudformation.utils import generate_changeset_id, generate_stack_id
from moto.core.utils import utcnow

from remediator.local.cloudformation.parameters import merge
from remediator.local.cloudformation.values import Invalid
from remediator.local.emulator.stacks import Home, HostedStack, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from remediator.local.cloudformation.history import Event
    from remediator.local.cloudformation.resource import Services
    from remediator.local.cloudformation.template import Template
    from remediator.local.emulator.hooks import Hooks

_NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."


class ChangeSet:
    """Hold a change set until it is executed, in the form that moto's CloudFormation API shows."""

    def __init__(self, name: str, change_set_id: str, stack: HostedStack, request: Request) -> None:
        self.change_set_name = name
        self.change_set_id = change_set_id
        self.stack = stack
        self.stack_id = stack.stack_id
        self.stack_name = stack.name
        self.request = request
        self.parameters = request.parameters
        self.tags = request.tags
        self.description: str | None = None
        self.creation_time = utcnow()
        self.changes = list(_changes(stack, stack.check(request)))
        old = stack.request
        fresh = not stack.engine.template or (request.template, request.parameters) != (old.template, old.parameters)
        self.status = "CREATE_COMPLETE" if fresh else "FAILED"
        self.execution_status = "AVAILABLE" if fresh else "UNAVAILABLE"
        self.status_reason = None if fresh else _NO_CHANGES


class CloudFormationService:
    """Carry out every stack with our resource types.

    `services_for` gives the rights that a stack acts with, by account, region and the role that was passed, if any.
    """

    def __init__(
        self,
        services_for: Callable[[str, str, str | None], Services],
        on_event: Callable[[str, Event], None],
    ) -> None:
        self._services_for = services_for
        self._on_event = on_event

    def install(self, hooks: Hooks) -> None:
        """Take moto's place where stacks are carried out."""
        for name, replacement in (
            ("create_stack", self._create_stack()),
            ("update_stack", _update_stack),
            ("delete_stack", _delete_stack),
            ("create_change_set", self._create_change_set()),
            ("execute_change_set", _execute_change_set),
            ("delete_change_set", _delete_change_set),
        ):
            hooks.replace(CloudFormationBackend, name, replacement)

    def _stack(self, backend: CloudFormationBackend, name: str, request: Request) -> HostedStack:
        account, region = backend.account_id, backend.region_name

        def services(role_arn: str | None) -> Services:
            return self._services_for(account, region, role_arn)

        home = Home(account, region, services, self._on_event)
        return HostedStack(home, generate_stack_id(name, region, account), name, request)

    def _create_stack(self) -> Callable[..., HostedStack]:
        service = self

        def create_stack(  # noqa: PLR0913, PLR0917 - moto's own signature
            self: CloudFormationBackend,
            name: str,
            template: str,
            parameters: dict[str, str],
            notification_arns: list[str] | None = None,
            tags: dict[str, str] | None = None,
            role_arn: str | None = None,
            enable_termination_protection: bool | None = False,  # noqa: FBT001, FBT002 - moto's own signature
            timeout_in_mins: int | None = None,
            stack_policy_body: str | None = None,
        ) -> HostedStack:
            if any(stack.name == name for stack in _stacks(self).values()):
                raise AlreadyExistsException(f"Stack [{name}] already exists")
            request = Request(template, parameters, tags or {}, role_arn)
            stack = service._stack(self, name, request)
            stack.notification_arns = notification_arns or []
            stack.enable_termination_protection = bool(enable_termination_protection)
            stack.timeout_in_minutes = timeout_in_mins
            stack.policy = stack_policy_body or ""
            with _valid(name):
                stack.check(request)
            _stacks(self)[stack.stack_id] = stack
            _bring(self, stack, request)
            return stack

        return create_stack

    def _create_change_set(self) -> Callable[..., tuple[str, str]]:
        service = self

        def create_change_set(  # noqa: PLR0913, PLR0917 - moto's own signature
            self: CloudFormationBackend,
            stack_name: str,
            change_set_name: str,
            template: str,
            parameters: dict[str, str],
            description: str,
            change_set_type: str,
            notification_arns: list[str] | None = None,
            tags: dict[str, str] | None = None,
            role_arn: str | None = None,
        ) -> tuple[str, str]:
            request = Request(template, parameters, tags or {}, role_arn)
            found = [stack for stack in _stacks(self).values() if stack_name in {stack.name, stack.stack_id}]
            if not found and change_set_type == "UPDATE":
                raise ValidationError(stack_name)
            stack = found[0] if found else service._stack(self, stack_name, request)
            change_set_id = generate_changeset_id(change_set_name, self.region_name, self.account_id)
            with _valid(stack_name):
                change_set = ChangeSet(change_set_name, change_set_id, stack, request)
            change_set.description = description
            stack.notification_arns = notification_arns or stack.notification_arns
            _stacks(self)[stack.stack_id] = stack
            _change_sets(self)[change_set_id] = change_set
            return change_set_id, stack.stack_id

        return create_change_set


def hosted(account: str, region: str, name: str) -> HostedStack:
    """Return a stack by its name or id; raises KeyError."""
    for stack in _stacks(cloudformation_backends[account][region]).values():
        if name in {stack.name, stack.stack_id}:
            return stack
    raise KeyError(name)


def _stacks(backend: CloudFormationBackend) -> dict[str, HostedStack]:
    return cast("dict[str, HostedStack]", backend.stacks)


def _change_sets(backend: CloudFormationBackend) -> dict[str, ChangeSet]:
    return cast("dict[str, ChangeSet]", backend.change_sets)


def _update_stack(  # noqa: PLR0913, PLR0917 - moto's own signature
    self: CloudFormationBackend,
    name: str,
    template: str,
    role_arn: str | None,
    parameters: list[dict[str, Any]],
    tags: dict[str, str] | None,
) -> HostedStack:
    stack = cast("HostedStack", self.get_stack(name))
    texts = merge(parameters, stack.stack_parameters)
    _bring(self, stack, Request(template, texts, stack.tags if tags is None else tags, role_arn))
    return stack


def _delete_stack(self: CloudFormationBackend, name_or_stack_id: str) -> None:
    for stack_id, stack in list(_stacks(self).items()):
        if name_or_stack_id not in {stack_id, stack.name}:
            continue
        if stack.enable_termination_protection:
            message = f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled"
            raise ValidationError(stack.name, message=message)
        exports = [export.name for export in stack.exports]
        stack.remove()
        if stack.status == "DELETE_COMPLETE":
            self.deleted_stacks[stack_id] = self.stacks.pop(stack_id)
            for name in exports:
                self.exports.pop(name, None)


def _execute_change_set(self: CloudFormationBackend, change_set_name: str, stack_name: str | None = None) -> None:
    del stack_name
    change_set = cast("ChangeSet", self.describe_change_set(change_set_name))
    change_set.execution_status = "EXECUTE_IN_PROGRESS"
    _bring(self, change_set.stack, change_set.request)
    succeeded = change_set.stack.status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
    change_set.execution_status = "EXECUTE_COMPLETE" if succeeded else "EXECUTE_FAILED"


def _delete_change_set(self: CloudFormationBackend, change_set_name: str) -> None:
    for change_set_id, change_set in list(_change_sets(self).items()):
        if change_set_name in {change_set_id, change_set.change_set_name}:
            del self.change_sets[change_set_id]


def _bring(backend: CloudFormationBackend, stack: HostedStack, request: Request) -> None:
    with _valid(stack.name):
        stack.bring(request)
    for export in stack.exports:
        backend.exports[export.name] = export


@contextlib.contextmanager
def _valid(name: str) -> Iterator[None]:
    """Answer what CloudFormation refuses as it does."""
    try:
        yield
    except Invalid as invalid:
        raise ValidationError(name, message=str(invalid)) from invalid


def _changes(stack: HostedStack, template: Template) -> Iterator[Change]:
    old = stack.engine.template.wanted if stack.engine.template else {}
    for logical_id, wanted in template.wanted.items():
        if logical_id not in old:
            yield Change("Add", logical_id, wanted.type_name)
        elif old[logical_id] != wanted:
            yield Change("Modify", logical_id, wanted.type_name)
    for logical_id in old.keys() - template.wanted.keys():
        yield Change("Remove", logical_id, old[logical_id].type_name)
