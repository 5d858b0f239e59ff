"""Close a port of a security group to the internet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

from remediator.catalogue.aws.ec2 import findings, rules
from remediator.catalogue.aws.resources import SECURITY_GROUP
from remediator.catalogue.spec import Example, Fix, Severity, allow, allow_on_all, parameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_ec2 import EC2Client

    from remediator.catalogue.spec import Target

Rules: TypeAlias = list[dict[str, Any]]

PORT_NUMBER: Final = "(0|[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
GROUP: Final = "123456789012/sg-0123456789abcdef0"


@dataclass(frozen=True, slots=True)
class Ports:
    """Say which ports to close, and to whom."""

    port: int = parameter("The port to close.", type="integer", minimum=0, maximum=rules.TOP)
    protocol: str = parameter("Its protocol.", default="tcp", type="string", enum=["tcp", "udp"])
    also: Sequence[str] = parameter(
        "More ports to close, such as `udp/53`, where one finding is about several.",
        default=(),
        type="array",
        maxItems=30,
        uniqueItems=True,
        items={"type": "string", "pattern": f"^(tcp|udp)/{PORT_NUMBER}$"},
    )
    sources: Sequence[str] = parameter(
        "The sources to close it to: all of IPv4, all of IPv6, or both.",
        default=("0.0.0.0/0", "::/0"),
        type="array",
        minItems=1,
        uniqueItems=True,
        items={"type": "string", "enum": ["0.0.0.0/0", "::/0"]},
    )


def rule(protocol: str, low: int, high: int, source: str, description: str | None = None) -> dict[str, Any]:
    """Return one rule, for the examples."""
    return {"protocol": protocol, "from": low, "to": high, "source": source, "description": description}


KEPT: Final = (
    rule("tcp", 20, 443, "10.0.0.0/8", "offices"),
    rule("tcp", 20, 443, GROUP, "peers"),
    rule("tcp", 20, 443, "pl-0123456789abcdef0"),
    rule("tcp", 443, 443, "0.0.0.0/0"),
    rule("udp", 22, 22, "0.0.0.0/0"),
)
FROM_ALL: Final = tuple(
    rule(protocol, low, high, "::/0", "everything")
    for protocol, low, high in (
        ("tcp", 0, 21),
        ("tcp", 23, 65535),
        ("udp", 0, 65535),
        ("icmpv6", -1, -1),
        ("47", -1, -1),
        ("50", -1, -1),
        ("51", -1, -1),
        ("132", -1, -1),
    )
)


class ClosePort(Fix["EC2Client", "Rules", Ports]):
    """Close a port of a security group to the internet.

    New connections from the internet to the port are refused; those that stand may live on. A range around the port is
    split, so that its other ports stay open; rules for private networks, security groups and prefix lists stay as they
    are. The new rules keep the description, but have ids of their own and none of the old rules' tags.

    A rule that admits all traffic is replaced by rules for the rest of TCP and UDP, for ICMP, and for the protocols 47
    (GRE), 50 (ESP), 51 (AH) and 132 (SCTP): any other protocol that it let through is refused from then on. The new
    rules are added before the old one is removed, so the group needs room for them.
    """

    id = "aws.ec2.close-port"
    target = SECURITY_GROUP
    severity = Severity.HIGH
    service = "ec2"
    parameters = Ports
    reads = allow_on_all("ec2:DescribeSecurityGroups")
    writes = allow("ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress")
    answers: ClassVar = {
        "cloudsploit": findings.CLOUDSPLOIT,
        "prowler": findings.PROWLER,
        "security-hub": findings.SECURITY_HUB,
    }
    examples = (
        Example(
            parameters={"port": 22},
            broken=rules.ordered(
                (
                    *KEPT,
                    rule("tcp", 20, 443, "0.0.0.0/0", "web, and more"),
                    rule("tcp", 22, 22, "::/0"),
                    rule("-1", -1, -1, "::/0", "everything"),
                )
            ),
            fixed=rules.ordered(
                (
                    *KEPT,
                    rule("tcp", 20, 21, "0.0.0.0/0", "web, and more"),
                    rule("tcp", 23, 443, "0.0.0.0/0", "web, and more"),
                    *FROM_ALL,
                )
            ),
            others=(rules.ordered((*KEPT, *FROM_ALL)), rules.ordered(KEPT)),
        ),
        Example(
            parameters={"port": 53, "protocol": "udp", "also": ["tcp/53"], "sources": ["0.0.0.0/0"]},
            broken=rules.ordered(
                (
                    *KEPT,
                    rule("udp", 53, 60, "0.0.0.0/0"),
                    rule("tcp", 50, 53, "0.0.0.0/0"),
                    rule("tcp", 50, 53, "::/0"),
                )
            ),
            fixed=rules.ordered(
                (
                    *KEPT,
                    rule("udp", 54, 60, "0.0.0.0/0"),
                    rule("tcp", 50, 52, "0.0.0.0/0"),
                    rule("tcp", 50, 53, "::/0"),
                )
            ),
        ),
    )

    def read(self, client: EC2Client, target: Target) -> Rules:
        """Return the group's ingress rules, ordered; those that leave the group aren't looked at."""
        answer = client.describe_security_groups(GroupIds=[target["group"]])
        return rules.flattened(answer["SecurityGroups"][0].get("IpPermissions", []))

    def desired(self, current: Rules, parameters: Ports) -> Rules:
        """Return the rules without the ports, for the sources that are closed out."""
        left = current
        for port in (f"{parameters.protocol}/{parameters.port}", *parameters.also):
            protocol, _, number = port.partition("/")
            left = rules.close(left, protocol=protocol, port=int(number), sources=parameters.sources)
        return left

    def write(self, client: EC2Client, target: Target, before: Rules, after: Rules) -> None:
        """Add what is new, then remove what is gone; rules that stand in both are left alone."""
        old, new = ({rules.key(one) for one in state} for state in (before, after))
        added = [rules.permission(one) for one in after if rules.key(one) not in old]
        removed = [rules.permission(one) for one in before if rules.key(one) not in new]
        if added:
            client.authorize_security_group_ingress(GroupId=target["group"], IpPermissions=added)
        if removed:
            client.revoke_security_group_ingress(GroupId=target["group"], IpPermissions=removed)
