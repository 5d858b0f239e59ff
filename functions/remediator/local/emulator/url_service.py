"""Give moto's function URLs a door that opens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.awslambda.models import FunctionUrlConfig, LambdaBackend, LambdaFunction, lambda_backends

if TYPE_CHECKING:
    from remediator.local.emulator.hooks import Hooks
    from remediator.local.function_url.door import Doors


def install(hooks: Hooks, doors: Doors) -> None:
    """Open a door with each function URL, and close it with it or with its function."""

    def create_url_config(self: LambdaFunction, config: dict[str, Any]) -> FunctionUrlConfig:
        made: FunctionUrlConfig = create(self, config)
        made.url = doors.open(_arn(self)).url
        return made

    def delete_url_config(self: LambdaFunction) -> None:
        delete(self)
        doors.close(_arn(self))

    def delete_function(self: LambdaBackend, function_name: str, qualifier: str | None = None) -> None:
        arn = _arn(self.get_function(function_name))
        remove(self, function_name, qualifier)
        doors.close(arn)

    create = hooks.replace(LambdaFunction, "create_url_config", create_url_config)
    delete = hooks.replace(LambdaFunction, "delete_url_config", delete_url_config)
    remove = hooks.replace(LambdaBackend, "delete_function", delete_function)


def auth_type(arn: str) -> str | None:
    """Return how a function's URL authenticates; None if the function has no URL."""
    _, _, _, region, account, _, name, *_ = arn.split(":")
    for function in list(lambda_backends[account][region].list_functions()):
        if function.function_name == name and function.url_config is not None:
            return str(function.url_config.config["AuthType"])
    return None


def _arn(function: LambdaFunction) -> str:
    place = f"{function.region}:{function.account_id}"
    return f"arn:{function.partition}:lambda:{place}:function:{function.function_name}"
