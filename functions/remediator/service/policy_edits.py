"""Edit the customer's policy: whole, checked, and only if nobody else did meanwhile."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from remediator.catalogue import registry
from remediator.catalogue.errors import UnknownFix
from remediator.service.policy_document import PolicyUnfit, blank, checked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.catalogue.spec import JSON

KEPT: Final = 20
"""How many of the latest edits the policy remembers."""


class EditedMeanwhile(Exception):  # noqa: N818 - errors are named for what is the case
    """Say that the stored policy isn't the one that was edited."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Say who edited the policy, when in seconds of Unix time, and to which revision."""

    by: str
    at: int
    revision: int


@dataclass(frozen=True, slots=True)
class Stored:
    """Hold the policy as it is stored, which may be broken; `edits` are the latest, newest first."""

    text: str
    revision: int
    edits: tuple[Edit, ...]


class PolicyStore(Protocol):
    """Keep the policy."""

    def read(self) -> Stored | None:
        """Return the policy with its history, read consistently; None if there never was one."""

    def write(self, text: str, edits: tuple[Edit, ...], *, revision: int) -> None:
        """Write the policy as the next revision after `revision`, 0 if there was none; else raise `EditedMeanwhile`."""


@dataclass(frozen=True, slots=True)
class Editor:
    """Edit one deployment's policy; `by` says who does, as the cloud names them."""

    store: PolicyStore
    cloud: str
    by: str

    def save(self, text: str, met: Stored | None, *, now: float) -> dict[str, JSON]:
        """Save a policy in place of the one that was met, and return its document.

        Raises `PolicyUnfit`, or `EditedMeanwhile` if it isn't the one that is stored any more; nothing is saved then.
        """
        document = checked(text, self.cloud)
        _require_known(document, self.cloud)
        revision = met.revision if met else 0
        edits = (Edit(self.by, int(now), revision + 1), *(met.edits if met else ()))
        self.store.write(written(document), edits[:KEPT], revision=revision)
        return document


def current(met: Stored | None, cloud: str) -> dict[str, JSON]:
    """Return the document of what is stored, or the one that forbids nothing; raise `PolicyUnfit` if it is broken."""
    return checked(met.text, cloud) if met else blank(cloud)


def written(document: Mapping[str, JSON]) -> str:
    """Return a document as text, for a store."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def edits_text(edits: tuple[Edit, ...]) -> str:
    """Return edits as text, for a store."""
    return json.dumps([{"by": one.by, "at": one.at, "revision": one.revision} for one in edits], separators=(",", ":"))


def edits_of(text: str) -> tuple[Edit, ...]:
    """Return the edits that a store keeps as this text."""
    listed: list[dict[str, Any]] = json.loads(text)
    return tuple(Edit(str(one["by"]), int(one["at"]), int(one["revision"])) for one in listed)


def _require_known(document: Mapping[str, JSON], cloud: str) -> None:
    """Refuse fixes that there are none of: a typing error would disable what was meant."""
    for number, fix_id in enumerate(document["fixes"] or ()):
        try:
            known = registry.load(fix_id).id.partition(".")[0] == cloud
        except UnknownFix as unknown:
            raise PolicyUnfit(f"fixes[{number}]: {unknown}") from None
        if not known:
            raise PolicyUnfit(f"fixes[{number}]: {fix_id} is a fix for another cloud")
