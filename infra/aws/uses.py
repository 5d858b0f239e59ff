"""Know which adapters each function is made of: its permissions and its SDK models are derived from what they use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from remediator.aws import (
    event_bus,
    external_ids,
    receipts,
    request_spans,
    seed_ring,
    sessions,
    staging,
    trust_policy,
    verifiers,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Items: TypeAlias = "Mapping[str, Sequence[str]]"
"""DynamoDB action → patterns of the partition keys it is used on."""


def _joined(*adapters: Items) -> Items:
    """Return what several adapters use of one table; an action that two use reaches the keys of both."""
    actions = sorted({action for items in adapters for action in items})
    return {action: sorted({key for items in adapters for key in items.get(action, ())}) for action in actions}


ROTATOR_STATE: Final[Items] = staging.USES
ROTATOR_SEEDS: Final[Sequence[str]] = seed_ring.USES
ROTATOR_GATE: Final[Sequence[str]] = trust_policy.USES

REMEDIATOR_STATE: Final[Items] = _joined(verifiers.USES, external_ids.USES_STATE, receipts.USES_STATE)
REMEDIATOR_RECEIPTS: Final[Sequence[str]] = receipts.USES
REMEDIATOR_GATE: Final[Sequence[str]] = sessions.USES
REMEDIATOR_BUS: Final[Sequence[str]] = event_bus.USES

WATCHER_RECEIPTS: Final[Sequence[str]] = request_spans.USES


def rotator_actions() -> frozenset[str]:
    """Return every IAM action that the rotator's code uses."""
    return frozenset((*ROTATOR_STATE, *ROTATOR_SEEDS, *ROTATOR_GATE))


def remediator_actions() -> frozenset[str]:
    """Return every IAM action that the remediator's own code uses, before it passes the gate."""
    return frozenset((*REMEDIATOR_STATE, *REMEDIATOR_RECEIPTS, *REMEDIATOR_GATE, *REMEDIATOR_BUS))


def watcher_actions() -> frozenset[str]:
    """Return every IAM action that the watcher's code uses."""
    return frozenset(WATCHER_RECEIPTS)
