"""Write text in characters that look like ASCII, and that lax readers take for it."""

from __future__ import annotations


def full_width(text: str) -> str:
    """Write printable ASCII in the full-width forms of U+FF01 to U+FF5E."""
    return "".join(chr(ord(character) + 0xFEE0) for character in text)


def arabic(digits: str) -> str:
    """Write digits as Arabic-Indic ones, U+0660 to U+0669, which Python's `int` and `isdigit` take."""
    return "".join(chr(0x660 + int(digit)) for digit in digits)
