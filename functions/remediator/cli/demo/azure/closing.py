"""Stop the rotator's app, let time go by, show that nothing opens any more, and start it again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from remediator.cli.demo.azure.attacks import Attacks
from remediator.cli.demo.azure.trespass import NOT_LIVE, Trespass
from remediator.core.gate import keys_of
from remediator.core.windows import staged_at
from remediator.local.azure.apps.host import NoSuchApp
from remediator.vendor.errors import NotServed

if TYPE_CHECKING:
    from remediator.cli.demo.azure.repair import Repair
    from remediator.cli.demo.azure.stage import Stage
    from remediator.core.gate import WindowKeys

_WEB: Final = "2024-04-01"


def close(stage: Stage, repair: Repair) -> None:
    """Stop the rotator, try everything once more after the last staged window, and let it run again."""
    line, attacks = stage.board.line, Attacks(stage, repair.prey)
    _switch(stage, "stop")
    line("the rotation, once its app is stopped", wanted="doesn't fire", got=_fired(stage))
    last = _last_keys(stage)
    stage.azure.clock.shift(last.window.closes - time.time() + 1)
    line("what the vendor's library says", wanted="NoLiveSeed", got=_ask(stage, repair))
    attacks.posts("the last staged window's code and opening", last)
    what = "the remediator's identity, with the last staged window's opening"
    Trespass(stage).passes(what, last.window, last.opening, NOT_LIVE)
    line("the gate", wanted="unavailable", got=stage.operator.health().gate)
    _switch(stage, "start")
    line("the rotation, once its app is started again", wanted="fires", got=_fired(stage))
    line("the gate after it", wanted="open", got=stage.operator.health().gate)
    line("what the vendor is answered now", wanted="already_compliant", got=_ask(stage, repair))


def _switch(stage: Stage, action: str) -> None:
    """Stop or start the app as an administrator would."""
    site = f"{stage.own_group}/providers/Microsoft.Web/sites/{stage.azure.outputs['RotateApp']}"
    stage.admin.post(f"{site}/{action}", {}, api=_WEB)


def _fired(stage: Stage) -> str:
    try:
        stage.azure.rotate()
    except NoSuchApp:
        return "doesn't fire"
    return "fires"


def _last_keys(stage: Stage) -> WindowKeys:
    """Return the keys of the furthest window that is staged: all that a vendor can know at this moment."""
    now = time.time()
    return keys_of(stage.access.read(staged_at(now)[-1], now).record)


def _ask(stage: Stage, repair: Repair) -> str:
    try:
        answer = stage.vendor.apply(repair.findings)
    except NotServed as refused:
        return type(refused).__name__
    return "/".join(sorted({result.outcome.value for result in answer.results}))
