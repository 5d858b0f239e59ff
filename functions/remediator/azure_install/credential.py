"""Keep the credential of the remediator app registration: its certificate in the directory, its key in the vault alone.

The key is made here, in memory, and put into the vault by a deployment with a secret parameter: so who installs needs
no right to read secrets, and never reads this one. Beside the secret stands the certificate's thumbprint, which is
public.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from remediator.azure.stored_credential import SECRET
from remediator.azure_install.certificates import make, thumbprint_of
from remediator.azure_install.directory import REMEDIATOR
from remediator.azure_install.rest import AzureRefused
from remediator.core.windows import staged_at

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from remediator.azure_install.certificates import Made
    from remediator.azure_install.deployments import Deployments
    from remediator.azure_install.directory import Directory
    from remediator.azure_install.rest import Rest

API: Final = "api-version=2023-07-01"
RECORD: Final = "remediator-credential"
THUMBPRINT: Final = "thumbprint"
RUN: Final = 60
"""Seconds that a run of the rotator, which read the old key before the new one was stored, may take."""

TEMPLATE: Final[Mapping[str, Any]] = {
    "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
    "contentVersion": "1.0.0.0",
    "parameters": {
        "vault": {"type": "string"},
        "thumbprint": {"type": "string"},
        "until": {"type": "int"},
        "credential": {"type": "securestring"},
    },
    "resources": [
        {
            "type": "Microsoft.KeyVault/vaults/secrets",
            "apiVersion": "2023-07-01",
            "name": f"[format('{{0}}/{SECRET}', parameters('vault'))]",
            "tags": {THUMBPRINT: "[parameters('thumbprint')]"},
            "properties": {
                "value": "[parameters('credential')]",
                "contentType": "application/x-pem-file",
                "attributes": {"enabled": True, "exp": "[parameters('until')]"},
            },
        }
    ],
}


@dataclass(frozen=True, slots=True)
class Stored:
    """Say which credential is in the vault, and since when, in seconds of Unix time."""

    thumbprint: str
    since: int
    until: int


class Phase(Enum):
    """Say how far a roll is."""

    WAITING = "waiting"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class Rolled:
    """Say how far a roll is, whether this run began it, and when the old certificate can go."""

    phase: Phase
    begun: bool
    due: int


class CredentialKeeper:
    """Make, roll and look at the credential of one installation. `vault` is the credential vault's id."""

    def __init__(
        self,
        arm: Rest,
        directory: Directory,
        deployments: Deployments,
        *,
        vault: str,
        clock: Callable[[], float],
    ) -> None:
        self._arm = arm
        self._directory = directory
        self._deployments = deployments
        self._vault = vault
        self._clock = clock

    def stored(self) -> Stored | None:
        """Return what is in the vault, without reading it."""
        found = self._arm.get(f"{self._vault}/secrets/{SECRET}?{API}")
        if found is None:
            return None
        attributes = found["properties"]["attributes"]
        return Stored((found.get("tags") or {}).get(THUMBPRINT, ""), attributes["created"], attributes.get("exp", 0))

    def certificates(self) -> dict[str, str]:
        """Return the registered certificates: thumbprint → when it began, sortable."""
        found = self._directory.registration(REMEDIATOR) or {}
        return {thumbprint_of(one): str(one["startDateTime"]) for one in found.get("keyCredentials", ())}

    def ensure(self) -> bool:
        """Make a credential unless there is one whose certificate is registered; tell whether one was made.

        Certificates that nothing can be sealed for any more go.
        """
        self._deployments.forget(RECORD)
        stored = self.stored()
        made = stored is None or stored.thumbprint not in self.certificates()
        if made:
            self._begin()
            stored = self.stored()
        if stored is not None and (made or self._clock() >= last_use_of_older(stored.since)):
            self._directory.keep_certificates({stored.thumbprint})
        return made

    def roll(self, *, at_once: bool) -> Rolled:
        """Go on with a roll that is under way, or begin one.

        `at_once` is for a stolen key, which may be the newest: it makes a newer one whatever is under way, and removes
        every other certificate without waiting for windows that are sealed with it. Run again, it does so again.
        """
        self._deployments.forget(RECORD)
        begun = at_once or not self._under_way()
        if begun:
            self._begin()
        stored = self.stored()
        if stored is None:
            raise AzureRefused("GET", 404, "NotThereYet", "the credential was stored and isn't to be seen; run again")
        due = last_use_of_older(stored.since)
        if not at_once and self._clock() < due:
            return Rolled(Phase.WAITING, begun, due)
        self._directory.keep_certificates({stored.thumbprint})
        return Rolled(Phase.FINISHED, begun, due)

    def _under_way(self) -> bool:
        """Tell whether older certificates than the stored one are left.

        A newer one's key was lost in a crash before it was stored: it goes, and the roll begins anew.
        """
        stored, registered = self.stored(), self.certificates()
        if stored is None or stored.thumbprint not in registered:
            return False
        lost = {one for one, since in registered.items() if since > registered[stored.thumbprint]}
        self._directory.keep_certificates(registered.keys() - lost)
        return bool(registered.keys() - lost - {stored.thumbprint})

    def _begin(self) -> None:
        """Register a new certificate, then store its key: what is sealed can always sign in."""
        made = make(self._directory.unique_name(REMEDIATOR), self._clock())
        self._directory.add_certificate(made)
        self._store(made)

    def _store(self, made: Made) -> None:
        given = {
            "vault": self._vault.rpartition("/")[2],
            "thumbprint": made.thumbprint,
            "until": int(made.until.timestamp()),
            "credential": made.pem.reveal().decode(),
        }
        self._deployments.put_secretly(RECORD, TEMPLATE, given)
        self._deployments.forget(RECORD)


def last_use_of_older(since: int) -> int:
    """Return when the last window has passed for which an older credential than the one stored then can be sealed."""
    return staged_at(since + RUN)[-1].closes


def day_of(moment: int) -> str:
    """Return a moment as people write it, in UTC."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M UTC")
