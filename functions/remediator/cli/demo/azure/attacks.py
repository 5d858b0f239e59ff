"""Attack the deployment on Azure, one way at a time, while a setting lies open to be repaired."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from azure.data.tables import TableServiceClient
from azure.keyvault.secrets import SecretClient

from remediator.azure.stored_credential import SECRET
from remediator.azure.windows_table import PARTITION
from remediator.cli.demo import verdicts
from remediator.cli.demo.attacks import UNAUTHORIZED, another_code
from remediator.cli.demo.azure import verdicts as azure_verdicts
from remediator.cli.demo.azure.tokens import Forge
from remediator.cli.demo.board import Verdict
from remediator.core.gate import Opening
from remediator.core.messages import Request, sign
from remediator.vendor.client import new_key
from remediator.vendor.clock import CorrectedClock, SystemClock
from remediator.vendor.keyring import Keyring
from remediator.vendor.transport import Call, Unsigned

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.catalogue.spec import JSON
    from remediator.cli.demo.azure.stage import Stage
    from remediator.core.gate import WindowKeys
    from remediator.vendor import Finding

FORBIDDEN: Final = Verdict("the remediator", 403, "forbidden")
ELSEWHERE: Final = "00000000-0000-0000-0000-000000000001"
_STORE: Final = "providers/Microsoft.Storage/storageAccounts/anything"


class Attacks:
    """Attack with everything the vendor's side has, short of the live window's opening itself."""

    def __init__(self, stage: Stage, prey: Finding) -> None:
        self._stage = stage
        self._prey = prey
        self._keyring = Keyring(stage.deployment.id, stage.access, CorrectedClock(SystemClock()))
        self._transport = stage.transport

    def keys(self) -> WindowKeys:
        """Return the keys of the window that is live."""
        return self._keyring.live()[0]

    def with_wrong_proofs(self) -> None:
        """Show no token, another's token, and wrong secrets, one at a time; everything else is right."""
        keys = self.keys()
        foreign = self._stage.reader.get_token("https://vault.azure.net/.default").token
        letter = self._letter()
        self._says("no token", FORBIDDEN, self._sent(self._bare(letter)))
        self._says("the vendor's own token, for Key Vault", FORBIDDEN, self._sent(self._bare(letter, foreign)))
        self.posts("a wrong code, all else right", replace(keys, code=another_code(keys)))
        wrong = replace(keys, opening=Opening(secrets.token_bytes(32)))
        self.posts("a wrong opening, with the right code", wrong)

    def with_wrong_tokens(self) -> None:
        """Show tokens that lack one thing each, with a request that is right; and that what forges them can do it."""
        forge, letter = Forge(self._stage), self._letter()
        health = Call("GET", self._stage.deployment.url("/v1/health"), _bearer(forge.right()), b"")
        gate = json.loads(self._transport.send(health).body).get("gate", "refused")
        self._says("control: a token like the vendor's, asking how the gate is", "open", gate)
        for what, token in forge.wrong():
            self._says(what, FORBIDDEN, self._sent(self._bare(letter, token)))

    def at_wrong_targets(self) -> None:
        """Ask, properly, for what nobody may touch."""
        other = f"/subscriptions/{ELSEWHERE}/resourceGroups/shop/{_STORE}"
        own = f"{self._stage.own_group}/{_STORE}"
        for what, target, rule in (
            ("another subscription's resource", other, "other_account"),
            ("a resource of the deployment's own group", own, "own_resource"),
        ):
            asked = self._letter(document=_asking(replace(self._prey, target={"id": target})))
            self._says(what, Verdict("the remediator", 403, f"refused/{rule}"), self._sent(self._proved(asked)))

    def as_the_reader(self) -> None:
        """Read, with the vendor's own sign-in, what only the rotator or the remediator may."""
        outputs, reader = self._stage.azure.outputs, self._stage.reader
        vault = SecretClient(outputs["CredentialVault"], reader, api_version="7.4")
        tables = TableServiceClient(outputs["TablesEndpoint"], credential=reader)
        windows = tables.get_table_client("remediatorwindows")
        self._at_the_rotator()
        self._refused("the reader reads the credential", "Key Vault", "Forbidden", lambda: vault.get_secret(SECRET))
        self._refused(
            "the reader reads the sealed windows",
            "Table Storage",
            "AuthorizationPermissionMismatch",
            lambda: list(windows.query_entities(f"PartitionKey eq '{PARTITION}'")),
        )

    def _at_the_rotator(self) -> None:
        url = f"https://{self._stage.azure.outputs['RotateApp']}.azurewebsites.net/admin/functions/rotate_window"
        reply = self._transport.send(self._proved(replace(self._letter(), url=url)))
        got = Verdict("the platform", reply.status, reply.body.decode().partition(":")[0])
        self._says("the reader calls the rotator's app", Verdict("the platform", 403, "Ip Forbidden"), got)

    def by_replay(self) -> None:
        """Let the vendor repair the prey, as a control, then send its request again."""
        letter, mark = self._letter(), self._stage.azure.calls.mark()
        first = self._transport.send(self._proved(letter))
        self._says(
            "control: the same request, untouched", Verdict("the remediator", 200, "fixed"), verdicts.of_reply(first)
        )
        called = "called" if self._stage.repairs_since(mark) else "not called"
        self._says("control: the resource, by the remediator", "called", called)
        mark = self._stage.azure.calls.mark()
        again = self._transport.send(self._proved(letter))
        is_same = (again.status, json.loads(again.body)) == (first.status, json.loads(first.body))
        same = "the same answer" if is_same else verdicts.of_reply(again)
        self._says("replayed under its own key", "the same answer", same)
        stolen = replace(letter, headers={**letter.headers, "idempotency-key": new_key()})
        self._says("replayed under another key", UNAUTHORIZED, self._sent(self._proved(stolen)))
        self._says("and resources were called after the first", 0, self._stage.repairs_since(mark))

    def posts(self, what: str, keys: WindowKeys) -> None:
        """Send a request signed with keys that must not be good."""
        self._says(what, UNAUTHORIZED, self._sent(self._proved(self._letter(keys))))

    def _letter(self, keys: WindowKeys | None = None, document: JSON = None) -> Unsigned:
        body = json.dumps(document or _asking(self._prey), separators=(",", ":")).encode()
        request = Request("POST", "/v1/remediations", body, new_key())
        fields = sign(request, keys or self.keys(), created=int(time.time()))
        headers = {"content-type": "application/json", **fields}
        return Unsigned(request.method, self._stage.deployment.url(request.path), headers, {}, body)

    def _proved(self, letter: Unsigned) -> Call:
        return self._stage.access.authorize(letter, time.time())

    def _bare(self, letter: Unsigned, token: str = "") -> Call:
        return Call(letter.method, letter.url, {**letter.headers, **_bearer(token)}, letter.body)

    def _sent(self, call: Call) -> Verdict:
        return verdicts.of_reply(self._transport.send(call))

    def _refused(self, what: str, by: str, code: str, call: Callable[[], object]) -> None:
        self._says(what, Verdict(by, 403, code), azure_verdicts.of_call(by, call))

    def _says(self, what: str, wanted: object, got: object) -> None:
        self._stage.board.line(what, wanted=wanted, got=got)


def _asking(finding: Finding) -> JSON:
    return {"mode": "apply", "findings": [finding.document()]}


def _bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"} if token else {}
