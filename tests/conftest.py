"""What holds for every test: the network is off but for this machine, and properties take the time they need."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from tests.judged import pytest_terminal_summary  # noqa: F401 - pytest looks for its hooks here
from tests.network import switch_off

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
