"""Make seeds, and the record in which the reader gets one."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from remediator.core.errors import Malformed
from remediator.core.secret import Secret
from remediator.core.windows import LAST, PERIOD, Window

if TYPE_CHECKING:
    from collections.abc import Callable

SEED_BYTES: Final = 32
RING: Final = 6
"""Slots of the seed ring: the fewest that stay under 100 versions in 24 hours even if every write happens twice."""

EPOCH: Final = 4 * 288
"""Windows for which a vault's names hold: a multiple of the ring's six, so that every slot begins anew with it."""

_SECRET = re.compile(r"[A-Z2-7]{52}", re.ASCII)
_DEPLOYMENT = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)


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


def vault_name_of(window: Window) -> str:
    """Return the name of the Key Vault secret that holds the window's record while the window is live."""
    return f"seed-{window.number // EPOCH}-{slot_of(window)}"


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
        return json.dumps(_fields(self), sort_keys=True)


def parse_record(text: str) -> SeedRecord:
    """Read a seed record, or raise `Malformed`; the message never quotes the text.

    It must be what `to_json` makes of it again, but for white space and order: a second value for a name, `1.0` or
    `true` for 1, or a base32 text with stray bits at its end is not.
    """
    given = _json_object(text)
    deployment, number, secret = given.get("deployment"), given.get("window"), given.get("secret")
    if not isinstance(deployment, str) or type(number) is not int or not isinstance(secret, str):
        raise Malformed("a field of the seed record is missing or of the wrong type")
    if not _DEPLOYMENT.fullmatch(deployment):
        raise Malformed("a deployment's id is 1 to 64 letters, digits and hyphens")
    if not 0 <= number <= LAST:
        raise Malformed("a window's number has at most twelve digits")
    record = SeedRecord(deployment, Window(number), Seed(_decode(secret)))
    if _typed(given) != _typed(_fields(record)):
        raise Malformed("the seed record isn't of version 1, or contradicts itself")
    return record


def _fields(record: SeedRecord) -> dict[str, Any]:
    return {
        "version": 1,
        "deployment": record.deployment,
        "window": record.window.number,
        "secret": _encode(record.seed),
        "algorithm": "SHA256",
        "digits": 6,
        "period": PERIOD,
        "not_before": record.window.not_before,
        "not_after": record.window.not_after,
    }


def _typed(fields: dict[str, Any]) -> dict[str, tuple[type, Any]]:
    return {name: (type(value), value) for name, value in fields.items()}


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError):
        raise Malformed("the seed record isn't JSON with distinct names") from None
    if not isinstance(value, dict):
        raise Malformed("the seed record isn't an object")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return dict(pairs)


def _encode(seed: Seed) -> str:
    return base64.b32encode(seed.reveal()).decode().rstrip("=")


def _decode(secret: str) -> bytes:
    if not _SECRET.fullmatch(secret):
        raise Malformed("the secret isn't base32 of 32 bytes without padding")
    return base64.b32decode(secret + "====")
