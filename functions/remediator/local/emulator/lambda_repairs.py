"""Keep and show what moto's Lambda drops: configuration, event invoke settings, conditions of resource policies."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from moto.awslambda.exceptions import InvalidParameterValueException, LambdaClientError
from moto.awslambda.models import EventInvokeConfig, LambdaBackend, LambdaFunction
from moto.awslambda.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.local.emulator.hooks import Hooks

# moto takes these on creation or on update and forgets them on one of the two, or on both.
KEPT: Final = (
    *("DeadLetterConfig", "LoggingConfig", "TracingConfig", "KMSKeyArn", "EphemeralStorage", "FileSystemConfigs"),
    *("SnapStart", "RuntimeManagementConfig"),
)
DELIVERABLE: Final = ("sqs", "sns")
_configurations: Final[WeakKeyDictionary[LambdaFunction, dict[str, Any]]] = WeakKeyDictionary()


class StatementExists(LambdaClientError):  # noqa: N818 - errors are named for what is the case
    """Answer an AddPermission whose statement id is taken."""

    code = 409

    def __init__(self, statement_id: str) -> None:
        message = f"The statement id ({statement_id}) provided already exists. Please provide a new statement id, "
        super().__init__("ResourceConflictException", message + "or remove the existing statement.")


def kept(function: LambdaFunction) -> Mapping[str, Any]:
    """Return the part of a function's configuration that moto doesn't keep."""
    return _configurations.get(function, {})


def log_group(function: LambdaFunction) -> str:
    """Return the name of the log group that a function writes to."""
    return str(kept(function).get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{function.function_name}")


def install(hooks: Hooks) -> None:
    """Repair moto's Lambda."""
    _repair_configuration(hooks)
    hooks.replace(LambdaBackend, "put_function_event_invoke_config", _put_event_invoke_config)
    hooks.replace(Policy, "add_statement", _add_statement)


def _repair_configuration(hooks: Hooks) -> None:
    def create_function(self: LambdaBackend, spec: dict[str, Any]) -> LambdaFunction:
        function: LambdaFunction = create(self, spec)
        _keep(function, spec)
        return function

    def update_configuration(self: LambdaFunction, config_updates: dict[str, Any]) -> dict[str, Any]:
        _keep(self, config_updates)
        configuration: dict[str, Any] = update(self, config_updates)
        return configuration

    def get_configuration(self: LambdaFunction, on_create: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002 - moto's own signature
        logging = {"LogFormat": "Text", **kept(self).get("LoggingConfig", {}), "LogGroup": log_group(self)}
        return {**show(self, on_create), **kept(self), "LoggingConfig": logging}

    create = hooks.replace(LambdaBackend, "create_function", create_function)
    update = hooks.replace(LambdaFunction, "update_configuration", update_configuration)
    show = hooks.replace(LambdaFunction, "get_configuration", get_configuration)


def _keep(function: LambdaFunction, configuration: Mapping[str, Any]) -> None:
    stored = _configurations.setdefault(function, {})
    stored.update({name: configuration[name] for name in KEPT if name in configuration})
    function.logs_group_name = log_group(function)


def _put_event_invoke_config(self: LambdaBackend, function_name: str, config: dict[str, Any]) -> dict[str, Any]:
    """Replace the setting: moto appends and goes on showing the first. Refuse targets that nothing here delivers to."""
    for target in (config.get("DestinationConfig") or {}).values():
        if target.get("Destination", "arn:aws:sqs:").split(":")[2] not in DELIVERABLE:
            raise InvalidParameterValueException("the embedded account delivers to queues and topics only")
    function = self.get_function(function_name)
    setting = EventInvokeConfig(function.function_arn, function.last_modified, config)
    function.event_invoke_config[:] = [setting]
    return setting.response()


def _add_statement(self: Policy, raw: str, qualifier: str | None = None) -> tuple[Any, str]:
    """Write the statement that AddPermission makes.

    https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
    """
    asked = json.loads(raw)
    arn = self.parent.arn if hasattr(self.parent, "arn") else self.parent.function_arn
    statement_id = asked["StatementId"]
    if any(existing["Sid"] == statement_id for existing in self.statements):
        raise StatementExists(statement_id)
    statement: dict[str, Any] = {
        "Sid": statement_id,
        "Effect": "Allow",
        "Principal": _principal(asked["Principal"]),
        "Action": asked["Action"],
        "Resource": f"{arn}:{qualifier}" if qualifier else arn,
    }
    if conditions := _conditions(asked):
        statement["Condition"] = conditions
    self.statements.append(statement)
    self.revision = str(uuid.uuid4())
    return statement, self.revision


def _principal(name: str) -> str | dict[str, str]:
    if name == "*":
        return name
    if name.endswith(".amazonaws.com"):
        return {"Service": name}
    return {"AWS": f"arn:aws:iam::{name}:root" if name.isdigit() else name}


def _conditions(asked: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    conditions: dict[str, dict[str, str]] = {}
    equal = {
        "lambda:FunctionUrlAuthType": asked.get("FunctionUrlAuthType"),
        "AWS:SourceAccount": asked.get("SourceAccount"),
        "aws:PrincipalOrgID": asked.get("PrincipalOrgID"),
        "lambda:EventSourceToken": asked.get("EventSourceToken"),
    }
    if strings := {key: value for key, value in equal.items() if value is not None}:
        conditions["StringEquals"] = strings
    if asked.get("SourceArn") is not None:
        conditions["ArnLike"] = {"AWS:SourceArn": asked["SourceArn"]}
    if asked.get("InvokedViaFunctionUrl") is not None:
        conditions["Bool"] = {"lambda:InvokedViaFunctionUrl": str(asked["InvokedViaFunctionUrl"]).lower()}
    return conditions
