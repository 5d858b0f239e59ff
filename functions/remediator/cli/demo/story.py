"""Tell the story from an empty account to a closed gate."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from rich.text import Text

from remediator.cli.demo.azure import story as azure_story
from remediator.cli.demo.board import Board
from remediator.cli.demo.by_hand import ByHand
from remediator.cli.demo.closing import close
from remediator.cli.demo.clouds import Cloud
from remediator.cli.demo.repair import Repair
from remediator.cli.demo.sealed import Sealed, forbid_writes
from remediator.cli.demo.siege import besiege
from remediator.cli.demo.stage import Stage
from remediator.core.windows import AHEAD
from remediator.local.account import EmbeddedAccount
from remediator.operator.codes import code_book

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.cli.speech import Speech


_EVENT = re.compile(r"\| +[0-9/]+ \|.*_(?:IN_PROGRESS|COMPLETE)\b|: (?:start|success): ")


def tell(speech: Speech, *, latency_ms: int, cloud: Cloud = Cloud.ALL) -> Board:
    """Tell the whole story, one cloud after the other, and return the score."""
    board = Board(speech.note)
    if cloud is not Cloud.AZURE:
        _on_aws(speech, board, latency_ms)
    if cloud is not Cloud.AWS:
        azure_story.tell(speech, board, latency_ms=latency_ms)
    return board


def _on_aws(speech: Speech, board: Board, latency_ms: int) -> None:
    with EmbeddedAccount(latency_ms=latency_ms, say=_progress(speech)) as account:
        with board.chapter("deploy", "The customer deploys, with the CDK's own command line"):
            account.deploy()
            stage = Stage(account, board)
            board.line("the gate before the first rotation", wanted="unavailable", got=stage.operator.health().gate)
        with board.chapter("rotate", "The rotator makes seeds, publishes what is derived from them, moves the gate"):
            _rotate(stage)
        with board.chapter("mess", "The account is in a mess, and has innocents beside it"):
            repair = Repair(stage)
        with board.chapter("plan", "The vendor plans: what would change on a believable mess"):
            repair.plan()
        with board.chapter("apply", "The vendor applies every fix"):
            repair.apply()
        with board.chapter("refresh", "What AWS carries out later comes about, and the vendor asks again"):
            repair.refresh()
        with board.chapter("roll back", "The operator takes one repair back"):
            repair.roll_back_one()
        with board.chapter("attacks", "Everybody attacks"):
            besiege(stage, repair.mess, repair.prey[0])
        with board.chapter("closed", "The rotator is stopped, time goes by, and it is started again"):
            close(stage, repair.mess)
        _anew(account, board, repair)


def _anew(account: EmbeddedAccount, board: Board, repair: Repair) -> None:
    """Tell what is different where the customer chooses otherwise, on the same deployment."""
    over = "The customer deploys over it, codes by hand and the gate sealed, where nobody else may write to IAM"
    with board.chapter("deploy over", over):
        forbid_writes(account)
        account.deploy(delivery="manual", gate="sealed")
        stage = Stage(account, board)
        chosen = f"{stage.outputs['Delivery']}, {stage.outputs['Gate']}"
        board.line("how codes are delivered, and how the gate is kept", wanted="manual, sealed", got=chosen)
        stage.account.rotate()
        board.line("the gate after a rotation", wanted="open", got=stage.desk.examine(time.time()).gate)
    offence, repaired = repair.prey
    by_hand = ByHand(stage, code_book(stage.desk), offence.finding, repaired)
    with board.chapter("by hand", "The operator admits a window, and passes its six digits on"):
        by_hand.tell(no_seed="Secrets Manager: AccessDeniedException")
    with board.chapter("sealed", "The organisation lets nobody write to IAM, and the gate opens all the same"):
        Sealed(stage, by_hand).tell()


def _rotate(stage: Stage) -> None:
    stage.account.rotate()
    condition = stage.desk.examine(time.time())
    stage.board.line("the gate after it", wanted="open", got=condition.gate)
    stage.board.line("windows staged", wanted=AHEAD + 1, got=len(condition.staged))
    stage.board.line(
        "windows that STS would open in, each for its own value", wanted=AHEAD + 1, got=len(condition.opens or ())
    )


def _progress(speech: Speech) -> Callable[[str], None]:
    """Tell what the account says of itself, dimly; of the CDK's events, one per resource, only what fails."""

    def tell_dimly(text: str) -> None:
        if not _EVENT.search(text):
            speech.note(Text(f"  {text}", style="dim"))

    return tell_dimly
