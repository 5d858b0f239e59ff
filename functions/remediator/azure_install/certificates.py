"""Make the certificate that the remediator app registration signs in with."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from remediator.core.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

LIFETIME: Final = timedelta(days=90)
SKEW: Final = timedelta(minutes=10)
BITS: Final = 3072


class CredentialPem(Secret):
    """Hold certificate and private key as PEM."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Made:
    """Hold a new credential: what goes into the vault, and what the directory may know of it."""

    pem: CredentialPem
    thumbprint: str
    since: datetime
    until: datetime
    public: bytes

    def key_credential(self) -> Mapping[str, Any]:
        """Return the certificate as Graph takes it."""
        return {
            "type": "AsymmetricX509Cert",
            "usage": "Verify",
            "key": base64.b64encode(self.public).decode(),
            "displayName": f"remediator {self.thumbprint[:8]}",
            "startDateTime": self.since.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "endDateTime": self.until.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "customKeyIdentifier": base64.b64encode(bytes.fromhex(self.thumbprint)).decode(),
        }


def make(name: str, now: float) -> Made:
    """Return a self-signed certificate, good for 90 days, and its key, which is nowhere else."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    moment = datetime.fromtimestamp(int(now), UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - SKEW)
        .not_valid_after(moment + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    return Made(
        pem=CredentialPem(private + certificate.public_bytes(serialization.Encoding.PEM)),
        thumbprint=certificate.fingerprint(hashes.SHA1()).hex().upper(),  # noqa: S303 - how the directory names it
        since=moment - SKEW,
        until=moment + LIFETIME,
        public=certificate.public_bytes(serialization.Encoding.DER),
    )


def thumbprint_of(credential: Mapping[str, Any]) -> str:
    """Return the thumbprint of a certificate as Graph shows it.

    Graph shows the identifier in base64, or, for some credentials, in hexadecimal as it was given.
    """
    shown = str(credential.get("customKeyIdentifier") or "")
    if len(shown) == 40:  # noqa: PLR2004 - SHA-1 in hexadecimal
        return shown.upper()
    return base64.b64decode(shown).hex().upper()
