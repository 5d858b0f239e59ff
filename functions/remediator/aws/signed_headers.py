"""Look at what the caller's Signature Version 4 covers, as far as a function's event shows it.

AWS's pages give the event's `headers` as those of the request, and don't say whether `authorization` is among them. So
a signature that is shown must cover the key; where none is shown, AWS has verified one that can't be looked at.

Source: docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html and docs.aws.amazon.com/IAM/latest/UserGuide/
reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_SIGNED: Final = re.compile(r"SignedHeaders=([^,\s]+)")


def key_is_signed(headers: Mapping[str, str]) -> bool:
    """Tell whether the caller's signature covers `Idempotency-Key`; True where the event doesn't show the signature."""
    proof = headers.get("authorization")
    if proof is None:
        return True
    found = _SIGNED.search(proof)
    return found is not None and "idempotency-key" in found[1].split(";")
