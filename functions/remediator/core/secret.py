"""Hold bytes that nobody may see by accident."""

from __future__ import annotations

import hmac
from typing import NoReturn, final


class Secret:
    """Hold bytes; show them only to who asks for them by name.

    `repr`, `str` and `format` give the type's name alone; comparison takes constant time; pickling and hashing are
    refused.
    """

    __slots__ = ("_bytes",)
    __hash__ = None  # type: ignore[assignment]  # an unhashable type on purpose: a secret is no dictionary key

    def __init__(self, value: bytes) -> None:
        self._bytes = bytes(value)

    @final
    def reveal(self) -> bytes:
        """Return the bytes themselves."""
        return self._bytes

    @final
    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    @final
    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return hmac.compare_digest(self._bytes, other._bytes)

    @final
    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret isn't pickled or copied")
