"""Say what is to be repaired."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.catalogue.spec import JSON


@dataclass(frozen=True, slots=True)
class Finding:
    """Ask for one repair: by the fix's id, or by a scanner's, such as `cloudsploit:bucketEncryptionInTransit`.

    `target` is the cloud's own name, `{"arn": …}`, with `region` where the name holds none; `reference` is the
    vendor's own id and comes back in the result. A fix that can't be undone wants `acknowledge_irreversible`.
    """

    target: Mapping[str, str]
    fix: str | None = None
    finding: str | None = None
    parameters: Mapping[str, JSON] = field(default_factory=dict)
    reference: str | None = None
    acknowledge_irreversible: bool = False

    def __post_init__(self) -> None:
        if (self.fix is None) == (self.finding is None):
            raise ValueError("a finding names either a fix or a scanner's finding")

    def document(self) -> dict[str, JSON]:
        """Return the finding as protocol.md writes it; what isn't said isn't sent."""
        optional = {
            "fix": self.fix,
            "finding": self.finding,
            "parameters": dict(self.parameters),
            "reference": self.reference,
            "acknowledge_irreversible": self.acknowledge_irreversible,
        }
        return {"target": dict(self.target)} | {name: value for name, value in optional.items() if value}
