"""Seal the app registration's credential so that a window's opening alone unseals it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from remediator.core.gate import length_prefixed
from remediator.core.secret import Secret
from remediator.service.errors import GateShut

if TYPE_CHECKING:
    from remediator.core.gate import Opening
    from remediator.core.windows import Window

NONCE: Final = 12
"""Bytes of AES-GCM's nonce, in front of the sealed bytes."""


class Credential(Secret):
    """Hold certificate and private key as PEM."""

    __slots__ = ()


class Seal:
    """Seal for one deployment's app registration.

    AES-256-GCM under HKDF-SHA-256 of the window's opening; deployment, window and app are bound as associated data, so
    that what was sealed for one of them opens for no other.
    """

    def __init__(self, deployment: str, app_id: str) -> None:
        self._deployment = deployment
        self._app_id = app_id

    def seal(self, credential: Credential, window: Window, opening: Opening) -> bytes:
        """Return the sealed credential: nonce, ciphertext, tag."""
        nonce = os.urandom(NONCE)
        return nonce + self._cipher(window, opening).encrypt(nonce, credential.reveal(), self._bound(window))

    def unseal(self, sealed: bytes, window: Window, opening: Opening) -> Credential:
        """Return the credential, or raise `GateShut` if the opening isn't the window's."""
        try:
            plain = self._cipher(window, opening).decrypt(sealed[:NONCE], sealed[NONCE:], self._bound(window))
        except InvalidTag:
            raise GateShut("the sealed credential doesn't open") from None
        return Credential(plain)

    def _cipher(self, window: Window, opening: Opening) -> AESGCM:
        info = length_prefixed("remediator/v1/credential", self._deployment, window.number)
        return AESGCM(HKDF(SHA256(), 32, salt=None, info=info).derive(opening.reveal()))

    def _bound(self, window: Window) -> bytes:
        return length_prefixed("remediator/v1/credential", self._deployment, window.number, self._app_id)
