"""Replace methods of moto's classes, and put them back."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


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
