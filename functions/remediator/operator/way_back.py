"""Derive the cloud's own calls that undo a receipt, for who stands before a closed gate.

The fix itself is asked to write the old state back. What it reads is read for real; what it would write is caught and
put into words. Nothing is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from remediator.catalogue import registry
from remediator.catalogue.errors import Overtaken, Underway

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from remediator.catalogue.engine import Change
    from remediator.catalogue.spec import JSON, Fix, Home, Target
    from remediator.operator.evidence import Evidence
    from remediator.service.records import Finding


class Now(StrEnum):
    """Say what the setting is now, as far as these credentials show it."""

    AS_LEFT = "as_left"
    ALREADY_BACK = "already_back"
    DRIFTED = "drifted"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class WayBack:
    """Hold the commands of the cloud's own command line, in order; none where there is nothing to write back.

    Not `whole` are those of a fix that looks at what each of its writes left before it makes the next one, where that
    can't be foreseen: the first ones are known, and that more follow.
    """

    now: Now
    commands: tuple[str, ...] = ()
    whole: bool = True


class Watched(Protocol):
    """Hold a client whose writes are caught, as the commands that would send them."""

    @property
    def client(self) -> Any:  # noqa: ANN401 - each fix knows its own kind of client
        """Return the client that a fix is given."""

    @property
    def caught(self) -> Sequence[str]:
        """Return what was caught, in order."""

    @property
    def looked_again(self) -> bool:
        """Tell whether something was read after something was caught: the cloud as it was, not as it would be."""


class Captor(Protocol):
    """Make clients that read with somebody's own credentials, and catch what they would write."""

    failures: tuple[type[Exception], ...]
    """The errors with which the cloud refuses to be read."""

    def watching(self, fix: Fix[Any, Any, Any], target: Target, wanted: JSON) -> AbstractContextManager[Watched]:
        """Return such a client for one fix on one target, and the state that it is to write."""


def way_back(captor: Captor, home: Home, finding: Finding, change: Change) -> WayBack:
    """Return the calls that write `before` back, only where the setting still is what was left."""
    fix = registry.load(finding.fix)
    target = fix.target.parse(finding.target, home)
    with captor.watching(fix, target, change.before) as watched:
        now = _now(captor, fix, watched.client, target, change)
        if now in (Now.ALREADY_BACK, Now.DRIFTED):
            return WayBack(now)
        try:
            fix.write(watched.client, target, change.after, change.before)
        except Overtaken:
            return WayBack(Now.DRIFTED)
        return WayBack(now, tuple(watched.caught), whole=not watched.looked_again)


def ways_back(evidence: Evidence, captor: Captor, home: Home) -> dict[int, WayBack]:
    """Return the way back of each finding that has one, by its index."""
    return {
        finding.index: way_back(captor, home, finding, finding.change)
        for finding in evidence.findings
        if finding.change is not None and evidence.way_back(finding)[0] is not None
    }


def _now(captor: Captor, fix: Fix[Any, Any, Any], client: Any, target: Target, change: Change) -> Now:  # noqa: ANN401 - as above
    try:
        now = fix.read(client, target)
    except Underway:
        return Now.DRIFTED
    except captor.failures:
        return Now.UNREAD
    if now == change.before:
        return Now.ALREADY_BACK
    return Now.AS_LEFT if now == change.after else Now.DRIFTED
