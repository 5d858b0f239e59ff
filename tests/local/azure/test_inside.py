"""Inside, the cloud's names lead to it and no other name leads anywhere; afterwards all is as it was."""

from __future__ import annotations

import os
import socket
import venv
from typing import TYPE_CHECKING

import certifi
import pytest
import requests

from remediator.local.azure.apps.interpreters import CHOICE, NoPython, interpreter, plain
from remediator.local.azure.cloud import AlreadyRunning, EmbeddedAzure

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "name", ["example.com", "vault.azure.net.example.com", "azure.net", "169.254.169.254", "10.0.0.1"]
)
def test_no_other_name_resolves(cloud: EmbeddedAzure, name: str) -> None:
    assert cloud.door.port
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo(name, 443)


@pytest.mark.parametrize(
    "name", ["login.microsoftonline.com", "Graph.Microsoft.com", "x.vault.azure.net", b"a.b.azurewebsites.net"]
)
def test_the_clouds_names_lead_to_its_door(cloud: EmbeddedAzure, name: str | bytes) -> None:
    ports = {address[4][1] for address in socket.getaddrinfo(name, 443, type=socket.SOCK_STREAM)}
    assert ports == {cloud.door.port}


def test_loopback_stays_loopback(cloud: EmbeddedAzure) -> None:
    for name in ("localhost", "127.0.0.1", "::1", None):
        assert socket.getaddrinfo(name, cloud.door.port)


def test_afterwards_everything_is_as_it_was() -> None:
    look_up, environment = socket.getaddrinfo, dict(os.environ)
    with EmbeddedAzure(python=plain) as cloud:
        cloud.clock.shift(86_400)
        assert socket.getaddrinfo is not look_up
    assert socket.getaddrinfo is look_up
    assert dict(os.environ) == environment
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", cloud.door.port), timeout=1)


def test_there_is_one_cloud_at_a_time(cloud: EmbeddedAzure) -> None:
    assert cloud.door.port
    with pytest.raises(AlreadyRunning), EmbeddedAzure():
        pass


def test_a_certificate_is_given_for_the_clouds_own_names_alone(cloud: EmbeddedAzure) -> None:
    url = f"https://localhost:{cloud.door.port}/"
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(url, timeout=10)
    with pytest.raises(requests.exceptions.SSLError):
        requests.get("https://graph.microsoft.com/", verify=certifi.where(), timeout=10)


def test_a_body_of_unknown_length_is_refused(cloud: EmbeddedAzure) -> None:
    assert cloud.door.port
    answer = requests.post("https://graph.microsoft.com/v1.0/applications", data=iter([b"x"]), timeout=10)
    assert answer.status_code == 411


def test_latency_delays_every_call(cloud: EmbeddedAzure) -> None:
    url = "https://graph.microsoft.com/v1.0/applications"
    cloud.faults.latency(120)
    assert requests.get(url, timeout=10).elapsed.total_seconds() >= 0.12


def test_a_python_that_was_named_and_will_not_do_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    look = interpreter.__wrapped__  # past what was found before
    monkeypatch.setenv(CHOICE, str(bare_python(tmp_path)))
    with pytest.raises(NoPython, match=r"lacks azure\.data\.tables"):
        look()
    monkeypatch.delenv(CHOICE)
    assert look().driver in {"library", "plain"}


def bare_python(folder: Path) -> Path:
    """Return this Python without any of its packages."""
    venv.create(folder / "bare", symlinks=True)
    return folder / "bare" / "bin" / "python"
