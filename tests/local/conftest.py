"""One embedded account for each test module that asks for it: moto's state is the process's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from remediator.local.account import EmbeddedAccount

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def embedded() -> Iterator[EmbeddedAccount]:
    with EmbeddedAccount() as account:
        yield account
