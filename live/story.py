"""Tell the demo's story through a stack that is deployed: one bucket, made and removed here."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from remediator.vendor import Finding
from remediator.vendor.errors import NotServed

if TYPE_CHECKING:
    from collections.abc import Callable

    from live.workshop import Workshop
    from remediator.vendor import Client
    from remediator.vendor.answers import Answer

FIX: Final = "aws.s3.block-public-access"
_OPEN: Final = "open"


@dataclass(frozen=True, slots=True)
class Line:
    """Hold one step, what had to come of it and what came."""

    step: str
    wanted: str
    got: str

    @property
    def right(self) -> bool:
        """Tell whether it came as it had to."""
        return self.wanted == self.got

    def __str__(self) -> str:
        return f"{'as wanted' if self.right else 'WRONG':<9} {self.step}: {self.got}"


@dataclass(frozen=True, slots=True)
class Sides:
    """Hold both sides' clients of a deployment."""

    vendor: Client
    operator: Client


def play(shop: Workshop, sides: Sides) -> list[Line]:
    """Plan, apply, look and roll back on a bucket of our own; refuse what must be refused."""
    bucket, region = _bucket(shop)
    found = [Finding(fix=FIX, target={"arn": f"arn:aws:s3:::{bucket}", "region": region})]
    lines: list[Line] = []

    def note(step: str, wanted: str, got: Callable[[], str]) -> None:
        try:
            lines.append(Line(step, wanted, got()))
        except NotServed as error:
            lines.append(Line(step, wanted, type(error).__name__))

    try:
        note("the gate", _OPEN, lambda: sides.vendor.health().gate)
        note(
            "a code without its signature", "InvalidRequest", lambda: _outcomes(sides.vendor.told("000000").plan(found))
        )
        note("plan", "planned", lambda: _outcomes(sides.vendor.plan(found)))
        note("the bucket after it", "as it was", lambda: _setting(shop, bucket))
        note("the operator may not apply", "Forbidden", lambda: _outcomes(sides.operator.apply(found)))
        key = str(uuid.uuid4())
        note("apply", "fixed", lambda: _outcomes(sides.vendor.apply(found, key=key)))
        note("the bucket after it", "closed", lambda: _setting(shop, bucket))
        note("roll back", "rolled_back", lambda: _outcomes(sides.operator.roll_back(key)))
        note("the bucket after it", "as it was", lambda: _setting(shop, bucket))
    finally:
        shop.customer.client("s3").delete_bucket(Bucket=bucket)
    return lines


def _outcomes(answer: Answer) -> str:
    return ", ".join(one.outcome.value for one in answer.results)


def _bucket(shop: Workshop) -> tuple[str, str]:
    """Make a bucket for which nothing is blocked, empty and private as it is."""
    s3, name = shop.customer.client("s3"), shop.name("bucket")
    region = str(shop.customer.client("lambda").meta.region_name)
    shop.say(f"creating bucket {name}")
    place: dict[str, Any] = (
        {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    )
    s3.create_bucket(Bucket=name, **place)
    try:
        s3.delete_public_access_block(Bucket=name)
    except ClientError:
        s3.delete_bucket(Bucket=name)
        raise
    return name, region


def _setting(shop: Workshop, bucket: str) -> str:
    try:
        found = shop.customer.client("s3").get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchPublicAccessBlockConfiguration":
            raise
        return "as it was"
    return "closed" if all(found.values()) else f"{found}"
