"""Refuse unencrypted connections to a PostgreSQL flexible server."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from remediator.catalogue.azure.property import Property
from remediator.catalogue.azure.resources import POSTGRESQL_SERVER
from remediator.catalogue.spec import Example, Severity, allow, allow_on_all

if TYPE_CHECKING:
    from remediator.catalogue.azure.arm import Arm
    from remediator.catalogue.spec import JSON, Target


class RequireSecureTransport(Property):
    """Refuse unencrypted connections to a PostgreSQL flexible server.

    Clients with `sslmode=disable`, and those that know no TLS, can't connect any more; connections that stand may live
    on. The server isn't restarted. It must be running: a stopped one takes no parameters.
    """

    id = "azure.postgresql.require-secure-transport"
    target = POSTGRESQL_SERVER
    service = target.provider
    severity = Severity.HIGH
    asynchronous = True
    child = "/configurations/require_secure_transport"
    path = ("properties", "value")
    unset = "on"
    offending = ("off",)
    wanted = "on"
    reads = allow("Microsoft.DBforPostgreSQL/flexibleServers/configurations/read")
    writes = (
        *allow("Microsoft.DBforPostgreSQL/flexibleServers/configurations/write"),
        *allow_on_all("Microsoft.DBforPostgreSQL/locations/azureAsyncOperation/read"),
    )
    answers: ClassVar = {}
    examples = (Example(broken="off", fixed="on"),)

    def read(self, client: Arm, target: Target) -> JSON:
        """Return the parameter: PostgreSQL doesn't tell `ON` from `on`."""
        value: str = super().read(client, target)
        return value.lower()

    def write(self, client: Arm, target: Target, before: JSON, after: JSON) -> None:  # noqa: ARG002 - a switch
        """PATCH the parameter, as set by a user."""
        body = {"properties": {"value": after, "source": "user-override"}}
        client.patch(target.id + self.child, body, api=self.target.api)
