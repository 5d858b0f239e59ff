"""Do what the functions in ARM templates do, as far as they need no deployment."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from typing import TYPE_CHECKING, Any, Final

from infra.azure.expressions import Malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NAMESPACE: Final = uuid.UUID("11fb06fb-712d-4ddd-98c7-e71bbd588830")
_UNIQUE: Final = 13
"""Characters that `uniqueString` returns."""


def guid(*parts: str) -> str:
    """Return an id that is always the same for the same parts; ARM's own differ from these in their value only."""
    return str(uuid.uuid5(_NAMESPACE, "-".join(parts)))


def unique_string(*parts: str) -> str:
    """Return 13 characters that are always the same for the same parts; ARM's own differ in their value only."""
    digest = hashlib.sha256("-".join(parts).encode()).digest()
    return base64.b32encode(digest).decode().lower()[:_UNIQUE]


def resource_path(kind: str, *names: str) -> str:
    """Return what follows the scope in a resource's id, or raise `Malformed` if names are missing or too many."""
    provider, *types = kind.split("/")
    if len(types) != len(names):
        raise Malformed(f"{kind} takes {len(types)} names, not {len(names)}: {', '.join(names)}")
    pairs = "/".join(f"{one}/{name}" for one, name in zip(types, names, strict=True))
    return f"providers/{provider}/{pairs}"


def text_of(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return what `string` returns: text as it is, JSON of lists and objects, `True` of a truth."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | dict):
        return json.dumps(value, separators=(",", ":"))
    return str(value)


def _format(pattern: str, *values: Any) -> str:  # noqa: ANN401 - as above
    return pattern.format(*(text_of(value) for value in values))


def _concat(*parts: Any) -> Any:  # noqa: ANN401 - texts, or lists
    if isinstance(parts[0], list):
        return [one for part in parts for one in part]
    return "".join(map(text_of, parts))


def _take(whole: Any, count: int) -> Any:  # noqa: ANN401 - a text or a list
    return whole[: max(count, 0)]


def _create_object(*pairs: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
    return dict(zip(pairs[::2], pairs[1::2], strict=True))


FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "concat": _concat,
    "createArray": lambda *values: list(values),
    "createObject": _create_object,
    "empty": lambda value: not value,
    "equals": lambda left, right: left == right,
    "false": lambda: False,
    "format": _format,
    "guid": guid,
    "join": lambda parts, between: between.join(parts),
    "length": len,
    "not": lambda value: not value,
    "null": lambda: None,
    "or": lambda *values: any(values),
    "string": text_of,
    "take": _take,
    "toLower": str.lower,
    "toUpper": str.upper,
    "true": lambda: True,
    "uniqueString": unique_string,
}
"""Functions of their arguments alone. One that isn't here is refused, so that none is guessed at."""
