"""Tell the story on Azure, from an empty subscription to a closed gate."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from rich.text import Text

from remediator.cli.demo.azure.attacks import Attacks
from remediator.cli.demo.azure.closing import close
from remediator.cli.demo.azure.repair import Repair
from remediator.cli.demo.azure.signing_in import SigningIn
from remediator.cli.demo.azure.stage import Stage
from remediator.cli.demo.azure.trespass import Trespass
from remediator.cli.demo.by_hand import ByHand
from remediator.core.gate import Opening
from remediator.core.windows import PERIOD
from remediator.local.azure.cloud import EmbeddedAzure
from remediator.local.azure.deployment import Order
from remediator.operator.codes import code_book

if TYPE_CHECKING:
    from remediator.cli.demo.board import Board
    from remediator.cli.speech import Speech
    from remediator.vendor import Finding, Result


def tell(speech: Speech, board: Board, *, latency_ms: int) -> None:
    """Tell the whole story to a board."""

    def tell_dimly(text: str) -> None:
        speech.note(Text(f"  {text}", style="dim"))

    with EmbeddedAzure(latency_ms=latency_ms, say=tell_dimly) as azure:
        with board.chapter("azure: deploy", "The customer installs on Azure, with the project's installer"):
            azure.deploy()
            stage = Stage(azure, board)
            board.line("how codes are delivered", wanted="automatic", got=azure.outputs["Delivery"])
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
        with board.chapter("azure: closed", "The rotator is stopped, time goes by, and it is started again"):
            close(stage, repair)
        repaired = applied.results[repair.findings.index(repair.prey)]
        with board.chapter("azure: by hand", "The customer installs over it: codes are passed on by hand"):
            _by_hand(azure, board, repair.prey, repaired)


def _by_hand(azure: EmbeddedAzure, board: Board, prey: Finding, repaired: Result) -> None:
    """Tell what is different where the customer lets a person decide, on the same deployment."""
    azure.deploy(Order(settings={"delivery": "manual"}))
    azure.rotate()
    stage = Stage(azure, board)
    board.line("how codes are delivered", wanted="manual", got=azure.outputs["Delivery"])
    ByHand(stage, code_book(stage.desk), prey, repaired).tell(no_seed="Key Vault: Forbidden")


def _besiege(stage: Stage, repair: Repair) -> None:
    """Attack from outside, then as each of the deployment's own; repair, replay, and come late."""
    attacks, trespass, mark = Attacks(stage, repair.prey), Trespass(stage), stage.azure.calls.mark()
    attacks.with_wrong_proofs()
    attacks.with_wrong_tokens()
    attacks.at_wrong_targets()
    attacks.as_the_reader()
    trespass.as_the_remediator(repair.prey.target["id"])
    stage.board.line("resources called after all these", wanted=0, got=stage.repairs_since(mark))
    attacks.by_replay()
    old = attacks.keys()
    stage.azure.clock.shift(2 * PERIOD)
    stage.azure.rotate()
    attacks.posts("an old window's code and opening", old)
    live = attacks.keys()
    trespass.at_the_gate(live, guess=Opening(secrets.token_bytes(32)), remembered=old.opening)
    SigningIn(stage, trespass.app_id).without_an_opening(trespass.opened(live))
