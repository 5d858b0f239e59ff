"""Keep and show what moto's Lambda drops: configuration and event invoke settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from moto.awslambda.exceptions import InvalidParameterValueException
from moto.awslambda.models import EventInvokeConfig, LambdaBackend, LambdaFunction

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
