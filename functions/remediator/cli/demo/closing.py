"""Stop the rotator, let time go by, show that nothing opens any more, and start it again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from remediator.cli.demo import verdicts
from remediator.cli.demo.attacks import UNAUTHORIZED
from remediator.cli.demo.board import Verdict
from remediator.cli.demo.forgery import Forger
from remediator.cli.demo.trespass import Trespass
from remediator.core.gate import keys_of
from remediator.core.windows import Window
from remediator.local.account import ROTATION
from remediator.local.scheduler import NoSchedule
from remediator.vendor.errors import NotServed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediator.cli.demo.stage import Stage
    from remediator.core.gate import WindowKeys
    from remediator.local.mess import Mess
    from remediator.vendor import Finding

ALREADY: Final = Verdict("the remediator", 200, "already_compliant")


def close(stage: Stage, mess: Mess) -> None:
    """Stop the rotation, try everything once more after the last staged window, and let it run again."""
    line = stage.board.line
    _switch(stage, "DISABLED")
    line("the rotation, once its schedule is disabled", wanted="doesn't fire", got=_fired(stage))
    last = _last_keys(stage)
    stage.account.clock.shift(last.window.closes - time.time() + 1)
    findings = [offence.finding for offence in mess.offences]
    line("what the vendor's library says", wanted="NoLiveSeed", got=_ask(stage, findings))
    forger = Forger(stage)
    document = {"mode": "apply", "findings": [finding.document() for finding in findings]}
    got = verdicts.of_reply(forger.post(forger.letter(document, keys=last)))
    line("the last staged window's code and opening", wanted=UNAUTHORIZED, got=got)
    Trespass(stage).with_memory("the remediator's role, with the last staged window's opening", last)
    line("the remediator, asked how the gate is", wanted="unavailable", got=stage.operator.health().gate)
    line("the gate", wanted="closed", got=stage.desk.examine(time.time()).gate)
    _switch(stage, "ENABLED")
    line("the rotation, once its schedule is enabled again", wanted="fires", got=_fired(stage))
    line("the gate after it", wanted="open", got=stage.desk.examine(time.time()).gate)
    line("what the vendor is answered now", wanted=ALREADY, got=verdicts.of_ask(lambda: stage.vendor.apply(findings)))


def _switch(stage: Stage, state: str) -> None:
    """Enable or disable the schedule as an administrator would."""
    scheduler = stage.admin("scheduler")
    kept = ("Name", "Description", "ScheduleExpression", "FlexibleTimeWindow", "Target")
    schedule = scheduler.get_schedule(Name=ROTATION)
    scheduler.update_schedule(**{name: schedule[name] for name in kept}, State=state)


def _fired(stage: Stage) -> str:
    try:
        stage.account.rotate()
    except NoSchedule:
        return "doesn't fire"
    return "fires"


def _last_keys(stage: Stage) -> WindowKeys:
    """Return the keys of the furthest window that stands: all that a vendor can know at this moment."""
    now = time.time()
    furthest = Window(max(stage.desk.examine(now).staged))
    return keys_of(stage.reader.read(furthest, now).record)


def _ask(stage: Stage, findings: Sequence[Finding]) -> str:
    try:
        stage.vendor.apply(findings)
    except NotServed as refused:
        return type(refused).__name__
    return "answered"
