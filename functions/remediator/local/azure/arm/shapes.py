"""Hold a request's body to the shape that its provider describes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from remediator.local.azure.arm.refusals import bad_request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

READ_ONLY: Final = "readonly"

PLAIN: Final[Mapping[str, Callable[[Any], bool]]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    READ_ONLY: lambda _: True,
}
"""What the names of shapes stand for. Properties that only Azure writes are taken and ignored, as Azure does."""

FLAGS: Final = frozenset({"storage.NetworkRuleSet.bypass"})
"""Lists of values in one text, which the descriptions show as one value; they say so in words."""


class Shapes:
    """Hold the shapes by name."""

    def __init__(self, shapes: Mapping[str, Any]) -> None:
        self._shapes = shapes

    def demand(self, value: Any, shape: Any) -> None:  # noqa: ANN401 - any JSON value, any shape
        """Return if a body has a shape, else raise `ArmRefusal` with the place where it hasn't."""
        self._demand(value, shape, "", "")

    def writable(self, value: Any, shape: Any) -> Any:  # noqa: ANN401 - any JSON value, any shape
        """Return a body without what only Azure writes."""
        resolved = self._resolved(shape)
        if isinstance(resolved, dict) and "fields" in resolved and isinstance(value, dict):
            fields = resolved["fields"]
            return {name: self.writable(one, fields[name]) for name, one in value.items() if fields[name] != READ_ONLY}
        if isinstance(resolved, dict) and "list" in resolved and isinstance(value, list):
            return [self.writable(one, resolved["list"]) for one in value]
        return value

    def _resolved(self, shape: Any) -> Any:  # noqa: ANN401 - any shape
        return self._shapes[shape[1:]] if isinstance(shape, str) and shape.startswith("#") else shape

    def _demand(self, value: Any, shape: Any, path: str, name: str) -> None:  # noqa: ANN401 - any JSON value, any shape
        if isinstance(shape, str) and shape.startswith("#"):
            self._demand(value, self._shapes[shape[1:]], path, shape[1:])
            return
        if value is None:
            return
        if isinstance(shape, str):
            if not PLAIN[shape](value):
                raise _unfit(f"Error converting value {value!r} at path '{path}': {shape} is expected.")
            return
        if "enum" in shape:
            self._demand_value(value, shape["enum"], path, name)
            return
        self._demand_parts(value, shape, path, name)

    def _demand_value(self, value: Any, values: list[Any], path: str, name: str) -> None:  # noqa: ANN401 - any JSON value
        given = value.split(", ") if name in FLAGS and isinstance(value, str) else [value]
        if any(one not in values for one in given):
            raise _unfit(f"The value {value!r} at path '{path}' isn't one of {', '.join(map(str, values))}.")

    def _demand_parts(self, value: Any, shape: Mapping[str, Any], path: str, name: str) -> None:  # noqa: ANN401 - any JSON value
        if "list" in shape:
            if not isinstance(value, list):
                raise _unfit(f"A list is expected at path '{path}'.")
            for index, one in enumerate(value):
                self._demand(one, shape["list"], f"{path}[{index}]", name)
            return
        if not isinstance(value, dict):
            raise _unfit(f"An object is expected at path '{path}'.")
        if "map" in shape:
            for key, one in value.items():
                self._demand(one, shape["map"], f"{path}.{key}", name)
            return
        self._demand_fields(value, shape, path, name)

    def _demand_fields(self, value: dict[str, Any], shape: Mapping[str, Any], path: str, name: str) -> None:
        for key, one in value.items():
            if key not in shape["fields"]:
                raise _unfit(f"Could not find member '{key}' on object at path '{path}'.")
            self._demand(one, shape["fields"][key], f"{path}.{key}".lstrip("."), f"{name}.{key}")
        missing = [key for key in shape.get("required", ()) if value.get(key) is None]
        if missing:
            raise _unfit(f"Required property '{missing[0]}' not found at path '{path}'.")


def _unfit(message: str) -> Exception:
    return bad_request(
        "InvalidRequestContent", f"The request content was invalid and could not be deserialized: {message}"
    )
