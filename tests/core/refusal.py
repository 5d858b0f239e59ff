"""Expect a request to be refused for its form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from remediator.core.errors import Malformed

if TYPE_CHECKING:
    from tests.core.scene import Message


def refused(message: Message) -> str:
    """Return why it is refused; nothing that was presented as a secret may be told."""
    with pytest.raises(Malformed) as error:
        message.parsed()
    told = str(error.value)
    for name in ("remediation-code", "remediation-opening", "signature"):
        value = message.headers.get(name, "")
        assert len(value) < 4 or value not in told
    return told
