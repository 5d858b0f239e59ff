"""Replace parts of moto's inside, and put them back.

A replacement must take exactly the parameters of what it replaces: a version of moto that changed one is found out at
once, and not by an account that behaves strangely.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class HookMismatch(Exception):  # noqa: N818 - errors are named for what is the case
    """Say that moto isn't the version that the replacement was written for."""


class Hooks:
    """Hold what was replaced."""

    def __init__(self) -> None:
        self._originals: list[tuple[object, str, object]] = []

    def replace(self, owner: object, name: str, replacement: Callable[..., Any]) -> Callable[..., Any]:
        """Put `replacement` in the place of `owner.name`; return what was there. Raises `HookMismatch`."""
        original = inspect.getattr_static(owner, name, None)
        if not callable(original):
            raise HookMismatch(f"{owner!r} has no {name}")
        theirs, ours = _parameters(original), _parameters(replacement)
        if theirs != ours:
            raise HookMismatch(f"{owner!r}.{name} takes {theirs}, its replacement {ours}")
        self._originals.append((owner, name, original))
        setattr(owner, name, replacement)
        replaced: Callable[..., Any] = original
        return replaced

    def substitute(self, owner: object, name: str, replacement: object) -> None:
        """Put an object or a class in the place of `owner.name`. Raises `HookMismatch` if there is none."""
        if not hasattr(owner, name):
            raise HookMismatch(f"{owner!r} has no {name}")
        self._originals.append((owner, name, inspect.getattr_static(owner, name)))
        setattr(owner, name, replacement)

    def remove(self) -> None:
        """Put everything back."""
        while self._originals:
            owner, name, original = self._originals.pop()
            setattr(owner, name, original)


def _parameters(function: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(function).parameters)
