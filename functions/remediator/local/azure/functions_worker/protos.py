"""Stand in for the protobuf messages between Functions' host and worker, as far as the runtime library looks at them.

The library takes the messages' classes from whoever loads it, and reads attributes only. Their fields:
https://github.com/Azure/azure-functions-language-worker-protobuf (FunctionRpc.proto).
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Final

_PLAIN: Final = (
    *("WorkerInitResponse", "WorkerMetadata", "FunctionMetadataResponse", "FunctionLoadResponse", "InvocationResponse"),
    *("RpcHttp", "RpcHttpCookie", "RpcException", "RpcFunctionMetadata", "RpcRetryOptions", "BindingInfo"),
)


class Fields:
    """Hold a message's fields; one that isn't set is None."""

    def __init__(self, **fields: Any) -> None:  # noqa: ANN401 - fields of any type
        self.__dict__.update(fields)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as above
        # The library tells a message from a module of messages by whether it has an attribute `TypedData`.
        if name.startswith("__") or name == "TypedData":
            raise AttributeError(name)
        return None


class OneOf(Fields):
    """Hold a message of which one field is set."""

    def WhichOneof(self, _: str) -> str | None:  # noqa: N802 - protobuf's own name
        """Return the field that is set."""
        return next(iter(self.__dict__), None)


class Parameter(Fields):
    """Hold a function's argument: here always its data, never a place in shared memory."""

    def WhichOneof(self, _: str) -> str:  # noqa: N802 - protobuf's own name
        """Return the field that is set."""
        return "data"


class Status(Fields):
    """Hold whether something went well."""

    Failure = 0
    Success = 1


def messages() -> SimpleNamespace:
    """Return the messages' classes, as the module that protobuf generates has them."""
    classes: dict[str, Any] = {name: type(name, (Fields,), {}) for name in _PLAIN}
    classes["BindingInfo"].Direction = classes["BindingInfo"].out = 1
    classes["BindingInfo"].inout = 2
    return SimpleNamespace(
        **classes,
        TypedData=type("TypedData", (OneOf,), {}),
        ParameterBinding=type("ParameterBinding", (Parameter,), {}),
        StatusResult=type("StatusResult", (Status,), {}),
    )
