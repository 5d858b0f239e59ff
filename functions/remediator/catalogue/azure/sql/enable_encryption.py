"""Encrypt an SQL database at rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from remediator.catalogue.azure.property import Property, nested
from remediator.catalogue.azure.resources import SQL_DATABASE
from remediator.catalogue.errors import NotApplicable
from remediator.catalogue.spec import Example, Severity, allow, allow_on_all, ids

if TYPE_CHECKING:
    from remediator.catalogue.azure.arm import Arm
    from remediator.catalogue.spec import JSON, Target

SYSTEM: Final = "master"


class EnableEncryption(Property):
    """Encrypt an SQL database at rest.

    Nothing changes for those who use the database; encrypting what is there goes on in the background and costs some
    throughput. The key is the one that the server is set to use: Azure's own, or the customer's. Going back decrypts
    the database. The system database `master` is Azure's to encrypt, and is refused.
    """

    id = "azure.sql.enable-encryption"
    target = SQL_DATABASE
    service = target.provider
    severity = Severity.HIGH
    asynchronous = True
    child = "/transparentDataEncryption/current"
    path = ("properties", "state")
    unset = "Disabled"
    offending = ("Disabled",)
    wanted = "Enabled"
    reads = allow("Microsoft.Sql/servers/databases/transparentDataEncryption/read")
    writes = (
        *allow("Microsoft.Sql/servers/databases/transparentDataEncryption/write"),
        *allow_on_all("Microsoft.Sql/locations/transparentDataEncryptionAzureAsyncOperation/read"),
    )
    answers: ClassVar = {"defender": ids("651967bf-044e-4bde-8376-3e08e0600105")}
    examples = (Example(broken="Disabled", fixed="Enabled"),)

    def read(self, client: Arm, target: Target) -> JSON:
        """Return whether the database is encrypted; raise `NotApplicable` for the system's own."""
        if target["name"] == SYSTEM:
            raise NotApplicable("the system database master is encrypted by Azure, not by a switch")
        return super().read(client, target)

    def write(self, client: Arm, target: Target, before: JSON, after: JSON) -> None:  # noqa: ARG002 - a switch
        """PUT the switch, which is all that the child is: there is no PATCH for it."""
        client.put(target.id + self.child, nested(self.path, after), api=self.target.api)
