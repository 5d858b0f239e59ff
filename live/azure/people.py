"""Register apps that probes sign in as, with the installer's own means, and sign in as them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CertificateCredential

from live.workshop import PREFIX
from remediator.azure.arm_client import ArmClient
from remediator.azure_install.certificates import make
from remediator.azure_install.directory import API, REMEDIATOR, Directory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from live.azure.workshop import AzureWorkshop
    from remediator.azure_install.certificates import Made

EVERY: Final = 5.0
"""Seconds between two tries to sign in, so that Entra isn't flooded."""

_CODE: Final = re.compile(r"AADSTS[0-9]+")

KNOWN_WITHIN: Final = 900.0
"""Seconds within which a new certificate signs in: windows are sealed with it a quarter of an hour ahead."""


class LiveDirectory(Directory):
    """Keep registrations as an installation does, under names of the run's."""

    def __init__(self, shop: AzureWorkshop) -> None:
        super().__init__(shop.graph, shop.site, shop.pause)
        self._shop = shop

    def unique_name(self, kind: str) -> str:
        """Return the name that a registration of this run alone has."""
        return f"{PREFIX}{self._shop.run}-{kind}"

    def register(self, kind: str, *, assigned_only: bool = False) -> Registered:
        """Make a registration with its principal, and let people see in its name what it is."""
        self._shop.say(f"creating app registration {self.unique_name(kind)}")
        found, _ = self.ensure_registration(kind)
        principal, _ = self.ensure_principal(found["appId"], assigned_only=assigned_only)
        shown = {"displayName": self.unique_name(kind)}
        self._shop.graph.ask("PATCH", f"/v1.0/applications/{found['id']}", shown)
        return Registered(found, principal["id"])


@dataclass(frozen=True, slots=True)
class Registered:
    """Hold an app registration, and the object id of its principal."""

    document: Mapping[str, str]
    principal: str

    @property
    def app(self) -> str:
        """Return the client id."""
        return self.document["appId"]


@dataclass(frozen=True, slots=True)
class App:
    """Hold an app that signs in with certificates."""

    shop: AzureWorkshop
    directory: LiveDirectory
    registered: Registered

    @classmethod
    def make(cls, shop: AzureWorkshop) -> App:
        """Register it, without a certificate."""
        directory = LiveDirectory(shop)
        return cls(shop, directory, directory.register(REMEDIATOR))

    def certificate(self) -> Made:
        """Add a certificate beside those there are."""
        made = make(self.directory.unique_name(REMEDIATOR), self.shop.now())
        self.directory.add_certificate(made)
        return made

    def credential(self, made: Made) -> CertificateCredential:
        """Return a credential that has asked for nothing yet."""
        return CertificateCredential(self.shop.me.tenant, self.registered.app, certificate_data=made.pem.reveal())

    def refusal(self, made: Made, scope: str = ArmClient.SCOPE) -> str:
        """Sign in anew for a scope; return Entra's code if it refuses, else nothing."""
        try:
            self.credential(made).get_token(scope)
        except ClientAuthenticationError as error:
            code = _CODE.search(str(error.message))
            return code[0] if code else type(error).__name__
        return ""

    def signs_in(self, made: Made) -> bool:
        """Tell whether a certificate signs in."""
        return not self.refusal(made)

    def signed_in(self) -> CertificateCredential:
        """Give the app a certificate, and return its credential as soon as it signs in; raise `Slow`."""
        made = self.certificate()
        self.shop.until(lambda: self.signs_in(made), most=KNOWN_WITHIN, every=EVERY)
        return self.credential(made)


def make_api(shop: AzureWorkshop) -> tuple[LiveDirectory, Registered]:
    """Register an API as the installer registers ours: tokens of version 2, for those alone who hold a role."""
    directory = LiveDirectory(shop)
    return directory, directory.register(API, assigned_only=True)
