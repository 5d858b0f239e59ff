"""Make seeds, and the record in which the reader gets one."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from remediator.core.errors import Malformed
from remediator.core.secret import Secret
from remediator.core.windows import PERIOD, Window

if TYPE_CHECKING:
    from collections.abc import Callable

SEED_BYTES: Final = 32
RING: Final = 6
"""Slots of the seed ring: the fewest that stay under 100 versions in 24 hours even if every write happens twice."""

_SECRET = re.compile(r"[A-Z2-7]{52}", re.ASCII)


class Seed(Secret):
    """Hold the 32 bytes from which everything in one window is derived."""

    __slots__ = ()

    def __init__(self, value: bytes) -> None:
        if len(value) != SEED_BYTES:
            raise Malformed(f"a seed has {SEED_BYTES} bytes")
        super().__init__(value)


def new_seed(entropy: Callable[[int], bytes]) -> Seed:
    """Make a seed from `entropy`, which returns that many bytes of the operating system's CSPRNG."""
    return Seed(entropy(SEED_BYTES))


def slot_of(window: Window) -> int:
    """Return the slot of the ring, 0 to 5, that holds the window's record."""
    return window.number % RING


def version_of(deployment: str, window: Window) -> str:
    """Return the id of the one version that may hold the window's record: 64 hexadecimal characters.

    A pure function of deployment and window, so that the store itself refuses a second seed for a window.
    """
    return hashlib.sha256(f"remediator/v1/version/{deployment}/{window}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class SeedRecord:
    """Give a window's seed to who may compute its code. The code is defined from the window in the record."""

    deployment: str
    window: Window
    seed: Seed

    def to_json(self) -> str:
        """Return the record as protocol.md gives it."""
        return json.dumps(_fields(self.deployment, self.window) | {"secret": _encode(self.seed)}, sort_keys=True)


def parse_record(text: str) -> SeedRecord:
    """Read a seed record, or raise `Malformed`; the message never quotes the text."""
    record = _json_object(text)
    deployment, number, secret = record.get("deployment"), record.get("window"), record.get("secret")
    if not isinstance(deployment, str) or type(number) is not int or number < 0 or not isinstance(secret, str):
        raise Malformed("a field of the seed record is missing or of the wrong type")
    window = Window(number)
    if {name: value for name, value in record.items() if name != "secret"} != _fields(deployment, window):
        raise Malformed("the seed record isn't of version 1, or contradicts itself")
    return SeedRecord(deployment, window, Seed(_decode(secret)))


def _fields(deployment: str, window: Window) -> dict[str, Any]:
    return {
        "version": 1,
        "deployment": deployment,
        "window": window.number,
        "algorithm": "SHA256",
        "digits": 6,
        "period": PERIOD,
        "not_before": window.not_before,
        "not_after": window.not_after,
    }


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        raise Malformed("the seed record isn't JSON") from None
    if not isinstance(value, dict):
        raise Malformed("the seed record isn't an object")
    return value


def _encode(seed: Seed) -> str:
    return base64.b32encode(seed.reveal()).decode().rstrip("=")


def _decode(secret: str) -> bytes:
    if not _SECRET.fullmatch(secret):
        raise Malformed("the secret isn't base32 of 32 bytes without padding")
    try:
        return base64.b32decode(secret + "====")
    except binascii.Error:  # pragma: no cover - the pattern leaves nothing for it to refuse
        raise Malformed("the secret isn't base32") from None
