"""Examine a deployment from end to end, as its operator, and say of each thing what to do next. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from remediator.catalogue.engine import Outcome
from remediator.core.windows import AHEAD, window_at
from remediator.vendor.errors import NotServed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from remediator.operator.condition import Condition
    from remediator.operator.office import Office
    from remediator.vendor import Client, Finding

APART: Final = 60.0
"""Seconds by which two clocks may differ: beyond, a signature is refused."""

REDEPLOY: Final = "Deploy again, as it was deployed before."
STATUS: Final = "`remediator status` says who, when and why; when the cause is gone: `remediator unfreeze`."
_LATE: Final = 1
"""Windows since the last run that are no cause for worry: it comes in the middle of each."""


@dataclass(frozen=True, slots=True)
class Check:
    """Say how one thing is, and what to do next; `fine` is None for what this operator can't judge."""

    about: str
    fine: bool | None
    said: str
    next: str = ""


def diagnose(office: Office, asked: Finding | None, now: float) -> Iterator[Check]:
    """Yield check after check as they are made; `asked` is what to plan, or None for what each account has.

    What nothing else can be looked at without ends it.
    """
    missing = office.wanted_outputs - office.outputs.keys()
    if missing:
        yield Check("outputs", False, f"lack {', '.join(sorted(missing))}", REDEPLOY)
        return
    yield Check("outputs", True, "complete")
    try:
        condition = office.examine(now)
    except NotServed as error:
        advice = "Check the network and the proxy; nothing else can be said before it answers."
        yield Check("endpoint", False, str(error), advice)
        return
    yield from (_state(condition), _gate(condition), _rotation(condition), _ringing(condition))
    yield from office.checks(condition)
    client = office.client()
    yield looked("endpoint's clock", lambda: clock("endpoint's clock", client.skew()), NotServed)
    if condition.gate == "frozen":
        yield Check("plan", None, "not tried: whatever is asked is refused while it is frozen", STATUS)
        return
    yield looked("plan", lambda: _plan(client, asked or office.everybodys()), NotServed)


def looked(about: str, look: Callable[[], Check], *refusals: type[Exception]) -> Check:
    """Make a check; one that is refused isn't fine, and says so in the cloud's own words."""
    try:
        return look()
    except refusals as refused:
        return Check(about, False, f"refused: {refused}", "Check that you are signed in as the operator. " + REDEPLOY)


def clock(about: str, skew: float | None) -> Check:
    """Judge a clock by how many seconds it is ahead of this machine's."""
    if skew is None:
        return Check(about, False, "its answer has no date", "Compare it by hand: a minute apart, nothing is accepted.")
    said = f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} this machine's"
    fine = abs(skew) <= APART
    return Check(about, fine, said, "" if fine else "Set this machine's clock, and the vendor's: by NTP.")


def _state(condition: Condition) -> Check:
    control = condition.control
    if control.state == "frozen":
        by = f" by {control.order.by}" if control.order else ""
        return Check("state", False, f"frozen{by}: every request is refused", STATUS)
    return Check("state", True, control.state or "open, since nobody ever froze it")


def _gate(condition: Condition) -> Check:
    open_now = condition.answers == "open" and window_at(condition.now).number in condition.ready
    said = f"{'open' if open_now else 'closed'}{', sealed' if condition.sealed else ''}"
    said += f": {len(condition.ready)} windows are ready, the endpoint says"
    advice = STATUS if condition.gate == "frozen" else f"Rotate now, and read what it answers: {condition.words.rotate}"
    return Check("gate", open_now, f"{said} {condition.answers}", "" if open_now else advice)


def _rotation(condition: Condition) -> Check:
    if not condition.staged:
        return Check("rotation", False, "no run for a quarter of an hour, or ever", "See docs/operations.md.")
    ago = window_at(condition.now).number - (max(condition.staged) - AHEAD)
    if ago <= _LATE:
        return Check("rotation", True, "the last run was in this window of five minutes, or in the one before")
    advice = "See docs/operations.md, rotation-late."
    return Check("rotation", False, f"the last run was {ago} windows of five minutes ago", advice)


def _ringing(condition: Condition) -> Check:
    ringing = [alarm.name for alarm in condition.alarms if alarm.state == "ALARM"]
    advice = "docs/operations.md says of each what it means, and what to do."
    return Check("alarms", not ringing, f"ringing: {', '.join(ringing) or 'none'}", advice if ringing else "")


def _plan(client: Client, asked: Finding | None) -> Check:
    if asked is None:
        return Check("plan", None, "not tried: no target was named", "Name one: --fix and --target. A plan only reads.")
    (result,) = client.plan([asked]).results
    fine = result.outcome in (Outcome.PLANNED, Outcome.ALREADY_COMPLIANT)
    why = f", {result.reason.code}: {result.reason.message}" if result.reason else ""
    advice = "The gate let it through; the reason says what the fix met, or which rule forbids it."
    return Check("plan", fine, f"{asked.fix or asked.finding}: {result.outcome.value}{why}", "" if fine else advice)
