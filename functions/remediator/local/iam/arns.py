"""Read ARNs, and find what moto keeps for them: callers may name accounts and regions that don't exist."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

_ARN: Final = re.compile(r"arn:([\w-]+):([\w-]*):([\w-]*):(\w*):(.+)", re.ASCII | re.DOTALL)
_ACCOUNT: Final = re.compile(r"[0-9]{12}")


@dataclass(frozen=True, slots=True)
class Arn:
    """Hold the parts of an ARN."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    @classmethod
    def parse(cls, text: str) -> Arn | None:
        """Return the parts; None if the text isn't an ARN."""
        match = _ARN.fullmatch(text)
        return cls(*match.groups()) if match else None


def state_of(backends: Any, account: str, region: str) -> Any:  # noqa: ANN401 - moto's backends
    """Return what moto keeps of a service in an account and region; None where there can't be anything."""
    if not _ACCOUNT.fullmatch(account) or region not in backends[account]:
        return None
    return backends[account][region]
