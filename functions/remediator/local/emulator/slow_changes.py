"""Carry out later what AWS carries out later, and keep what AWS keeps: moto does it at once, and forgets.

Sources: API reference of `ModifyDBInstance` (PubliclyAccessible doesn't wait for the maintenance window) and of
`ModifyInstanceMetadataOptions` (what isn't said stays); RDS user guide, "Viewing DB instance status".
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from moto.ec2.models.instances import InstanceBackend, MetadataOptions
from moto.rds.exceptions import RDSClientError
from moto.rds.models import DBInstance, RDSBackend

if TYPE_CHECKING:
    from collections.abc import Callable

    from moto.ec2.models.instances import Instance

    from remediator.local.emulator.hooks import Hooks

MODIFYING: Final = "modifying"


class SlowOptions(MetadataOptions):
    """Hold metadata options whose state is pending for a while."""

    def __init__(self, options: dict[str, Any], settling: Callable[[], float]) -> None:
        self._made, self._settling, self._applied = time.time(), settling, settling() <= 0
        super().__init__(options)

    @property
    def state(self) -> str:
        """Return whether the options hold already; what holds doesn't cease to."""
        self._applied = self._applied or time.time() >= self._made + self._settling()
        return "applied" if self._applied else "pending"

    @state.setter
    def state(self, _: str) -> None:
        """Leave the state to the clock."""


class SlowDatabases:
    """Hold the changes of database instances that were accepted and aren't carried out yet."""

    def __init__(self, settling: Callable[[], float]) -> None:
        self._settling = settling
        self._coming: WeakKeyDictionary[DBInstance, tuple[bool, float]] = WeakKeyDictionary()

    def settle(self, database: DBInstance) -> None:
        """Carry out a change whose time has come."""
        public, since = self._coming.get(database, (False, float("inf")))
        if time.time() >= since + self._settling():
            database.publicly_accessible, database.status = public, "available"
            del self._coming[database]

    def accept(self, database: DBInstance, *, public: bool) -> None:
        """Take a change on, or refuse it as RDS does while another one is under way."""
        if database.status != "available":
            message = f"Database instance is not in available state: it is {database.status}."
            raise RDSClientError("InvalidDBInstanceState", message)
        database.status = MODIFYING
        self._coming[database] = (public, time.time())
        self.settle(database)


def install(hooks: Hooks, settling: Callable[[], float]) -> None:
    """Let what AWS carries out later take as many seconds of the clock as `settling` says at each look."""
    _slow_metadata_options(hooks, settling)
    _slow_databases(hooks, SlowDatabases(settling))


def _slow_metadata_options(hooks: Hooks, settling: Callable[[], float]) -> None:
    def modify_instance_metadata_options(  # noqa: PLR0913, PLR0917 - moto's own signature
        self: InstanceBackend,
        instance_id: str,
        http_tokens: str | None = None,
        hop_limit: int | None = None,
        http_endpoint: str | None = None,
        dry_run: bool | None = False,  # noqa: ARG001, FBT001, FBT002 - moto's own signature
        http_protocol: str | None = None,
        metadata_tags: str | None = None,
    ) -> MetadataOptions:
        instance: Instance = self.get_instance(instance_id)
        now = instance.metadata_options
        options = {
            "HttpTokens": http_tokens or now.http_tokens,
            "HttpPutResponseHopLimit": hop_limit or now.http_put_response_hop_limit,
            "HttpEndpoint": http_endpoint or now.http_endpoint,
            "HttpProtocolIpv6": http_protocol or now.http_protocol_ipv6,
            "InstanceMetadataTags": metadata_tags or now.instance_metadata_tags,
        }
        instance.metadata_options = SlowOptions(options, settling)
        return instance.metadata_options

    hooks.replace(InstanceBackend, "modify_instance_metadata_options", modify_instance_metadata_options)


def _slow_databases(hooks: Hooks, databases: SlowDatabases) -> None:
    def modify_db_instance(self: RDSBackend, db_instance_identifier: str, db_kwargs: dict[str, Any]) -> DBInstance:
        [database] = self.describe_db_instances(db_instance_identifier)
        public = db_kwargs.pop("publicly_accessible", None)
        if public is not None:
            databases.accept(database, public=public)
        modified: DBInstance = modify(self, db_instance_identifier, db_kwargs)
        return modified

    def describe_db_instances(
        self: RDSBackend,
        db_instance_identifier: str | None = None,
        filters: Any = None,  # noqa: ANN401 - moto's own
    ) -> list[DBInstance]:
        found: list[DBInstance] = describe(self, db_instance_identifier, filters)
        for database in found:
            databases.settle(database)
        return found

    modify = hooks.replace(RDSBackend, "modify_db_instance", modify_db_instance)
    describe = hooks.replace(RDSBackend, "describe_db_instances", describe_db_instances)
