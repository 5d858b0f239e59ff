"""Read what the rotator staged, for the remediator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from remediator.core.gate import ProofKey, Verifier
from remediator.service.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.core.windows import Window

POLICY: Final = "policy"
"""The key of the customer's policy, which only the operator writes."""

USES: Final = {"dynamodb:BatchGetItem": ("control", POLICY, "window/*")}


class VerifierTable:
    """Read the control item and verifiers, always consistently."""

    def __init__(self, client: Any, table: str) -> None:  # noqa: ANN401 - an SDK client
        self._client = client
        self._table = table

    def standing(self, window: Window | None = None) -> Standing:
        """Return how the deployment stands in one call; what a busy table gives in part counts for nothing."""
        names = ["control", POLICY, *([f"window/{window}"] if window else ())]
        keys = [{"pk": {"S": name}} for name in names]
        answer = self._client.batch_get_item(RequestItems={self._table: {"Keys": keys, "ConsistentRead": True}})
        items = {item["pk"]["S"]: item for item in answer["Responses"].get(self._table, [])}
        if "control" not in items or answer.get("UnprocessedKeys"):
            return Standing(None)
        item = items.get(f"window/{window}")
        return Standing(
            state=items["control"]["state"]["S"],
            policy=policy_of(items.get(POLICY)),
            verifier=_verifier(window, item) if window and item else None,
        )


def policy_of(item: Mapping[str, Any] | None) -> str | None:
    """Return the text of the policy's item; an item without one is a broken policy, and not none."""
    return None if item is None else str(item.get("document", {}).get("S", ""))


def _verifier(window: Window, item: dict[str, Any]) -> Verifier | None:
    dates = int(item["not_before"]["N"]), int(item["not_after"]["N"])
    if dates != (window.not_before, window.not_after):
        return None
    return Verifier(window, ProofKey(item["P"]["B"]), item["c"]["B"])
