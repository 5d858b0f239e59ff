"""Say what the use cases need of the world; `aws/` and `azure/` provide it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from remediator.catalogue.spec import Fix, Target
    from remediator.core.gate import Opening, Verifier
    from remediator.core.seeds import Seed, SeedRecord
    from remediator.core.windows import Window
    from remediator.service.announcements import Announcement
    from remediator.service.passage import Passage
    from remediator.service.records import Claim, Claimed, Finding, Mode, Record, Refusal
    from remediator.service.staging import Staging
    from remediator.service.standing import Standing


class SeedRing(Protocol):
    """Keep the seed records where the reader, and nobody else from outside, can read them."""

    def held(self) -> Mapping[Window, Seed]:
        """Return the seeds that the ring shows now; what it doesn't show may still be there."""

    def read(self, window: Window) -> Seed | None:
        """Return the seed stored for a window, or None; never what a stale listing says."""

    def keep(self, record: SeedRecord) -> Seed:
        """Store a record unless its window has one, and return the seed that is stored: the first one ever given."""


class Staged(Protocol):
    """Keep control item, lease and verifiers: what the rotator stages for the remediator."""

    def look(self, windows: Sequence[Window]) -> Staging:
        """Return, read consistently, the state and which of the windows are staged."""

    def take_lease(self, holder: str, now: float) -> None:
        """Take the lease for 120 seconds, or raise `LeaseTaken`."""

    def give_lease_back(self, holder: str, gate: str) -> None:
        """End the lease, and note the fingerprint of the gate that was left."""

    def open_first(self) -> None:
        """Insert the control item as open, if there is none: the only time the rotator writes it."""

    def stage(self, verifiers: Sequence[Verifier], holder: str) -> None:
        """Insert verifiers, all or none, while the state is open and the lease is held; raise `Frozen` if not open."""


class Gate(Protocol):
    """Open the write role, or the app registration, to who brings a live opening, and to nobody else."""

    def stands(self, windows: Sequence[Window], fingerprint: str) -> bool:
        """Tell whether the gate is the one that was left under `fingerprint`, and opens for each of the windows."""

    def set(self, openings: Mapping[Window, Opening]) -> str:
        """Let the gate open for these windows alone, each in its own time, and return the gate's fingerprint."""

    def close(self) -> str:
        """Let the gate open for nobody, and return its fingerprint."""


class Verifiers(Protocol):
    """Let the remediator read what the rotator staged."""

    def standing(self, window: Window | None = None) -> Standing:
        """Return how the deployment stands, and the window's verifier if there is one: in one consistent read.

        What can't be read whole counts as a deployment that hasn't rotated yet, never as one without a policy.
        """


class Admissions(Protocol):
    """Keep what the operator admitted by hand: a window's opening, how often it was tried, and what it was used for.

    Each method changes it on conditions and in one step, so that what happens at the same time is one after the other.
    """

    def count(self, window: Window) -> Opening | None:
        """Count an attempt, and then return the opening; count nothing and return None where no admission is open."""

    def use(self, window: Window, mode: Mode, request: str) -> bool:
        """Take the attempt back; tell whether the request is the admission's one of this mode, and note that it is."""

    def close_spent(self, window: Window) -> bool:
        """Delete the opening if all attempts are spent; tell whether this call closed the admission."""


class Deposits(Protocol):
    """Delete openings that were left for windows which are over."""

    def clear(self, now: float) -> None:
        """Delete every opening of a window that ended before `now`; write nothing where there is none."""


class Receipts(Protocol):
    """Keep execution records and receipts. Nothing here deletes."""

    def claim(self, claim: Claim) -> Claimed | Refusal | Record:
        """Count the request and insert its record in one transaction.

        Returns `Claimed` where the record is ours to work on, the `Record` met where its outcome stands, or why not.
        """

    def findings(self, remediation: str) -> Sequence[Finding]:
        """Return what is stored of each finding of a remediation, in order of their index."""

    def record(self, remediation: str) -> Record | None:
        """Return a remediation's execution record, read consistently."""

    def store(self, claimed: Claimed, findings: Sequence[Finding]) -> None:
        """Store findings, in transactions on the condition that the claim still holds; else raise `ClaimLost`."""

    def finish(self, claimed: Claimed, *, partial: bool) -> None:
        """End the work on a record, on the condition that the claim still holds; else raise `ClaimLost`."""

    def spend(self, day: str, *, wanted: int, most: int) -> int:
        """Count up to `wanted` findings for a day, in one step, and return how many of `most` were left for them.

        The day is a date as ISO 8601 writes it; all callers of the deployment count together.
        """

    def settle(self, finding: Finding) -> None:
        """Note on another remediation's finding what a refresh found, if it is still unsettled."""


class Session(Protocol):
    """Hold the credentials of one session on one fix's targets."""

    @property
    def client(self) -> Any:  # noqa: ANN401 - each fix knows its own kind of client
        """Return the client that a fix is given."""

    def recording(self) -> AbstractContextManager[list[str]]:
        """Collect the names of the API operations that this thread calls, such as `s3:GetPublicAccessBlock`."""

    @property
    def tags_at_once(self) -> int:
        """Return of how many targets the cloud shows the tags in one call."""

    def tags(self, targets: Sequence[Target]) -> Mapping[str, Mapping[str, str]]:
        """Return the tags of targets by their ids, if the session was opened for that; what has none may be left out.

        Raises one of the sessions' `failures`, or `TagsUnread`.
        """


class Sessions(Protocol):
    """Pass the gate."""

    failures: tuple[type[Exception], ...]
    """The errors that the sessions' clients raise."""

    def explain(self, error: Exception) -> tuple[str, str]:
        """Return the cloud's code and message of one of `failures`."""

    def may_be_accepted(self, error: Exception) -> bool:
        """Tell whether the cloud may have accepted a call that ended with one of `failures`."""

    def chunks(
        self, fix: Fix[Any, Any, Any], targets: Sequence[Target], *, deadline: int, write: bool, tags: bool = False
    ) -> Iterable[int]:
        """Return how many of the targets, in order, each session takes; `tags` tells that it reads their tags too."""

    def at(self, passage: Passage) -> Doorway:
        """Return the gate as one request comes to it."""


class Doorway(Protocol):
    """Let one request through the gate."""

    def open(
        self, fix: Fix[Any, Any, Any], targets: Sequence[Target], *, write: bool, tags: bool = False
    ) -> AbstractContextManager[Session]:
        """Open a session on these targets until the request's deadline; with `tags` it may read their tags.

        Raises `GateShut` if the gate refuses, `SessionTooLarge` if the targets don't fit in one session.
        """


class Announcer(Protocol):
    """Put events on the customer's own bus."""

    def announce(self, announcements: Sequence[Announcement]) -> None:
        """Send all that the bus takes within a few seconds, each under its own id.

        What is too large for the bus goes without its states. Raises `NotTaken` if any weren't taken.
        """


class Pauses(Protocol):
    """Wait a little for the cloud to agree with itself."""

    def __call__(self) -> Iterable[None]:
        """Return an iterable that waits before each of its few items."""


class Monitor(Protocol):
    """Tell the operator: a log without secrets, and metrics that alarms watch."""

    def note(self, message: str, **facts: str | float | None) -> None:
        """Write one line to the log."""

    def count(self, metric: str, value: float = 1) -> None:
        """Add to a metric."""
