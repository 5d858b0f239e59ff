"""Bring every attack against a setting that lies open, and show that it stays so until the vendor asks properly."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from remediator.catalogue import registry
from remediator.cli.demo.attacks import Attacks
from remediator.cli.demo.forgery import Forger
from remediator.cli.demo.trespass import Trespass
from remediator.core.windows import PERIOD

if TYPE_CHECKING:
    from remediator.cli.demo.stage import Stage
    from remediator.local.mess import Mess, Offence


def besiege(stage: Stage, mess: Mess, prey: Offence) -> None:
    """Attack from outside, with wrong secrets, at wrong targets; then repair; then replay, trespass, and come late."""
    attacks, trespass = Attacks(stage, prey), Trespass(stage)
    mark, open_still = stage.account.calls.mark(), _setting(stage, prey)
    attacks.from_outside()
    attacks.with_wrong_secrets()
    attacks.at_wrong_targets()
    changed = _setting(stage, prey) != open_still
    stage.board.line("after all these, the open setting", wanted="untouched", got="changed" if changed else "untouched")
    stage.board.line(
        "and the write role was assumed, or called anything", wanted="never", got=stage.passages_since(mark) or "never"
    )
    attacks.by_replay()
    trespass.as_reader(mess)
    forger = Forger(stage)
    live, created = forger.keys(), int(time.time())
    trespass.as_remediator(live)
    _let_two_windows_pass(stage)
    attacks.with_an_old_windows(live, created)
    trespass.with_memory("the remediator's role, with an opening it remembers", live)


def _setting(stage: Stage, offence: Offence) -> object:
    finding = offence.finding
    fix = finding.fix or registry.answering(str(finding.finding))[0].id
    return stage.setting(fix, finding.target)


def _let_two_windows_pass(stage: Stage) -> None:
    stage.account.clock.shift(2 * PERIOD)
    stage.account.rotate()
