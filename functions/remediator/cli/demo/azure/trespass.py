"""Try the cloud's own doors, past the endpoint, as the remediator's function app and as its app registration."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from azure.identity import ManagedIdentityCredential
from azure.keyvault.secrets import SecretClient

from remediator.azure import windows_table as tables
from remediator.azure.arm_client import ArmClient
from remediator.azure.seal import Seal
from remediator.azure.sessions import EntraSessions
from remediator.azure.settings import remediate_settings
from remediator.azure.stored_credential import SECRET
from remediator.azure.tables import table
from remediator.azure.verifiers import VerifierTables
from remediator.catalogue.azure.resources import VERSIONS
from remediator.cli.demo.azure import verdicts
from remediator.cli.demo.board import Verdict
from remediator.core.seeds import vault_name_of
from remediator.core.windows import PERIOD, window_at
from remediator.service.errors import GateShut
from remediator.service.passage import Passage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from azure.data.tables import TableClient

    from remediator.azure.seal import Credential
    from remediator.cli.demo.azure.stage import Stage
    from remediator.core.gate import Opening, WindowKeys
    from remediator.core.windows import Window

SIGNED_IN: Final = "the gate: signed in"
NOT_OPENED: Final = "the gate: the sealed credential doesn't open"
NOT_LIVE: Final = "the gate: the window isn't live"
_VAULT: Final = ("Key Vault", 403, "Forbidden")
_TABLE: Final = ("Table Storage", 403, "AuthorizationPermissionMismatch")
_ARM: Final = ("Resource Manager", 403, "AuthorizationFailed")


class Trespass:
    """Hold the remediator's own managed identity, as if its function app were taken over."""

    def __init__(self, stage: Stage) -> None:
        app = stage.azure.apps.app(stage.azure.outputs["RemediateApp"]).app
        self._stage = stage
        self._settings = remediate_settings(app.settings)
        self.app_id = self._settings.app_id
        self._environment = stage.azure.sign_in_here(*app.identities)
        self._identity = ManagedIdentityCredential(client_id=self._settings.identity)

    def as_the_remediator(self, prey: str) -> None:
        """Reach with its identity for seeds, for the credential, for what others write, and for the prey itself."""
        outputs, live = self._stage.azure.outputs, window_at(time.time())
        seeds, credential = (self._vault(outputs[name]) for name in ("SeedVault", "CredentialVault"))
        control, receipts = self._table(tables.CONTROL_TABLE), self._table(tables.RECEIPTS_TABLE)
        item: dict[str, Any] = {"PartitionKey": tables.CONTROL, "RowKey": tables.CONTROL, "state": "open"}
        arm = ArmClient(self._identity, deadline=time.time() + PERIOD)
        self._tries("reads a seed record", _VAULT, lambda: seeds.get_secret(vault_name_of(live)))
        self._tries("reads the credential", _VAULT, lambda: credential.get_secret(SECRET))
        self._tries("writes the control item", _TABLE, lambda: control.upsert_entity(item))
        self._tries("deletes a receipt", _TABLE, lambda: receipts.delete_entity("any", "receipt"))
        self._tries("calls Resource Manager", _ARM, lambda: arm.get(prey, api=VERSIONS["Microsoft.Storage"]))

    def at_the_gate(self, live: WindowKeys, guess: Opening, remembered: Opening) -> None:
        """Come without the window's opening, and, as a control, with it."""
        mark = self._stage.azure.calls.mark()
        self.passes("the remediator's identity, with a guessed opening", live.window, guess, NOT_OPENED)
        self.passes("the remediator's identity, with another window's opening", live.window, remembered, NOT_OPENED)
        asked = [call for call in self._stage.azure.calls.of("entra", since=mark) if call.operation == "SignIn"]
        self._stage.board.line("and Entra was asked to sign the app registration in", wanted=0, got=len(asked))
        self.passes("control: with the opening that a live caller brings", live.window, live.opening, SIGNED_IN)

    def opened(self, live: WindowKeys) -> Credential:
        """Return what a genuine request lets the remediator open: who takes it over then has it until it is rolled."""
        with _variables(self._environment):
            sealed = self._verifiers().sealed(live.window)
        return self._seal().unseal(sealed or b"", live.window, live.opening)

    def passes(self, what: str, window: Window, opening: Opening, wanted: str) -> None:
        """Go through the gate with the remediator's own code, and say how far that comes."""
        sessions = EntraSessions(
            self._verifiers(), self._seal(), tenant=self._settings.tenant, app_id=self._settings.app_id
        )
        passage = Passage(window, opening, "trespasser", int(time.time()) + PERIOD)
        with _variables(self._environment):
            try:
                sessions.sign_in(passage)
                got = SIGNED_IN
            except GateShut as shut:
                got = f"the gate: {shut}"
        self._stage.board.line(what, wanted=wanted, got=got)

    def _tries(self, what: str, wanted: tuple[str, int, str], call: Callable[[], object]) -> None:
        with _variables(self._environment):
            got = verdicts.of_call(wanted[0], call)
        self._stage.board.line(f"the remediator's identity {what}", wanted=Verdict(*wanted), got=got)

    def _verifiers(self) -> VerifierTables:
        return VerifierTables(self._table(tables.CONTROL_TABLE), self._table(tables.WINDOWS_TABLE))

    def _seal(self) -> Seal:
        return Seal(self._settings.deployment, self._settings.app_id)

    def _vault(self, url: str) -> SecretClient:
        return SecretClient(url, self._identity, api_version="7.4")

    def _table(self, name: str) -> TableClient:
        return table(self._settings.tables, name, self._identity)


@contextmanager
def _variables(wanted: Mapping[str, str]) -> Iterator[None]:
    """Be in the function app's environment, where its identity's tokens are to be had."""
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
