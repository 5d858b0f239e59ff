"""Replace methods of moto's classes, and put them back."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def wrap(owner: type, name: str, around: Callable[..., Any]) -> Callable[[], None]:
    """Call `around(original, self, *args, **kwargs)` instead of a method; returns what puts the method back.

    Raises AttributeError if moto no longer has the method: a hook that hangs in the air must not go unnoticed.
    """
    original = getattr(owner, name)

    @functools.wraps(original)
    def wrapped(self: object, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - moto's own signatures
        return around(original, self, *args, **kwargs)

    setattr(owner, name, wrapped)
    return lambda: setattr(owner, name, original)


def arguments(method: Callable[..., Any], args: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call to one of moto's methods by their names, however it was called."""
    return inspect.signature(method).bind(*args, **named).arguments


def add(owner: type, name: str, member: object) -> Callable[[], None]:
    """Give a class of moto's a member that it lacks; returns what takes it away.

    Raises AttributeError if moto has learnt it meanwhile.
    """
    if hasattr(owner, name):
        raise AttributeError(f"{owner.__name__} has {name} of its own")
    setattr(owner, name, member)
    return lambda: delattr(owner, name)


def run_all(steps: Sequence[Callable[[], None]]) -> None:
    """Undo several hooks, the last first."""
    for step in reversed(steps):
        step()
