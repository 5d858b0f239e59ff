"""Make a believable mess of who gets in: databases on the internet, keys that nobody uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remediator.local import mess_parts
from remediator.local.offences import Innocent, Made, Offence
from remediator.vendor.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Callable


def make(client: Callable[[str], Any], region: str, account: str) -> Made:
    """Make a database with a public address and a robot with a key too many, and their likes that are right."""
    made = (_databases(client("rds"), region, account), _keys(client("iam"), account))
    return [one for offences, _ in made for one in offences], [one for _, innocents in made for one in innocents]


def _databases(rds: mess_parts.Client, region: str, account: str) -> Made:
    public = {"acme-orders": True, "acme-ledger": False}
    for name, wanted in public.items():
        mess_parts.database(rds, name)
        mess_parts.publish(rds, name, public=wanted)
    targets = {name: {"arn": f"arn:aws:rds:{region}:{account}:db:{name}"} for name in public}
    return [
        Offence(
            "a database with an address on the internet",
            Finding(finding="security-hub:RDS.2", target=targets["acme-orders"]),
        )
    ], [Innocent("a database with private addresses", "aws.rds.disable-public-access", targets["acme-ledger"])]


def _keys(iam: mess_parts.Client, account: str) -> Made:
    unused, used = mess_parts.user_keys(iam, "/robots/", "acme-invoices")
    targets = [
        {"arn": f"arn:aws:iam::{account}:user/robots/acme-invoices", "access_key": key} for key in (unused, used)
    ]
    return [
        Offence(
            "a robot's access key that nobody uses",
            Finding(finding="prowler:iam_user_accesskey_unused", target=targets[0]),
        )
    ], [Innocent("the same robot's other key", "aws.iam.deactivate-access-key", targets[1])]
