"""Find a deployment on AWS."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

import boto3

from remediator.operator.aws.captor import AwsCaptor
from remediator.operator.aws.gate_roller import GateRoller
from remediator.operator.aws.office import AwsOffice, outputs_of
from remediator.operator.waiting import waits
from remediator.vendor import Client, Deployment
from remediator.vendor.aws_access import reader_access

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from remediator.local.mess import Mess

STACK: Final = "Remediator"

LONGEST_UPDATE: Final = 900
"""Seconds after which an update of the stack isn't waited for any longer."""


@dataclass(frozen=True, slots=True)
class AwsPlace:
    """Name a profile, a region and a stack; or hold what an embedded account says of itself."""

    cloud: ClassVar[Literal["aws"]] = "aws"

    profile: str | None
    region: str | None
    stack: str | None
    described: Mapping[str, Any] | None

    def operator(self) -> AwsOffice:
        """Reach the deployment as its operator: the session's principal is one that the operator role trusts."""
        return AwsOffice(self.session("operator"), self.stack or STACK, endpoint_url=self.endpoint_url)

    def vendor(self, outputs: Mapping[str, str] | None) -> Client:
        """Reach the deployment as its vendor: the session's principal is the one that the reader role trusts."""
        session = self.session("vendor")
        given = outputs or (self.described and self.described["outputs"])
        found = given or outputs_of(session, self.stack or STACK, endpoint_url=self.endpoint_url)
        deployment = Deployment.from_outputs(found)
        return Client(deployment, reader_access(deployment, session, endpoint_url=self.endpoint_url))

    def captor(self) -> AwsCaptor:
        """Return what derives the way back; in an embedded account it reads as the administrator."""
        return AwsCaptor(self.session("admin"), endpoint_url=self.endpoint_url)

    def roller(self, tell: Callable[[str], None]) -> GateRoller:
        """Return what rolls a sealed gate, as whoever signed in; in an embedded account as the administrator."""
        return GateRoller(
            self.session("admin"),
            self.stack or STACK,
            endpoint_url=self.endpoint_url,
            clock=time.time,
            waits=lambda: waits(LONGEST_UPDATE),
            tell=tell,
        )

    def mess(self) -> Mess:
        """Make a mess in an embedded account."""
        from remediator.local.mess import make_mess

        session: Any = self.session("admin")
        return make_mess(lambda service: session.client(service, endpoint_url=self.endpoint_url), session.region_name)

    @property
    def endpoint_url(self) -> str | None:
        """Return where the cloud answers, if that isn't AWS."""
        return self.described["aws_endpoint_url"] if self.described else None

    def session(self, whose: str) -> boto3.Session:
        """Return a session of somebody of an embedded account; elsewhere that of whoever is signed in."""
        if self.described is None:
            return boto3.Session(profile_name=self.profile, region_name=self.region)
        return boto3.Session(**self.described[f"{whose}_credentials"], region_name=self.described["region"])
