"""Read what the rotator staged, for the remediator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from remediator.core.gate import ProofKey, Verifier

if TYPE_CHECKING:
    from remediator.core.windows import Window

USES: Final = {
    "dynamodb:GetItem": ("control",),
    "dynamodb:BatchGetItem": ("control", "window/*"),
}


class VerifierTable:
    """Read the control item and verifiers, always consistently."""

    def __init__(self, client: Any, table: str) -> None:  # noqa: ANN401 - an SDK client
        self._client = client
        self._table = table

    def state(self) -> str | None:
        """Return `open`, `frozen`, or None before the first rotation."""
        answer = self._client.get_item(TableName=self._table, Key={"pk": {"S": "control"}}, ConsistentRead=True)
        return answer["Item"]["state"]["S"] if "Item" in answer else None

    def state_and_verifier(self, window: Window) -> tuple[str | None, Verifier | None]:
        """Return the state and the window's verifier in one call; what a busy table doesn't give counts as absent."""
        keys = [{"pk": {"S": name}} for name in ("control", f"window/{window}")]
        answer = self._client.batch_get_item(RequestItems={self._table: {"Keys": keys, "ConsistentRead": True}})
        items = {item["pk"]["S"]: item for item in answer["Responses"].get(self._table, [])}
        control, item = items.get("control"), items.get(f"window/{window}")
        return control["state"]["S"] if control else None, _verifier(window, item) if item else None


def _verifier(window: Window, item: dict[str, Any]) -> Verifier | None:
    dates = int(item["not_before"]["N"]), int(item["not_after"]["N"])
    if dates != (window.not_before, window.not_after):
        return None
    return Verifier(window, ProofKey(item["P"]["B"]), item["c"]["B"])
