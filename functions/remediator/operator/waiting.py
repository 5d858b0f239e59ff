"""Wait for what is under way in the cloud."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

PAUSE: Final = 5


def waits(seconds: int) -> Iterator[None]:
    """Wait a little before each item, for so many seconds in all."""
    for _ in range(seconds // PAUSE):
        time.sleep(PAUSE)
        yield
