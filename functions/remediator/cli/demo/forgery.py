"""Send what the library would never send."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from remediator.core.messages import Request, sign
from remediator.vendor.client import new_key
from remediator.vendor.clock import CorrectedClock, SystemClock
from remediator.vendor.keyring import Keyring
from remediator.vendor.transport import Call, HttpTransport, Unsigned

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.catalogue.spec import JSON
    from remediator.cli.demo.stage import Stage
    from remediator.core.gate import WindowKeys
    from remediator.vendor.transport import Reply


@dataclass(frozen=True, slots=True)
class Letter:
    """Hold a signed request before AWS's signature: what a thief of the vendor's credentials can change at will."""

    request: Request
    fields: Mapping[str, str]

    def with_body(self, body: bytes) -> Letter:
        """Return it with another body under the same signature."""
        return replace(self, request=replace(self.request, body=body))

    def with_field(self, name: str, value: str) -> Letter:
        """Return it with another field under the same signature."""
        return replace(self, fields={**self.fields, name: value})


class Forger:
    """Write letters with the keys of a window, and post them with the reader's credentials, or without any."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._keyring = Keyring(stage.deployment.id, stage.reader, CorrectedClock(SystemClock()))
        self._transport = HttpTransport()

    def keys(self) -> WindowKeys:
        """Return the keys of the window that is live."""
        return self._keyring.live()[0]

    def letter(self, document: JSON, *, keys: WindowKeys | None = None, created: int | None = None) -> Letter:
        """Return a request to remediate, signed properly with the keys of now, or with what is given."""
        body = json.dumps(document, separators=(",", ":")).encode()
        request = Request("POST", "/v1/remediations", body, new_key())
        at = int(time.time()) if created is None else created
        return Letter(request, sign(request, keys or self.keys(), created=at))

    def post(self, letter: Letter) -> Reply:
        """Send a letter with AWS's signature over what it says now."""
        return self._transport.send(self.addressed(letter))

    def addressed(self, letter: Letter) -> Call:
        """Return a letter with AWS's signature."""
        return self._stage.reader.authorize(self._unsigned(letter), time.time())

    def post_unsigned(self, letter: Letter) -> Reply:
        """Send a letter without AWS's signature."""
        unsigned = self._unsigned(letter)
        return self.send(Call(unsigned.method, unsigned.url, unsigned.headers, unsigned.body))

    def send(self, call: Call) -> Reply:
        """Send a call as it is."""
        return self._transport.send(call)

    def _unsigned(self, letter: Letter) -> Unsigned:
        url = self._stage.deployment.url(letter.request.path)
        headers = {"content-type": "application/json", **letter.fields}
        return Unsigned(letter.request.method, url, headers, {}, letter.request.body)
