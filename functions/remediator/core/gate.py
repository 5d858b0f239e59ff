"""Derive from a window's seed what proves, what opens, what is compared and what is checked."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from remediator.core.codes import code_of
from remediator.core.errors import Malformed, WrongCode
from remediator.core.secret import Secret

if TYPE_CHECKING:
    from remediator.core.codes import Code
    from remediator.core.seeds import Seed, SeedRecord
    from remediator.core.windows import Window

FIXED_BYTES: Final = 32

_HEXADECIMAL = re.compile(r"[0-9a-f]{64}", re.ASCII)


class ProofKey(Secret):
    """Hold `P_w`, which signs and verifies requests: 32 bytes."""

    __slots__ = ()


class Opening(Secret):
    """Hold `O_w`, which only the caller brings: 32 bytes. Who can't read the seed can't compute it."""

    __slots__ = ()

    def hex(self) -> str:
        """Return the opening as the caller presents it: 64 lower-case hexadecimal digits."""
        return self.reveal().hex()


class GateValue(Secret):
    """Hold `E_w`, which STS compares: 64 hexadecimal characters."""

    __slots__ = ()

    def text(self) -> str:
        """Return the value as it stands in the trust policy and in `ExternalId`."""
        return self.reveal().decode("ascii")


class FixedValue(Secret):
    """Hold `X`, for which a sealed gate opens in every window until it is rolled: 32 bytes."""

    __slots__ = ()

    def __init__(self, value: bytes) -> None:
        if len(value) != FIXED_BYTES:
            raise Malformed(f"a sealed gate's value has {FIXED_BYTES} bytes")
        super().__init__(value)

    def text(self) -> str:
        """Return the value as it stands in the trust policy and in `ExternalId`: 64 lower-case hexadecimal digits."""
        return self.reveal().hex()


@dataclass(frozen=True, slots=True)
class Verifier:
    """Let the remediator verify a window's requests while it knows neither code nor opening."""

    window: Window
    proof_key: ProofKey
    check: bytes

    def require(self, deployment: str, code: Code, opening: Opening) -> None:
        """Raise `WrongCode` unless code and opening are this window's."""
        presented = check_value(deployment, self.window, opening, code)
        if not hmac.compare_digest(self.check, presented):
            raise WrongCode("code and opening aren't the window's")


@dataclass(frozen=True, slots=True)
class WindowKeys:
    """Hold what a caller derives from a seed record: all it needs to sign requests in the record's window."""

    window: Window
    proof_key: ProofKey
    code: Code
    opening: Opening


def length_prefixed(*parts: str | int | bytes) -> bytes:
    """Join parts so that no two lists give the same bytes: each with its length as 4 bytes, big-endian, before it."""
    encoded = [part if isinstance(part, bytes) else str(part).encode() for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)


def proof_key(deployment: str, window: Window, seed: Seed) -> ProofKey:
    """Return `P_w = H(S_w, lp("remediator/v1/proof", d, w))`."""
    return ProofKey(_mac(seed, "remediator/v1/proof", deployment, window.number))


def opening(deployment: str, window: Window, seed: Seed) -> Opening:
    """Return `O_w = H(S_w, lp("remediator/v1/open", d, w))`."""
    return Opening(_mac(seed, "remediator/v1/open", deployment, window.number))


def gate_value(deployment: str, window: Window, opened: Opening) -> GateValue:
    """Return `E_w = hex(H(O_w, lp("remediator/v1/gate", d, w)))`."""
    return GateValue(_mac(opened, "remediator/v1/gate", deployment, window.number).hex().encode("ascii"))


def pad_of(deployment: str, window: Window, opened: Opening, fixed: FixedValue) -> bytes:
    """Return `pad_w = X xor H(O_w, lp("remediator/v1/seal", d, w))`: nothing to who hasn't the window's opening."""
    return _sealing(fixed.reveal(), deployment, window, opened)


def unsealed(deployment: str, window: Window, opened: Opening, pad: bytes) -> FixedValue:
    """Return `X = pad_w xor H(O_w, …)`, or raise `Malformed`; another window's opening gives another value."""
    if len(pad) != FIXED_BYTES:
        raise Malformed(f"a pad has {FIXED_BYTES} bytes")
    return FixedValue(_sealing(pad, deployment, window, opened))


def check_value(deployment: str, window: Window, opened: Opening, code: Code) -> bytes:
    """Return `c_w = SHA-256(lp("remediator/v1/check", d, w, O_w, T_w))`."""
    parts = length_prefixed("remediator/v1/check", deployment, window.number, opened.reveal(), code.reveal())
    return hashlib.sha256(parts).digest()


def verifier_of(deployment: str, window: Window, seed: Seed) -> Verifier:
    """Return what the rotator publishes to the remediator for a window."""
    check = check_value(deployment, window, opening(deployment, window, seed), code_of(seed, window))
    return Verifier(window, proof_key(deployment, window, seed), check)


def keys_of(record: SeedRecord) -> WindowKeys:
    """Return what a caller needs to sign requests, from the window in the record."""
    deployment, window, seed = record.deployment, record.window, record.seed
    return WindowKeys(
        window, proof_key(deployment, window, seed), code_of(seed, window), opening(deployment, window, seed)
    )


def parse_opening(text: str) -> Opening:
    """Read an opening as it is presented, or raise `Malformed`: exactly 64 lower-case hexadecimal digits."""
    if not _HEXADECIMAL.fullmatch(text):
        raise Malformed("an opening is 64 lower-case hexadecimal digits")
    return Opening(bytes.fromhex(text))


def parse_fixed(text: str) -> FixedValue:
    """Read a sealed gate's value as the deployment made it, or raise `Malformed`; the message never quotes it."""
    if not _HEXADECIMAL.fullmatch(text):
        raise Malformed("a sealed gate's value is 64 lower-case hexadecimal digits")
    return FixedValue(bytes.fromhex(text))


def _sealing(value: bytes, deployment: str, window: Window, opened: Opening) -> bytes:
    mask = _mac(opened, "remediator/v1/seal", deployment, window.number)
    return bytes(one ^ other for one, other in zip(value, mask, strict=True))


def _mac(key: Secret, *parts: str | int) -> bytes:
    return hmac.digest(key.reveal(), length_prefixed(*parts), hashlib.sha256)
