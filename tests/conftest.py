"""What holds for every test: the network is off but for this machine, and properties take the time they need."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

import pytest
from botocore.loaders import create_loader
from hypothesis import HealthCheck, settings

from tests.judged import pytest_terminal_summary  # noqa: F401 - pytest looks for its hooks here
from tests.network import switch_off
from tests.workers import (  # noqa: F401 - as above
    pytest_collection_modifyitems,
    pytest_xdist_make_scheduler,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


@pytest.fixture(autouse=True, scope="session")
def network_off() -> None:
    """Refuse connections in this process; give the processes it starts no way out by the usual settings."""
    switch_off()
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        os.environ[name] = "http://127.0.0.1:9"
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = "localhost,127.0.0.1,::1"


@pytest.fixture(autouse=True, scope="session")
def models() -> Iterator[None]:
    """Let all SDK sessions share what they load of the services' models: parsing it again is most of a test's time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.session.create_loader", functools.cache(create_loader))
        yield
