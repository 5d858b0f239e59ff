"""Put in what dynamic references name, at the last moment: a stack keeps the reference, and never the value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from remediator.local.cloudformation.values import Invalid, Value

if TYPE_CHECKING:
    from remediator.local.cloudformation.resource import Services

_DYNAMIC: Final = "{{resolve:"
_SECRET: Final = re.compile(
    r"\{\{resolve:secretsmanager:"
    r"(?P<secret>arn:[\w-]+:secretsmanager:[\w-]*:\d{12}:secret:[\w/+=.@-]+|[\w/+=.@-]+)"
    r":SecretString(?::::?|:::[\w-]+)?\}\}",
    re.ASCII,
)


def refers(value: Value) -> bool:
    """Say if a dynamic reference is anywhere in a value."""
    if isinstance(value, dict):
        return any(refers(item) for item in value.values())
    if isinstance(value, list):
        return any(refers(item) for item in value)
    return isinstance(value, str) and _DYNAMIC in value


def put_in(value: Value, services: Services) -> Value:
    """Return a value with the secrets that it refers to, read with the stack's own rights; raises `Invalid`.

    Whole secrets of Secrets Manager are known, and no other kind of reference.
    """
    if isinstance(value, dict):
        return {key: put_in(item, services) for key, item in value.items()}
    if isinstance(value, list):
        return [put_in(item, services) for item in value]
    if not refers(value):
        return value
    text = _SECRET.sub(lambda found: _secret(found["secret"], services), value)
    if _DYNAMIC in text:
        raise Invalid("Template error: the embedded account knows whole secrets as dynamic references, and no others")
    return text


def _secret(name: str, services: Services) -> str:
    answer = services.client("secretsmanager").get_secret_value(SecretId=name)
    return str(answer["SecretString"])
