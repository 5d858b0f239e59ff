"""Stop the rotator, let time go by, and show that nothing opens any more."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from remediator.cli.demo import verdicts
from remediator.cli.demo.attacks import UNAUTHORIZED
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


def close(stage: Stage, mess: Mess) -> None:
    """Stop the rotation, and try everything once more after the last staged window."""
    line = stage.board.line
    line("the rotation, once its schedule is disabled", wanted="doesn't fire", got=_stop(stage))
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


def _stop(stage: Stage) -> str:
    scheduler = stage.admin("scheduler")
    kept = ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target")
    schedule = scheduler.get_schedule(Name=ROTATION)
    scheduler.update_schedule(**{name: schedule[name] for name in kept}, State="DISABLED")
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
