"""Play the laws in an emulator that keeps what it is told."""

from __future__ import annotations

import pytest

from tests.laws import repairs


@pytest.fixture(autouse=True)
def _mended(monkeypatch: pytest.MonkeyPatch) -> None:
    repairs.keep_rotation_period(monkeypatch)
