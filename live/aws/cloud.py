"""Offer AWS: probes, the accounts as two profiles reach them, and a stack to tell the demo's story through."""

from __future__ import annotations

import secrets
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.exceptions import ClientError

from live.aws import endpoint, gate, stores
from live.aws.bucket import Bucket
from live.aws.stacks import Cdk, demand_room
from live.aws.workshop import PATH, Account, AwsWorkshop
from live.clouds import Demo, Unfit
from live.story import Stage
from live.verdicts import Making
from remediator.cli.aws_place import AwsPlace

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from live.verdicts import Probe
    from remediator.operator.aws.office import AwsOffice

HOUR: Final = 1 / 730
"""Of a month, since what is kept for less costs as much as an hour."""

KNOWN_WITHIN: Final = 120.0
"""Seconds that IAM may take to know the operator role everywhere."""

place: Final = "the customer's account"
marks: Final = f"roles have the path {PATH}; roles, secrets and the stack have the tags"
probes: Final[Sequence[Probe[AwsWorkshop]]] = (*gate.PROBES, *endpoint.PROBES, *stores.PROBES)
demo: Final = Demo(
    Making(
        ("1 stack: 6 secrets, 1 key, 2 tables, 3 functions, 7 roles, 10 alarms", "1 bucket"),
        15,
        {
            "secret_month": 6 * HOUR,
            "key_month": HOUR,
            "alarm_month": 10 * HOUR,
            "secret_call": 200,
            "key_request": 1_000,
            "table_read_unit": 1_000,
            "table_write_unit": 1_000,
            "function_request": 100,
            "function_gb_second": 100,
        },
    ),
    "deploys with `cdk deploy`, plans, applies, looks, rolls back, tries what must be refused, and destroys it",
    "What the demo's stack makes has every deployment's names: an account that has one can't have the demo's."
    "\nThe demo's key is kept by KMS, unusable and free, for seven days, and its packages by the CDK's bucket.",
)


def objection(asked: argparse.Namespace) -> str | None:
    """Return what the options lack, or None."""
    if asked.subscription or asked.location:
        return "--subscription and --location mean nothing on AWS"
    if asked.stack and not asked.demo:
        return "--stack goes with --demo"
    if not (asked.customer_profile and asked.vendor_profile and asked.region):
        return "name --customer-profile, --vendor-profile and --region"
    return None


def workshop(asked: argparse.Namespace) -> AwsWorkshop:
    """Sign in with both profiles."""
    customer, vendor = (
        Account.of(_clients(boto3.Session(profile_name=profile, region_name=asked.region)))
        for profile in (asked.customer_profile, asked.vendor_profile)
    )
    if customer.id == vendor.id:
        raise Unfit("customer and vendor are the same account: this needs two")
    return AwsWorkshop(
        customer=customer,
        vendor=vendor,
        run=secrets.token_hex(4),
        now=time.time,
        pause=time.sleep,
        say=(lambda _: None) if asked.json else lambda text: print(f"  {text}", file=sys.stderr),
        sdk_session=lambda given: _clients(_of(given, asked.region)),
    )


@contextmanager
def stage(shop: AwsWorkshop, asked: argparse.Namespace) -> Iterator[Stage]:
    """Deploy a stack of the run's own, or reach the one that is named and leave it alone."""
    customer = AwsPlace(asked.customer_profile, asked.region, asked.stack or shop.name("stack"), None)
    vendor = AwsPlace(asked.vendor_profile, asked.region, customer.stack, None)
    if asked.stack is None:
        deploy(shop, Cdk.as_profile(asked.customer_profile, asked.region))
    yield staged(shop, customer, vendor)


def deploy(shop: AwsWorkshop, cdk: Cdk) -> None:
    """Deploy a stack for both accounts' principals, as a customer does; raise `Occupied` or `CdkFailed`."""
    demand_room(shop.customer.client("iam"))
    parameters = {
        "vendor_principal_arn": shop.vendor.principal,
        "operator_principal_arn": shop.customer.principal,
        "external_id": secrets.token_hex(16),
        "fixes": "aws.s3.block-public-access",
    }
    shop.say(f"deploying stack {shop.name('stack')}")
    cdk.deploy(shop.name("stack"), parameters, shop.say)


def staged(shop: AwsWorkshop, customer: AwsPlace, vendor: AwsPlace) -> Stage:
    """Reach a deployment from both sides, and start its rotator at once."""
    operator = _known(shop, customer)
    operator.service("lambda").invoke(FunctionName=operator.outputs["RotateFunction"])
    return Stage(vendor.vendor(operator.outputs), operator.client(), Bucket(shop))


def _known(shop: AwsWorkshop, customer: AwsPlace) -> AwsOffice:
    """Return the operator's office, as soon as its role is known everywhere."""
    found: list[AwsOffice] = []

    def knows() -> bool:
        try:
            found.append(customer.operator())
        except ClientError as error:
            if error.response["Error"]["Code"] != "AccessDenied":
                raise
        return bool(found)

    shop.until(knows, most=KNOWN_WITHIN)
    return found[0]


def _clients(session: boto3.Session) -> Callable[[str], Any]:
    made: dict[str, Any] = {}
    untyped: Any = session

    def client(service: str) -> Any:  # noqa: ANN401 - an SDK client
        if service not in made:
            made[service] = untyped.client(service)
        return made[service]

    return client


def _of(given: Mapping[str, str], region: str) -> boto3.Session:
    return boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], region)
