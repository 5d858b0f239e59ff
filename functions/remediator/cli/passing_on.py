"""Say why a code can't be passed on now."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from remediator.cli.exits import Exit
from remediator.cli.failures import Failed
from remediator.service.errors import Frozen, NotLive, Spent

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def passing_on() -> Iterator[None]:
    """End with an advice where a window can't be admitted."""
    try:
        yield
    except Frozen as frozen:
        raise Failed(str(frozen), exit=Exit.NOT_NOW, next="`remediator status` says why it isn't open.") from None
    except NotLive as ended:
        raise Failed(str(ended), exit=Exit.NOT_NOW, next="Run it again; `remediator status` if that recurs.") from None
    except Spent as spent:
        raise Failed(str(spent), exit=Exit.NOT_NOW, next="Ask who sent them; then admit the next window.") from None
