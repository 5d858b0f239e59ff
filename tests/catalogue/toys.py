"""Small fixes on a setting in memory, for what holds whatever the cloud."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from hypothesis import settings

from remediator.catalogue.aws.resources import ACCOUNT, S3_BUCKET
from remediator.catalogue.spec import (
    Example,
    Fix,
    Home,
    NoParameters,
    OneWay,
    Severity,
    allow,
    allow_on_all,
    ids,
    parameter,
)

if TYPE_CHECKING:
    from remediator.catalogue.spec import Target

unhurried = settings(deadline=None)
"""Let an example take its time: machines are shared, and how fast one is says nothing of the code."""

HOME = Home("aws", "123456789012")
BUCKET = S3_BUCKET.parse(S3_BUCKET.example, HOME)


@dataclass
class Lamp:
    """A setting that shows what is written to it only `late` looks later, and not at all if it is `stuck`."""

    brightness: int
    late: int = 0
    stuck: bool = False
    coming: int | None = None
    looks: int = 0
    written: list[tuple[int, int]] = field(default_factory=list)

    def look(self) -> int:
        self.looks += 1
        if self.coming is not None:
            self.late -= 1
            if self.late < 0:
                self.brightness, self.coming = self.coming, None
        return self.brightness


@dataclass(frozen=True, slots=True)
class Brightness:
    least: int = parameter("The least brightness.", default=5, type="integer", minimum=1, maximum=9)
    colours: tuple[str, ...] = parameter("Colours.", default=(), type="array", items={"type": "string"})
    room: str = parameter("The room.", default="hall", type="string", enum=["hall", "attic"])


class TurnUp(Fix["Lamp", int, Brightness]):
    """Turn up a lamp.

    It gets brighter.
    """

    id = "aws.lamp.turn-up"
    target = S3_BUCKET
    severity = Severity.LOW
    service = "s3"
    parameters = Brightness
    reads = allow("s3:GetBucketPublicAccessBlock")
    writes = (*allow("s3:PutBucketPublicAccessBlock"), *allow_on_all("s3:ListAllMyBuckets"))
    answers: ClassVar = {"prowler": ids("lamp_dark")}
    examples = (Example(broken=0, fixed=5, others=(9,)),)

    def read(self, client: Lamp, target: Target) -> int:  # noqa: ARG002 - a lamp has no name
        return client.look()

    def desired(self, current: int, parameters: Brightness) -> int:
        return max(current, parameters.least)

    def write(self, client: Lamp, target: Target, before: int, after: int) -> None:  # noqa: ARG002 - a lamp has no name
        client.written.append((before, after))
        if not client.stuck:
            client.coming = after


@dataclass(frozen=True, slots=True)
class Named:
    name: str = parameter("Its name.", type="string")


class SmashLamp(TurnUp, OneWay[Any, Any, Any]):
    """Smash a lamp.

    It is dark for ever.
    """

    id = "aws.lamp.smash-lamp"
    why = "A lamp can't be put together again."
    target = ACCOUNT
    parameters = Named  # type: ignore[assignment]  # a toy that takes something else
    answers: ClassVar = {"prowler": {"lamp_bright": {"name": "sun"}}}


class DimLamp(SmashLamp):
    """Dim a lamp.

    Only a lamp that was lit by hand can be lit again.
    """

    id = "aws.lamp.dim-lamp"

    def goes_back(self, before: int) -> bool:
        return before > 1


class NoDemands(TurnUp):
    """Turn up a lamp as bright as it gets.

    It gets very bright.
    """

    parameters = NoParameters  # type: ignore[assignment]  # a toy that takes nothing
