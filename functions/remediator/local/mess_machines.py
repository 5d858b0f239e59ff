"""Make a believable mess of machines and their disks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from remediator.local import mess_parts
from remediator.local.offences import Innocent, Made, Offence
from remediator.vendor.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Callable

PARTNER: Final = "222233334444"
ELSEWHERE: Final = ("eu-north-1", "us-west-2")
"""Regions that nobody works in: the first that isn't the mess's own stays as it is."""


def make(client: Callable[[str], Any], region: str, account: str) -> Made:
    """Make machines that give their role's credentials to anybody, and disks that are open or will be."""
    made = (_instances(client, region, account), _snapshots(client, region), _defaults(client, region, account))
    return [one for offences, _ in made for one in offences], [one for _, innocents in made for one in innocents]


def _instances(client: Callable[[str], Any], region: str, account: str) -> Made:
    wanted: dict[str, dict[str, str | int]] = {
        "acme-shop": {"HttpEndpoint": "enabled", "HttpTokens": "optional", "HttpPutResponseHopLimit": 2},
        "acme-jobs": {"HttpEndpoint": "enabled", "HttpTokens": "required", "HttpPutResponseHopLimit": 1},
        "acme-vault": {"HttpEndpoint": "disabled", "HttpTokens": "optional", "HttpPutResponseHopLimit": 1},
    }
    ids = {name: mess_parts.instance(client("ec2"), name, options) for name, options in wanted.items()}
    targets = {name: {"arn": f"arn:aws:ec2:{region}:{account}:instance/{found}"} for name, found in ids.items()}
    return [
        Offence(
            "a web server that gives its role's credentials to whoever makes it fetch a page",
            Finding(finding="security-hub:EC2.8", target=targets["acme-shop"]),
        )
    ], [
        Innocent("a server that asks for a session already", "aws.ec2.require-imdsv2", targets["acme-jobs"]),
        Innocent("a server without a metadata endpoint", "aws.ec2.require-imdsv2", targets["acme-vault"]),
    ]


def _snapshots(client: Callable[[str], Any], region: str) -> Made:
    shared = {"acme-shop-disk": ["all", PARTNER], "acme-image-for-partner": [PARTNER]}
    ids = {name: mess_parts.disk(client("ec2"), name, region, accounts) for name, accounts in shared.items()}
    targets = {name: {"arn": f"arn:aws:ec2:{region}::snapshot/{found}"} for name, found in ids.items()}
    return [
        Offence(
            "a disk's snapshot that everybody may copy",
            Finding(finding="prowler:ec2_ebs_public_snapshot", target=targets["acme-shop-disk"]),
        )
    ], [
        Innocent(
            "a disk's snapshot shared with a partner by name",
            "aws.ec2.unshare-snapshot",
            targets["acme-image-for-partner"],
        )
    ]


def _defaults(client: Callable[[str], Any], region: str, account: str) -> Made:
    client("ec2").disable_ebs_encryption_by_default()
    fix, root = "aws.ec2.encrypt-ebs-by-default", f"arn:aws:iam::{account}:root"
    other = next(one for one in ELSEWHERE if one != region)
    finding = Finding(finding="cloudsploit:ebsDefaultEncryptionEnabled", target={"arn": root, "region": region})
    return [Offence("new disks that nobody encrypts", finding)], [
        Innocent("another region's new disks", fix, {"arn": root, "region": other})
    ]
