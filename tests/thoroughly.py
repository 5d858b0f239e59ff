"""Try a property for seconds in `make test`, and for minutes in `make deep`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.strategies import SearchStrategy

FACTOR = 25
"""How many times as many examples there are with the marker `deep`."""


def thoroughly(examples: int, *drawn: SearchStrategy[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Draw so many examples of a property's arguments, and as the marker `deep` has it 25 times as many."""

    def decorate(law: Callable[..., None]) -> Callable[..., None]:
        def attempt(times: int) -> None:
            effort = settings(
                max_examples=examples * times, deadline=None, suppress_health_check=[HealthCheck.too_slow]
            )
            effort(given(*drawn)(law))()

        attempt.__name__, attempt.__qualname__, attempt.__doc__ = law.__name__, law.__qualname__, law.__doc__
        attempt.__module__ = law.__module__
        depths = [pytest.param(1, id="seconds"), pytest.param(FACTOR, id="minutes", marks=pytest.mark.deep)]
        return pytest.mark.parametrize("times", depths)(attempt)

    return decorate
