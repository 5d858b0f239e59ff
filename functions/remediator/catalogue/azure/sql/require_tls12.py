"""Refuse connections to an SQL server over TLS older than 1.2."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from remediator.catalogue.azure.property import Property
from remediator.catalogue.azure.resources import SQL_SERVER
from remediator.catalogue.errors import NotApplicable
from remediator.catalogue.spec import Example, Severity, allow, allow_on_all, ids

if TYPE_CHECKING:
    from remediator.catalogue.azure.arm import Arm
    from remediator.catalogue.spec import JSON, Target

NO_MINIMUM: Final = "None"
"""What Azure shows, if it shows anything, where no version is demanded."""


class RequireTls12(Property):
    """Refuse connections to an SQL server over TLS older than 1.2.

    Clients that speak no TLS 1.2, and those that connect without encryption, can't log in any more. It holds for all
    databases of the server. A server that demands more already stays as it is.

    Azure takes no minimum back: where none was demanded before, a rollback is refused. It has retired TLS 1.0 and 1.1,
    so it may refuse to go back to those as well.
    """

    id = "azure.sql.require-tls12"
    target = SQL_SERVER
    service = target.provider
    severity = Severity.MEDIUM
    asynchronous = True
    path = ("properties", "minimalTlsVersion")
    unset = NO_MINIMUM
    offending = (NO_MINIMUM, "1.0", "1.1")
    wanted = "1.2"
    reads = allow("Microsoft.Sql/servers/read")
    writes = (
        *allow("Microsoft.Sql/servers/write"),
        *allow_on_all("Microsoft.Sql/locations/*/read"),
    )
    answers: ClassVar = {
        "cloudsploit": ids("sqlServerTlsVersion"),
        "defender": ids("8e9a37b9-2828-4c8f-a24e-7b0ab0e89c78"),
    }
    examples = (
        Example(broken="1.0", fixed="1.2", others=("1.1",)),
        Example(broken="1.1", fixed="1.2", others=("1.0",)),
    )

    def write(self, client: Arm, target: Target, before: JSON, after: JSON) -> None:
        """PATCH the version; raise `NotApplicable` where there was none to go back to."""
        if after == NO_MINIMUM:
            raise NotApplicable(f"Azure takes no minimum back once there is one, and it is {before}; set it by hand")
        super().write(client, target, before, after)
