"""Draw requests of many shapes: the same ones every time, each in a window of its own."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from remediator.core.messages import COMPONENTS, Fields, Request, SignedMessage, parse, sign
from tests.core.scene import KEY, PATH, WINDOW, Message, keys

if TYPE_CHECKING:
    from remediator.core.windows import Window

HOST = "https://example.lambda-url.eu-west-1.on.aws"
LETTERS = "ABCxyz019-"


@dataclass(frozen=True)
class Sample:
    """Hold a request, the window it is made in, and an order in which a signature may cover its parts."""

    request: Request
    window: Window
    order: tuple[str, ...]

    @property
    def url(self) -> str:
        """Return the request's address."""
        return HOST + self.request.path

    @property
    def proof_key(self) -> bytes:
        """Return the window's key."""
        return keys(self.window).proof_key.reveal()

    def signed(self, *, second: int) -> Message:
        """Return the request, signed by us at that second of its window."""
        fields = sign(self.request, keys(self.window), created=self.window.not_before + second)
        return self.sent(fields)

    def unsigned(self) -> dict[str, str]:
        """Return the fields that a signature covers."""
        return {name: text for name, text in self.signed(second=0).headers.items() if not name.startswith("signature")}

    def sent(self, headers: dict[str, str]) -> Message:
        """Return the request with these header fields."""
        return Message(self.request.method, self.request.path, headers, self.request.body)

    def believed(self, headers: dict[str, str]) -> SignedMessage:
        """Parse and verify the request with these header fields."""
        parsed = parse(self.request.method, self.request.path, Fields(headers), self.request.body)
        parsed.require_signed(keys(self.window).proof_key)
        return parsed


def _requests() -> list[Request]:
    chance = random.Random(9421)  # noqa: S311 - the same requests every time
    return [
        Request("POST", PATH, b'{"mode":"plan"}', KEY),
        Request("POST", f"{PATH}/{KEY}/rollback", b"", "k" * 16),
        Request("PUT", "/v1/a/-/B/9", bytes(range(256)), "K" * 64),
        *(
            Request(
                chance.choice(["POST", "GET", "DELETE"]),
                "/v1/" + "/".join("".join(chance.choices(LETTERS, k=8)) for _ in range(chance.randint(1, 5))),
                chance.randbytes(chance.randint(0, 400)),
                "".join(chance.choices(LETTERS, k=chance.randint(16, 64))),
            )
            for _ in range(20)
        ),
    ]


SAMPLES = [
    Sample(request, WINDOW + step, COMPONENTS[step % 6 :] + COMPONENTS[: step % 6])
    for step, request in enumerate(_requests())
]
