"""Let all that ask for the same kind of deployment on AWS have one, while their files run one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.world import USUAL, Standing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.end_to_end.world import World

STANDING = Standing()


@pytest.fixture(scope="session")
def standing() -> Iterator[Standing]:
    yield STANDING
    STANDING.close()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """Be gone where the next test doesn't ask for it: it may start an account of its own."""
    if "standing" not in getattr(nextitem, "fixturenames", ()):
        STANDING.close()


@pytest.fixture(scope="module")
def world(standing: Standing) -> World:
    """The usual deployment: its own gate, codes that the vendor reads, somebody who is told of changes and alarms."""
    return standing.world(USUAL)
