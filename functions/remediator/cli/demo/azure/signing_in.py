"""Ask Entra to sign the remediator's app registration in, with what one has who has no live opening."""

from __future__ import annotations

import base64
import time
import uuid
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from remediator.azure.arm_client import ArmClient
from remediator.azure.callers import LOGIN
from remediator.cli.demo.azure import verdicts
from remediator.cli.demo.board import Verdict
from remediator.local.azure import places
from remediator.local.azure.certificates import self_signed
from remediator.local.azure.entra.assertions import ASSERTION_TYPE
from remediator.vendor.transport import Call

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.azure.seal import Credential
    from remediator.cli.demo.azure.stage import Stage

_TOKEN: Final = f"{LOGIN}/{places.TENANT}/oauth2/v2.0/token"
_LIFETIME: Final = 600
"""Seconds that an assertion is good for."""


class SigningIn:
    """Write Entra's own requests by hand: its libraries would send neither of the bad ones."""

    def __init__(self, stage: Stage, app_id: str) -> None:
        self._stage = stage
        self._app_id = app_id

    def without_an_opening(self, genuine: Credential) -> None:
        """Come with nothing, with a key of one's own, with an old assertion of the right key; as a control, rightly."""
        now, pem = time.time(), genuine.reveal()
        own = self_signed("guess").pem
        self._asks("with nothing to sign in with", {}, Verdict("Entra", 401, "AADSTS7000218"))
        self._asks("with a certificate of one's own", self._asserted(own, now), Verdict("Entra", 401, "AADSTS700027"))
        old = self._asserted(pem, now - 2 * _LIFETIME)
        self._asks("with an assertion that was caught, and is over", old, Verdict("Entra", 401, "AADSTS700024"))
        self._asks("as a control, with a new one", self._asserted(pem, now), Verdict("Entra", 200, "signed in"))

    def _asks(self, what: str, proof: Mapping[str, str], wanted: Verdict) -> None:
        form = {"grant_type": "client_credentials", "client_id": self._app_id, "scope": ArmClient.SCOPE, **proof}
        headers = {"content-type": "application/x-www-form-urlencoded"}
        reply = self._stage.transport.send(Call("POST", _TOKEN, headers, urlencode(form).encode()))
        self._stage.board.line(f"the app registration {what}", wanted=wanted, got=verdicts.of_entra(reply))

    def _asserted(self, pem: bytes, created: float) -> Mapping[str, str]:
        """Return an assertion as Entra documents it, under "certificate credentials"."""
        digest = x509.load_pem_x509_certificate(pem).fingerprint(SHA256())
        named = {"x5t#S256": base64.urlsafe_b64encode(digest).rstrip(b"=").decode()}
        begun = int(created)
        claims = {"aud": _TOKEN, "iss": self._app_id, "sub": self._app_id, "jti": str(uuid.uuid4())}
        times = {"iat": begun, "nbf": begun, "exp": begun + _LIFETIME}
        key = load_pem_private_key(pem, None)
        signed = jwt.encode({**claims, **times}, key, "PS256", headers=named)  # type: ignore[arg-type]  # an RSA key
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}
