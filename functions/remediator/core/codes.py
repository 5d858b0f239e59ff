"""Compute the six digits of a window."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Final

from remediator.core.errors import Malformed
from remediator.core.secret import Secret

if TYPE_CHECKING:
    from remediator.core.seeds import Seed
    from remediator.core.windows import Window

DIGITS: Final = 6
_CODE = re.compile(r"[0-9]{6}", re.ASCII)


class Code(Secret):
    """Hold six ASCII digits."""

    __slots__ = ()


def parse_code(text: str) -> Code:
    """Read a code as it is presented, or raise `Malformed`: exactly six ASCII digits, nothing around them."""
    if not _CODE.fullmatch(text):
        raise Malformed("a code is six ASCII digits")
    return Code(text.encode("ascii"))


def code_of(seed: Seed, window: Window) -> Code:
    """Return the window's code: RFC 6238 TOTP with X = 300, T0 = 0, HMAC-SHA-256 and 6 digits, at the window's start.

    It equals RFC 4226 HOTP, with SHA-256, of the seed with the window's number as the counter.
    """
    return Code(hotp(seed.reveal(), window.number, digits=DIGITS, algorithm="sha256").encode("ascii"))


def hotp(key: bytes, counter: int, *, digits: int, algorithm: str) -> str:
    """Return the decimal digits of RFC 4226 section 5.3, leading zeros kept."""
    mac = hmac.digest(key, counter.to_bytes(8, "big"), getattr(hashlib, algorithm))
    offset = mac[-1] & 0x0F
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)
