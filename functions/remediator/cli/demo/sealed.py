"""Seal the gate, in an account whose organisation lets nobody but who deploys write to IAM; then roll it."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Final

from rich.text import Text

from remediator.aws.external_ids import Unsealed
from remediator.cli.demo import verdicts
from remediator.cli.demo.board import Verdict
from remediator.cli.demo.trespass import STS_DENIES, Trespass
from remediator.core.gate import keys_of
from remediator.core.windows import AHEAD, staged_at, window_at
from remediator.local.emulator.identities import CUSTOMER_ACCOUNT
from remediator.local.iam.organization import no_writes_to_iam
from remediator.service.passage import Passage

if TYPE_CHECKING:
    from remediator.cli.demo.by_hand import ByHand
    from remediator.cli.demo.stage import Stage
    from remediator.core.gate import WindowKeys
    from remediator.local.account import EmbeddedAccount

ALLOWED: Final = Verdict("IAM", 200, "allowed")
DENIED: Final = Verdict("IAM", 403, "AccessDenied")
OPENS: Final = Verdict("STS", 200, "allowed")
_NAME: Final = "tried"
_POLICY: Final = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "sts:*", "Resource": "*"}]}
"""What the operator tries to write into the write role, which may do nothing with STS anyway."""


def forbid_writes(account: EmbeddedAccount) -> None:
    """Let the account's organisation forbid writes to IAM to all but the administrator and the CDK's roles."""
    account.control(no_writes_to_iam(account.identities.admin.arn, f"arn:aws:iam::{CUSTOMER_ACCOUNT}:role/cdk-*"))


class Sealed:
    """Hold a deployment with a sealed gate, whose codes are passed on by hand."""

    def __init__(self, stage: Stage, by_hand: ByHand) -> None:
        self._stage = stage
        self._by_hand = by_hand
        self._trespass = Trespass(stage)
        self._says = stage.board.line

    def tell(self) -> None:
        """Show that nobody writes, that it opens all the same, for whom, and until when."""
        self._nobody_writes()
        before = self._keys()
        self._opens_all_the_same()
        remembered = self._as_remediator(before)
        self._stage.let_a_window_pass()
        self._assumes("the known weakness: what the remediator remembers, in the next window", remembered, OPENS)
        self._roll()
        self._assumes("what it remembers, once the gate is rolled", remembered, STS_DENIES)
        self._by_hand.repair("the code, to apply, through the gate that was rolled")

    def _nobody_writes(self) -> None:
        """Write to IAM as the operator, whose own role allows it; then without the organisation's policy."""
        self._says("the operator puts a policy into the write role", wanted=DENIED, got=self._put())
        self._stage.account.control(None)
        got = self._put()
        forbid_writes(self._stage.account)
        self._says("control: the same, if the organisation let it", wanted=ALLOWED, got=got)
        if got == ALLOWED:
            self._stage.admin("iam").delete_role_policy(RoleName=self._stage.desk.write_role, PolicyName=_NAME)

    def _put(self) -> Verdict:
        desk, document = self._stage.desk, json.dumps(_POLICY)
        iam = desk.service("iam")
        return verdicts.of_call(
            "iam",
            lambda: iam.put_role_policy(RoleName=desk.write_role, PolicyName=_NAME, PolicyDocument=document),
        )

    def _opens_all_the_same(self) -> None:
        """Rotate, look for what was written, and repair something."""
        mark = self._stage.account.calls.mark()
        self._stage.let_a_window_pass()
        calls = self._stage.account.calls.by("remediator-rotator", since=mark)
        asked = sorted({call.service for call in calls})
        condition = self._stage.desk.examine(time.time())
        self._says("what a rotation calls", wanted="dynamodb, secretsmanager", got=", ".join(asked))
        sealed = {window.number for window in staged_at(time.time())} & set(condition.opens or ())
        self._says("windows that the gate's value is sealed for", wanted=AHEAD + 1, got=len(sealed))
        self._says("the gate", wanted="open", got=condition.gate)
        self._by_hand.repair("the code, to apply")

    def _as_remediator(self, before: WindowKeys) -> str:
        """Assume the write role as a remediator in other hands; return the value that a genuine request shows it."""
        live = self._keys()
        stale, genuine = self._unsealed(live, before), self._unsealed(live, live)
        self._assumes("the remediator's role assumes the write role without an opening", None, STS_DENIES)
        self._assumes("the remediator's role, with the opening of the window before", stale, STS_DENIES)
        self._assumes("control: with the opening that was admitted", genuine, OPENS)
        return genuine

    def _unsealed(self, live: WindowKeys, brought: WindowKeys) -> str:
        """Take the live window's pad off the gate's value as the remediator does, with what was brought."""
        table = self._stage.client("dynamodb", self._trespass.remediators_own())
        ids = Unsealed(table, self._stage.outputs["StateTable"], self._stage.deployment.id, time.time)
        return ids(Passage(live.window, brought.opening, "trespasser", live.window.closes))

    def _roll(self) -> None:
        """Roll the gate as an administrator does, and let something be wrong again."""
        rolled = self._stage.roller(self._tell_dimly).roll()
        got = f"generation {rolled.generation}, sealed for {len(rolled.windows)} windows"
        self._says("the administrator rolls it", wanted=f"generation 2, sealed for {AHEAD + 1} windows", got=got)
        self._by_hand.lay_open()

    def _assumes(self, what: str, external_id: str | None, wanted: Verdict) -> None:
        self._trespass.assumes(what, external_id, wanted)

    def _keys(self) -> WindowKeys:
        """Return the live window's keys, which the operator reads in order to admit it."""
        now = time.time()
        return keys_of(self._stage.desk.access().read(window_at(now), now).record)

    def _tell_dimly(self, text: str) -> None:
        self._stage.board.say(Text(f"  · {text}", style="dim"))
