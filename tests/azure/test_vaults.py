"""The functions' vaults: what is away or slow isn't waited for as long as the SDK would."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import ServiceRequestError
from azure.core.pipeline.transport import RequestsTransport

from remediator.azure import rotate_function
from remediator.azure.admissions import vault_at
from tests.azure.arm_script import Credential

URL = "https://away.vault.azure.net"


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, float]]:
    """How long each call would have waited, for the connection and for what comes; no vault answers."""
    waited: list[tuple[float, float]] = []

    def send(self: Any, _request: Any, **_: Any) -> Any:
        waited.append((self.connection_config.timeout, self.connection_config.read_timeout))
        raise ServiceRequestError("away")

    monkeypatch.setattr(RequestsTransport, "send", send)
    monkeypatch.setattr(RequestsTransport, "sleep", lambda *_: None)
    return waited


def test_the_vault_of_admissions_is_given_up_within_a_function_s_time(waits: list[tuple[float, float]]) -> None:
    with pytest.raises(ServiceRequestError):
        vault_at(URL, Credential()).held()
    assert waits == [(3, 10)] * 4


def test_the_rotator_s_vaults_are_given_up_within_its_time(
    waits: list[tuple[float, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotate_function, "_identity", Credential)
    with pytest.raises(ServiceRequestError):
        rotate_function._vault(URL).get_secret("any")
    assert waits == [(3, 10)] * 4
