"""One deployment for each test module that asks for it; what a function would wait, the clock passes."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from remediator.azure.arm_client import ArmClient
from remediator.azure_install import certificates
from remediator.local.account import EmbeddedAccount
from remediator.local.azure.apps.interpreters import plain
from remediator.local.azure.cloud import EmbeddedAzure
from tests.faults.aws_requests import AwsSide
from tests.faults.azure_stage import AzureStage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediator.local.clock import Clock

OURS = ("MainThread", "lane", "call")
"""The threads that functions run in."""


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsSide]:
    with EmbeddedAccount() as account, pytest.MonkeyPatch.context() as patch:
        account.deploy()
        never_wait(account.clock, patch)
        yield AwsSide(account, patch)


@pytest.fixture(scope="module")
def azure() -> Iterator[AzureStage]:
    with EmbeddedAzure(python=plain) as cloud, pytest.MonkeyPatch.context() as patch:
        patch.setattr(certificates, "BITS", 2048)
        cloud.deploy()
        cloud.rotate()
        never_wait(cloud.clock, patch)
        yield AzureStage(cloud, patch)


def never_wait(clock: Clock, patch: pytest.MonkeyPatch) -> None:
    """Let the time pass that a function means to wait, and not the test's."""
    wait = time.sleep

    def sleep(seconds: float) -> None:
        if threading.current_thread().name.startswith(OURS):
            clock.shift(seconds)
        else:
            wait(seconds)

    patch.setattr(time, "sleep", sleep)
    made: Any = ArmClient.__init__
    patch.setitem(made.__kwdefaults__, "sleep", sleep)
