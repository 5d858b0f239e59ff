"""Show network security groups before and after a port is closed: every case that closing tells apart."""

from __future__ import annotations

from typing import Any, Final

from remediator.catalogue.azure.resources import EXAMPLE
from remediator.catalogue.spec import Example

ASG: Final = f"{EXAMPLE}/Microsoft.Network/applicationSecurityGroups"
"""What stands before the name of an application security group."""


def rule(name: str, priority: int, protocol: str, source: str | list[str], port: str | list[str], **more: Any) -> Any:  # noqa: ANN401 - JSON
    """Return an inbound rule that lets in, with lists in the plural form; a None in `more` takes a property away."""
    sources = {"sourceAddressPrefix": source} if isinstance(source, str) else {"sourceAddressPrefixes": source}
    ports = {"destinationPortRange": port} if isinstance(port, str) else {"destinationPortRanges": port}
    properties = {
        "access": "Allow",
        "direction": "Inbound",
        "priority": priority,
        "protocol": protocol,
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        **sources,
        **ports,
        **more,
    }
    return {"name": name, "properties": {key: value for key, value in properties.items() if value is not None}}


def group(name: str) -> list[dict[str, str]]:
    """Return a reference to an application security group."""
    return [{"id": f"{ASG}/{name}"}]


JUMP: Final = rule("jump", 100, "Tcp", "198.51.100.7/32", "22", description="the way in")
FROM_AGENTS: Final = rule(
    "agents", 400, "Tcp", "*", "22", sourceAddressPrefix=None, sourceApplicationSecurityGroups=group("agents")
)
FROM_BACKUP: Final = rule("backup", 410, "Tcp", "AzureBackup", "20-30")
UDP: Final = rule("mosh", 420, "Udp", "Internet", "22")
HTTPS: Final = rule(
    "https",
    430,
    "Tcp",
    "*",
    "443",
    destinationAddressPrefix=None,
    destinationAddressPrefixes=["10.1.0.0/24", "10.2.0.0/24"],
)
KEPT: Final = (JUMP, FROM_AGENTS, FROM_BACKUP, UDP, HTTPS)

APPS: Final[dict[str, Any]] = {"destinationAddressPrefix": None, "destinationApplicationSecurityGroups": group("apps")}

BROKEN: Final = [
    JUMP,
    rule("ssh", 110, "Tcp", "Internet", "22"),
    rule("web", 200, "Tcp", "*", ["20-80", "443"], **APPS, description="web, and more"),
    rule("offices", 210, "Tcp", ["0.0.0.0/0", "10.0.0.0/8", "198.51.100.0/24"], "22-23"),
    rule("v6", 220, "Tcp", "::/0", ["22"]),
    rule("everything", 300, "*", "Any", "*"),
    *KEPT[1:],
]
FIXED: Final = [
    JUMP,
    rule("web", 200, "Tcp", "*", ["20-21", "23-80", "443"], **APPS, description="web, and more"),
    rule("offices", 210, "Tcp", ["10.0.0.0/8", "198.51.100.0/24"], "22-23"),
    rule("offices-split", 211, "Tcp", ["0.0.0.0/0"], "23"),
    rule("everything", 300, "Tcp", "Any", ["0-21", "23-65535"]),
    rule("everything-split", 301, "Udp", "Any", "*"),
    rule("everything-split-2", 302, "Icmp", "Any", "*"),
    rule("everything-split-3", 303, "Esp", "Any", "*"),
    rule("everything-split-4", 304, "Ah", "Any", "*"),
    *KEPT[1:],
]

DENY_ALL: Final = rule("deny-all", 4096, "*", "*", "*", access="Deny")
NEIGHBOURS: Final = [
    rule("ssh", 4094, "Tcp", "VirtualNetwork", "22"),
    rule("ssh-split", 4095, "Tcp", "AzureLoadBalancer", "22"),
    DENY_ALL,
]

NO_SMB: Final = rule("no-smb", 102, "Tcp", "*", "445", access="Deny")
TO_ONE: Final = {"destinationAddressPrefix": "10.1.0.4"}
TIGHT: Final = [rule("everything", 100, "*", "*", "*", **TO_ONE), NO_SMB, rule("https", 103, "Tcp", "Internet", "443")]
DENIED: Final = [
    rule("deny-internet-tcp-22", 100, "Tcp", "Internet", "22", access="Deny", **TO_ONE),
    rule("everything", 101, "*", "*", "*", **TO_ONE),
    *TIGHT[1:],
]

EXAMPLES: Final = (
    Example(parameters={"port": 22}, broken=BROKEN, fixed=FIXED, others=([*KEPT], [JUMP], FIXED[:-1])),
    Example(
        parameters={"port": 22},
        broken=[rule("ssh", 4094, "Tcp", "*", "22"), DENY_ALL],
        fixed=NEIGHBOURS,
        others=([DENY_ALL], []),
    ),
    Example(parameters={"port": 22}, broken=TIGHT, fixed=DENIED, others=(DENIED[1:], [NO_SMB])),
    Example(
        parameters={"port": 53, "protocol": "udp", "also": ["tcp/53"]},
        broken=[rule("dns", 100, "Udp", "Internet", "53"), rule("low", 110, "*", "0.0.0.0/0", "50-60")],
        fixed=[
            rule("low", 110, "Udp", "0.0.0.0/0", ["50-52", "54-60"]),
            rule("low-split", 111, "Tcp", "0.0.0.0/0", ["50-52", "54-60"]),
        ],
    ),
)
