"""Tell the story on Azure, from an empty subscription to a closed gate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from remediator.cli.demo.azure.attacks import Attacks
from remediator.cli.demo.azure.repair import Repair
from remediator.cli.demo.azure.stage import Stage
from remediator.core.windows import PERIOD
from remediator.local.azure.cloud import EmbeddedAzure
from remediator.vendor.errors import NotServed

if TYPE_CHECKING:
    from remediator.cli.demo.board import Board
    from remediator.cli.speech import Speech


def tell(speech: Speech, board: Board, *, latency_ms: int) -> None:
    """Tell the whole story to a board."""

    def tell_dimly(text: str) -> None:
        speech.note(Text(f"  {text}", style="dim"))

    with EmbeddedAzure(latency_ms=latency_ms, say=tell_dimly) as azure:
        with board.chapter("azure: deploy", "The customer installs on Azure, with the project's installer"):
            azure.deploy()
            stage = Stage(azure, board)
            board.line("the gate before the first rotation", wanted="unavailable", got=stage.operator.health().gate)
        with board.chapter("azure: rotate", "The rotator makes seeds, and seals the credential in each window"):
            azure.rotate()
            board.line("the gate after it", wanted="open", got=stage.operator.health().gate)
        with board.chapter("azure: mess", "The resource group is in a mess"):
            repair = Repair(stage)
        with board.chapter("azure: plan", "The vendor plans"):
            repair.plan()
        with board.chapter("azure: apply", "The vendor applies every fix"):
            applied = repair.apply()
        with board.chapter("azure: roll back", "The operator takes one repair back"):
            repair.roll_back_one(applied)
        with board.chapter("azure: attacks", "Everybody attacks"):
            _besiege(stage, repair)
        with board.chapter("azure: closed", "No rotation runs any more, and time goes by"):
            _close(stage, repair)


def _besiege(stage: Stage, repair: Repair) -> None:
    attacks, mark = Attacks(stage, repair.prey), stage.azure.calls.mark()
    attacks.with_wrong_proofs()
    attacks.at_wrong_targets()
    attacks.as_the_reader()
    stage.board.line("resources called after all these", wanted=0, got=stage.repairs_since(mark))
    attacks.by_replay()
    old = attacks.keys()
    stage.azure.clock.shift(2 * PERIOD)
    stage.azure.rotate()
    attacks.posts("an old window's code and opening", old)


def _close(stage: Stage, repair: Repair) -> None:
    attacks = Attacks(stage, repair.prey)
    last = attacks.keys()
    stage.azure.clock.shift(5 * PERIOD)
    stage.board.line("what the vendor's library says", wanted="NoLiveSeed", got=_ask(stage, repair))
    attacks.posts("a code and an opening of before", last)
    stage.board.line("the gate", wanted="unavailable", got=stage.operator.health().gate)


def _ask(stage: Stage, repair: Repair) -> str:
    try:
        stage.vendor.apply(repair.findings)
    except NotServed as refused:
        return type(refused).__name__
    return "answered"
