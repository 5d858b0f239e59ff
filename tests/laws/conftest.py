"""Keep the laws off every real account."""

from __future__ import annotations

import pytest
from tests.laws import repairs


@pytest.fixture(autouse=True)
def _nobodys_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    repairs.keep_rotation_period(monkeypatch)
