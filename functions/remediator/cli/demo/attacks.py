"""Attack the endpoint, one way at a time, while a setting lies open to be repaired."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from remediator.cli.demo import verdicts
from remediator.cli.demo.board import Verdict
from remediator.cli.demo.forgery import Forger
from remediator.core.codes import Code
from remediator.core.gate import Opening
from remediator.core.messages import content_digest
from remediator.vendor.client import new_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.catalogue.spec import JSON
    from remediator.cli.demo.forgery import Letter
    from remediator.cli.demo.stage import Stage
    from remediator.core.gate import WindowKeys
    from remediator.local.mess import Offence

UNAUTHORIZED = Verdict("the remediator", 401, "unauthorized")
FORBIDDEN = Verdict("the function URL", 403, "Forbidden")
STRANGERS_ACCOUNT = "999988887777"


class Attacks:
    """Attack with everything the vendor's side has, short of the live window's opening itself."""

    def __init__(self, stage: Stage, prey: Offence) -> None:
        self._stage = stage
        self._prey = prey
        self._forger = Forger(stage)
        self._document = {"mode": "apply", "findings": [prey.finding.document()]}

    def from_outside(self) -> None:
        """Send what isn't signed, or isn't what was signed."""
        letter = self._letter()
        body = letter.request.body.replace(b'"port":22', b'"port":23')
        on_the_way = replace(self._forger.addressed(letter), body=body)
        digested = letter.with_body(body).with_field("content-digest", content_digest(body))
        missing = Verdict("the remediator", 400, "invalid_request")
        self._says("unsigned: no AWS signature", FORBIDDEN, verdicts.of_reply(self._forger.post_unsigned(letter)))
        self._says("tampered body, on the way", FORBIDDEN, verdicts.of_reply(self._forger.send(on_the_way)))
        self._posts("tampered body, by a thief of the vendor's role", letter.with_body(body), missing)
        self._posts("the same, with the digest made to fit", digested, UNAUTHORIZED)

    def with_wrong_secrets(self) -> None:
        """Guess, one secret at a time; everything else is right."""
        keys = self._forger.keys()
        wrong_code = replace(keys, code=another_code(keys))
        wrong_opening = replace(keys, opening=Opening(secrets.token_bytes(32)))
        self._posts("a wrong code, all else right", self._letter(wrong_code), UNAUTHORIZED)
        self._posts("a wrong opening, with the right code", self._letter(wrong_opening), UNAUTHORIZED)

    def at_wrong_targets(self) -> None:
        """Ask, properly, for what nobody may touch."""
        stage = self._stage
        stranger = f"arn:aws:kms:{stage.region}:{STRANGERS_ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
        table = f"arn:aws:dynamodb:{stage.region}:{stage.home.account}:table/{stage.outputs['StateTable']}"
        own_key = stage.admin("kms").describe_key(KeyId="alias/remediator")["KeyMetadata"]["Arn"]
        foreign, own = (Verdict("the remediator", 403, f"refused/{rule}") for rule in ("other_account", "own_resource"))
        not_a_key = Verdict("the remediator", 400, "invalid_request")
        operator, fix = stage.account.identities.operator, "aws.iam.deactivate-access-key"
        users_key = {"arn": operator.arn, "access_key": operator.credentials.access_key}
        self._asks("another account's key as the target", {"arn": stranger}, foreign)
        self._asks("the deployment's own key as the target", {"arn": own_key}, own)
        self._asks("the operator's own access key as the target", users_key, own, fix=fix)
        self._asks("the deployment's own table as the target", {"arn": table}, not_a_key)

    def by_replay(self) -> None:
        """Let the vendor repair the prey, as a control, then send its request again."""
        letter = self._letter()
        first = self._forger.post(letter)
        self._says(
            "control: the same request, untouched", Verdict("the remediator", 200, "fixed"), verdicts.of_reply(first)
        )
        mark = self._stage.account.calls.mark()
        again = self._forger.post(letter)
        same = (
            "the same answer" if (again.status, again.body) == (first.status, first.body) else verdicts.of_reply(again)
        )
        self._says("replayed under its own key", "the same answer", same)
        ran = self._stage.passages_since(mark)
        self._says("and nothing ran: the write role was assumed, or called anything", "never", ran or "never")
        stolen = letter.with_field("idempotency-key", new_key())
        self._posts("replayed under another key", stolen, UNAUTHORIZED)

    def with_an_old_windows(self, old: WindowKeys, created: int) -> None:
        """Present the secrets of a window that is over, dated as it was and dated now."""
        live = self._forger.keys()
        then = self._forger.letter(self._document, keys=old, created=created)
        now = self._letter(replace(old, window=live.window))
        code_only = self._letter(replace(live, code=old.code))
        self._posts("an old window's code, dated then", then, UNAUTHORIZED)
        self._posts("an old window's code, dated now", now, UNAUTHORIZED)
        if old.code != live.code:
            self._posts("an old window's code with the live opening", code_only, UNAUTHORIZED)

    def _letter(self, keys: WindowKeys | None = None) -> Letter:
        return self._forger.letter(self._document, keys=keys)

    def _asks(
        self, what: str, target: Mapping[str, str], wanted: Verdict, *, fix: str = "aws.kms.enable-rotation"
    ) -> None:
        finding: Mapping[str, JSON] = {"fix": fix, "target": dict(target)}
        letter = self._forger.letter({"mode": "apply", "findings": [finding]})
        self._posts(what, letter, wanted)

    def _posts(self, what: str, letter: Letter, wanted: Verdict) -> None:
        self._says(what, wanted, verdicts.of_reply(self._forger.post(letter)))

    def _says(self, what: str, wanted: object, got: object) -> None:
        self._stage.board.line(what, wanted=wanted, got=got)


def another_code(keys: WindowKeys) -> Code:
    """Return a code that isn't the window's: the next number."""
    number = (int(keys.code.reveal()) + 1) % 1_000_000
    return Code(f"{number:06}".encode("ascii"))
