"""Pass the gate: unseal the credential with the caller's opening, sign in, act.

Azure knows no session policies: what a session may do is the app registration's roles, in the scopes the customer gave.
So the credential is opened once per request, the sign-in is this request's alone, and nothing of it is kept.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.identity import CertificateCredential

from remediator.azure.arm_client import ArmClient, ArmError
from remediator.core.errors import Expired
from remediator.service.errors import GateShut

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from remediator.azure.seal import Seal
    from remediator.azure.verifiers import VerifierTables
    from remediator.catalogue.spec import Fix, Target
    from remediator.service.passage import Passage
    from remediator.service.ports import Monitor


TAGS_API: Final = "2021-04-01"
"""The version of Microsoft.Resources in which tags are read."""


@dataclass(frozen=True, slots=True)
class AzureSession:
    """Hold a client that speaks to Azure Resource Manager until the request's deadline."""

    client: ArmClient
    tags_at_once: int = 1

    def tags(self, targets: Sequence[Target]) -> dict[str, Mapping[str, str]]:
        """Return targets' tags by their ids: the resource's own, not its group's."""
        return {target.id: self._tags(target) for target in targets}

    def _tags(self, target: Target) -> Mapping[str, str]:
        """Return one target's tags; where it has none, Azure's description of the answer promises no word of them."""
        answer = self.client.get(f"{target.id}/providers/Microsoft.Resources/tags/default", api=TAGS_API)
        return answer["properties"].get("tags") or {}

    def recording(self) -> AbstractContextManager[list[str]]:
        """Collect the names of the operations that this thread calls."""
        return self.client.recording()


class EntraSessions:
    """Sign in as the remediator app registration."""

    failures: tuple[type[Exception], ...] = (ArmError, AzureError)

    def __init__(
        self, verifiers: VerifierTables, seal: Seal, *, tenant: str, app_id: str, monitor: Monitor | None = None
    ) -> None:
        self._verifiers = verifiers
        self._seal = seal
        self._tenant = tenant
        self._app_id = app_id
        self._monitor = monitor

    @staticmethod
    def explain(error: Exception) -> tuple[str, str]:
        """Return the cloud's error code and message, or the SDK's name for what went wrong on the way."""
        code = getattr(error, "code", "") or type(error).__name__
        return str(code), str(getattr(error, "message", "")) or "The call didn't get through."

    @staticmethod
    def may_be_accepted(error: Exception) -> bool:
        """Tell whether ARM may have accepted a call that ended so: no answer came, or one to a later try."""
        return error.unsure if isinstance(error, ArmError) else True

    def chunks(
        self,
        fix: Fix[Any, Any, Any],
        targets: Sequence[Target],
        *,
        deadline: int,
        write: bool,
        tags: bool = False,
    ) -> Iterable[int]:
        """Return one chunk: a session isn't narrowed to targets, so nothing limits how many it serves."""
        return [len(targets)] if targets else []

    def at(self, passage: Passage) -> EntraDoorway:
        """Return the gate as one request comes to it."""
        return EntraDoorway(self, passage)

    def sign_in(self, passage: Passage) -> CertificateCredential:
        """Unseal the window's credential and sign in with it; raise `GateShut` if either is refused."""
        try:
            passage.window.require_honoured(time.time())
        except Expired as expired:
            raise GateShut(str(expired)) from None
        sealed = self._verifiers.sealed(passage.window)
        if sealed is None:
            raise GateShut("nothing is sealed for the window")
        if self._monitor is not None:  # before it happens: a sign-in without such a line is nobody's of ours
            self._monitor.note("signing in", remediation=passage.name)
        opened = self._seal.unseal(sealed, passage.window, passage.opening)
        credential = CertificateCredential(self._tenant, self._app_id, certificate_data=opened.reveal())
        try:
            credential.get_token(ArmClient.SCOPE)
        except (ClientAuthenticationError, AzureError) as error:
            raise GateShut(type(error).__name__) from None
        return credential


class EntraDoorway:
    """Sign in once for one request, at its first session."""

    def __init__(self, sessions: EntraSessions, passage: Passage) -> None:
        self._sessions = sessions
        self._passage = passage
        self._credential: CertificateCredential | None = None
        self._signing_in = threading.Lock()

    @contextmanager
    def open(
        self,
        fix: Fix[Any, Any, Any],
        targets: Sequence[Target],
        *,
        write: bool,
        tags: bool = False,
    ) -> Iterator[AzureSession]:
        """Open a session that stops calling at the request's deadline."""
        with ArmClient(self._signed_in(), deadline=self._passage.deadline) as client:
            yield AzureSession(client)

    def _signed_in(self) -> CertificateCredential:
        with self._signing_in:
            if self._credential is None:
                self._credential = self._sessions.sign_in(self._passage)
            return self._credential
