"""Derive everything again, straight from docs/protocol.md, without a line of `core`: what the tests compare it with."""

from __future__ import annotations

import base64
import hashlib
import struct
from dataclasses import dataclass

COVERED = ("@method", "@path", "content-digest", "idempotency-key", "remediation-code", "remediation-opening")


def lp(*parts: bytes) -> bytes:
    """Put each part's length before it, as 4 bytes, big-endian."""
    joined = b""
    for part in parts:
        joined += struct.pack(">I", len(part)) + part
    return joined


def mac(key: bytes, text: bytes) -> bytes:
    """Compute HMAC-SHA-256 as RFC 2104 writes it."""
    block = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block) + text).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in block) + inner).digest()


def totp(seed: bytes, time: int) -> str:
    """Compute the code of RFC 6238 with X = 300, T0 = 0, HMAC-SHA-256 and 6 digits."""
    hashed = mac(seed, struct.pack(">Q", time // 300))
    offset = hashed[31] % 16
    (number,) = struct.unpack(">I", hashed[offset : offset + 4])
    return f"{number % 2**31 % 10**6:06d}"


@dataclass(frozen=True)
class Derived:
    """Hold what follows from seed, deployment and window."""

    code: str
    proof_key: bytes
    opening: bytes
    gate_value: str
    check: bytes
    mask: bytes


def derive(seed: bytes, deployment: str, window: int) -> Derived:
    """Derive T, P, O, E, c, and what is laid over X."""
    d, w = deployment.encode("utf-8"), b"%d" % window
    code = totp(seed, 300 * window)
    opening = mac(seed, lp(b"remediator/v1/open", d, w))
    return Derived(
        code=code,
        proof_key=mac(seed, lp(b"remediator/v1/proof", d, w)),
        opening=opening,
        gate_value=mac(opening, lp(b"remediator/v1/gate", d, w)).hex(),
        check=hashlib.sha256(lp(b"remediator/v1/check", d, w, opening, code.encode("ascii"))).digest(),
        mask=mac(opening, lp(b"remediator/v1/seal", d, w)),
    )


def laid_over(value: bytes, mask: bytes) -> bytes:
    """Compute the exclusive or of 32 bytes and 32 bytes."""
    return (int.from_bytes(value, "big") ^ int.from_bytes(mask, "big")).to_bytes(32, "big")


def digest_field(body: bytes) -> str:
    """Write the body's Content-Digest."""
    return f"sha-256=:{encoded(hashlib.sha256(body).digest())}:"


def parameters(created: int, window: int) -> str:
    """Write the signature's covered components and parameters, without its label."""
    covered = " ".join('"' + name + '"' for name in COVERED)
    return f'({covered});created={created};keyid="{window}";tag="remediator/v1"'


def signature_base(values: dict[str, str], params: str) -> str:
    """Write the signature base of RFC 9421, section 2.5."""
    return "\n".join([f'"{name}": {values[name]}' for name in COVERED] + [f'"@signature-params": {params}'])


def signature(proof_key: bytes, base: str) -> str:
    """Sign a signature base."""
    return encoded(mac(proof_key, base.encode("ascii")))


def encoded(octets: bytes) -> str:
    """Write bytes in base64."""
    return base64.b64encode(octets).decode()
