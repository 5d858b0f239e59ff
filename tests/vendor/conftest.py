from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.vendor.speaking import HandClock, Ring, Scene, Speaker, serving

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def scene() -> Iterator[Scene]:
    """Put a vendor whose clock is right before a deployment that works."""
    clock = HandClock()
    speaker = Speaker(clock.now)
    with serving(speaker) as url:
        yield Scene(speaker, Ring(clock.now), clock, url)
