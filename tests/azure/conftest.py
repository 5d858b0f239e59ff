"""One deployment for each test module that asks for it, and a fresh beginning for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from remediator.azure import remediate_function, rotate_function
from remediator.azure_install import certificates
from remediator.local.azure.apps.interpreters import plain
from remediator.local.azure.cloud import EmbeddedAzure
from tests.azure.azure_house import House, forget

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def installed() -> Iterator[EmbeddedAzure]:
    """Install once: the rotator that the installer starts has its run before anybody looks.

    The key is a short one: each sign-in reads it twice, which with 3072 bits takes most of a request's time.
    """
    with EmbeddedAzure(python=plain) as cloud, pytest.MonkeyPatch.context() as patch:
        patch.setattr(certificates, "BITS", 2048)
        cloud.deploy()
        cloud.rotate()
        yield cloud


@pytest.fixture
def house(installed: EmbeddedAzure, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """Nothing is staged and nothing recorded; the time is the middle of a window."""
    house = House(installed)
    house.enter(monkeypatch)
    house.reset()
    yield house
    installed.faults.clear()
    for module in (rotate_function, remediate_function):
        forget(module)
