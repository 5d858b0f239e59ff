"""Make a believable mess in an embedded account, and beside it innocents that must not change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from remediator.local import mess_access, mess_buckets, mess_functions, mess_machines, mess_parts
from remediator.local.offences import Innocent, Made, Mess, Offence
from remediator.vendor.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Innocent", "Mess", "Offence", "make_mess"]

STRANGER: Final = "999988887777"
PARTNER: Final = "222233334444"
ANYWHERE: Final = ({"CidrIp": "0.0.0.0/0"}, {"CidrIpv6": "::/0"})


def make_mess(client: Callable[[str], Any], region: str) -> Mess:
    """Make the mess with an administrator's clients, by service name; made twice it is the same mess, once."""
    account: str = client("sts").get_caller_identity()["Account"]
    parts = (mess_buckets, mess_functions, mess_machines, mess_access)
    makers = (*(part.make for part in parts), _groups, _keys, _snapshots, _trails)
    made = [maker(client, region, account) for maker in makers] + [_passwords(client, account)]
    offences = tuple(one for some, _ in made for one in some)
    innocents = tuple(one for _, some in made for one in some)
    return Mess(offences, innocents)


def _groups(client: Callable[[str], Any], region: str, account: str) -> Made:
    ec2 = client("ec2")
    offices = {"CidrIp": "10.0.0.0/8", "Description": "offices"}
    rules = {
        "acme-bastion": [("tcp", 20, 443, [*ANYWHERE, offices])],
        "acme-legacy": [("-1", -1, -1, [ANYWHERE[0]]), ("udp", 53, 53, [ANYWHERE[1]])],
        "acme-web": [("tcp", 443, 443, [*ANYWHERE]), ("tcp", 22, 22, [offices])],
    }
    groups = {name: mess_parts.group(ec2, name, wanted) for name, wanted in rules.items()}
    targets = {
        name: {"arn": f"arn:aws:ec2:{region}:{account}:security-group/{group}"} for name, group in groups.items()
    }
    return [
        Offence(
            "a bastion with SSH open to the world, inside a range of ports, over IPv4 and IPv6",
            Finding(fix="aws.ec2.close-port", parameters={"port": 22}, target=targets["acme-bastion"]),
        ),
        Offence(
            "a legacy group with everything open to the world, RDP with it",
            Finding(finding="cloudsploit:openRDP", target=targets["acme-legacy"]),
        ),
    ], [Innocent("the web servers' group: 443 for all, 22 for offices", "aws.ec2.close-port", targets["acme-web"])]


def _keys(client: Callable[[str], Any], region: str, account: str) -> Made:
    kms = client("kms")
    keys = {name: mess_parts.key(kms, f"alias/{name}", rotated=name == "acme-rotated") for name in _KEYS}
    targets = {name: {"arn": f"arn:aws:kms:{region}:{account}:key/{key}"} for name, key in keys.items()}
    return [
        Offence(
            "the orders' key, never rotated",
            Finding(finding="security-hub:KMS.4", target=targets["acme-orders"]),
        ),
        Offence(
            "the backups' key, never rotated",
            Finding(fix="aws.kms.enable-rotation", target=targets["acme-backups"]),
        ),
    ], [Innocent("a key that is rotated already", "aws.kms.enable-rotation", targets["acme-rotated"])]


_KEYS: Final = ("acme-orders", "acme-backups", "acme-rotated")


def _snapshots(client: Callable[[str], Any], region: str, account: str) -> Made:
    rds = client("rds")
    mess_parts.database(rds, "acme-orders")
    shared = {"acme-orders-before-upgrade": ["all", PARTNER, STRANGER], "acme-orders-for-partner": [PARTNER]}
    for name, accounts in shared.items():
        mess_parts.snapshot(rds, "acme-orders", name, accounts)
    targets = {name: {"arn": f"arn:aws:rds:{region}:{account}:snapshot:{name}"} for name in shared}
    return [
        Offence(
            "a database snapshot that everybody may restore",
            Finding(
                fix="aws.rds.unshare-snapshot",
                parameters={"accounts": [STRANGER]},
                target=targets["acme-orders-before-upgrade"],
            ),
        )
    ], [
        Innocent(
            "a snapshot shared with a partner by name", "aws.rds.unshare-snapshot", targets["acme-orders-for-partner"]
        )
    ]


def _trails(client: Callable[[str], Any], region: str, account: str) -> Made:
    bucket = f"acme-trails-{account}"
    mess_parts.bucket(client("s3"), bucket, region)
    trails = {"acme-audit": False, "acme-security": True}
    for name, validated in trails.items():
        mess_parts.trail(client("cloudtrail"), name, bucket, validated=validated)
    targets = {name: {"arn": f"arn:aws:cloudtrail:{region}:{account}:trail/{name}"} for name in trails}
    return [
        Offence(
            "a trail whose log files can be changed unseen",
            Finding(finding="security-hub:CloudTrail.4", target=targets["acme-audit"]),
        )
    ], [Innocent("a trail that signs its log files", "aws.cloudtrail.validate-logs", targets["acme-security"])]


def _passwords(client: Callable[[str], Any], account: str) -> Made:
    """Demand little, but one thing more strictly than the fix would: that must stay."""
    client("iam").update_account_password_policy(
        MinimumPasswordLength=6, RequireNumbers=True, MaxPasswordAge=60, AllowUsersToChangePassword=True
    )
    finding = Finding(
        finding="prowler:iam_password_policy_minimum_length_14", target={"arn": f"arn:aws:iam::{account}:root"}
    )
    return [Offence("a password policy that six digits satisfy", finding)], []
