"""Make certificates that apps sign in with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Certificate:
    """Hold a self-signed certificate with its private key."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey

    @cached_property
    def der(self) -> bytes:
        """Return the certificate alone."""
        return self.certificate.public_bytes(Encoding.DER)

    @cached_property
    def pem(self) -> bytes:
        """Return certificate and private key, as `CertificateCredential` takes them."""
        private = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return self.certificate.public_bytes(Encoding.PEM) + private


def self_signed(name: str, *, days: int = 90) -> Certificate:
    """Make a certificate that is valid from five minutes ago, by the cloud's clock."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, SHA256())
    )
    return Certificate(certificate, key)
