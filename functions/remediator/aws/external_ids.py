"""Say what a request brings to STS: a value of its window's own, or the one value that its window's pad hides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from remediator.core.errors import Expired, Malformed
from remediator.core.gate import gate_value, unsealed
from remediator.service.errors import GateShut

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.core.windows import Window
    from remediator.service.passage import Passage

USES_STATE: Final = {"dynamodb:BatchGetItem": ("window/*",)}

ExternalIds: TypeAlias = "Callable[[Passage], str]"
"""Given a request's passage, return what STS is to compare, or raise `GateShut`."""


@dataclass(frozen=True, slots=True)
class OfWindows:
    """Derive the window's own gate value from its opening."""

    deployment: str

    def __call__(self, passage: Passage) -> str:
        """Return `E_w`."""
        return gate_value(self.deployment, passage.window, passage.opening).text()


@dataclass(frozen=True, slots=True)
class Unsealed:
    """Take the window's pad off the gate's one value, with the window's opening.

    STS doesn't know our windows here, so the clock is asked before anything is read. The pad is read for each session,
    as it is then: a freeze takes it away. Nothing of the value is kept.
    """

    client: Any
    table: str
    deployment: str
    clock: Callable[[], float]

    def __call__(self, passage: Passage) -> str:
        """Return `X`."""
        try:
            passage.window.require_honoured(self.clock())
            return unsealed(self.deployment, passage.window, passage.opening, self._pad(passage.window)).text()
        except (Expired, Malformed) as error:
            raise GateShut(str(error)) from None

    def _pad(self, window: Window) -> bytes:
        request = {
            "Keys": [{"pk": {"S": f"window/{window}"}}],
            "ConsistentRead": True,
            "ProjectionExpression": "#pad",
            "ExpressionAttributeNames": {"#pad": "pad"},  # a word of DynamoDB's own
        }
        found = self.client.batch_get_item(RequestItems={self.table: request})["Responses"].get(self.table, [])
        if not found or "pad" not in found[0]:
            raise GateShut("nothing is sealed for the window")
        return bytes(found[0]["pad"]["B"])
