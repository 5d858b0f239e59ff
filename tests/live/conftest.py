"""One embedded account for all tests of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from remediator.local.account import EmbeddedAccount

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def account() -> Iterator[EmbeddedAccount]:
    with EmbeddedAccount() as account:
        yield account
