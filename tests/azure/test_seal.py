"""The sealed credential opens for its own window's opening and for nothing else."""

from __future__ import annotations

import os

import pytest

from remediator.azure.seal import Credential, Seal
from remediator.core.gate import Opening
from remediator.core.windows import Window
from remediator.service.errors import GateShut

DEPLOYMENT = "3f0c9a52-7a52-4f0e-9d4f-0d3a4d6e8b11"
APP = "11111111-2222-3333-4444-555555555555"
WINDOW = Window(6_000_000)
OPENING = Opening(os.urandom(32))
CREDENTIAL = Credential(b"-----BEGIN PRIVATE KEY-----" + os.urandom(2_000))
SEAL = Seal(DEPLOYMENT, APP)


def test_the_window_s_opening_unseals() -> None:
    assert SEAL.unseal(SEAL.seal(CREDENTIAL, WINDOW, OPENING), WINDOW, OPENING) == CREDENTIAL


@pytest.mark.parametrize(
    ("seal", "window", "opening"),
    [
        (SEAL, WINDOW, Opening(bytes(32))),
        (SEAL, WINDOW + 1, OPENING),
        (Seal("another-deployment", APP), WINDOW, OPENING),
        (Seal(DEPLOYMENT, "another-app"), WINDOW, OPENING),
    ],
)
def test_another_opening_window_deployment_or_app_doesn_t(seal: Seal, window: Window, opening: Opening) -> None:
    with pytest.raises(GateShut):
        seal.unseal(SEAL.seal(CREDENTIAL, WINDOW, OPENING), window, opening)


@pytest.mark.parametrize("place", [0, 11, 12, 500, -1])
def test_a_changed_byte_opens_nothing(place: int) -> None:
    sealed = bytearray(SEAL.seal(CREDENTIAL, WINDOW, OPENING))
    sealed[place] ^= 1
    with pytest.raises(GateShut):
        SEAL.unseal(bytes(sealed), WINDOW, OPENING)


def test_two_sealings_of_one_credential_have_nothing_in_common() -> None:
    first, second = (SEAL.seal(CREDENTIAL, WINDOW, OPENING) for _ in range(2))
    assert first[:12] != second[:12]
    assert first[12:] != second[12:]


def test_nothing_of_the_credential_is_in_what_is_sealed() -> None:
    assert CREDENTIAL.reveal()[:16] not in SEAL.seal(CREDENTIAL, WINDOW, OPENING)
