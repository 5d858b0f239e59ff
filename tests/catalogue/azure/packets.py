"""Decide, as Azure does, whether a network security group lets a packet in: told apart from the code that closes ports.

Source: Microsoft, "How network security groups filter network traffic", with the default rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from itertools import product
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Rule = dict[str, Any]


@dataclass(frozen=True)
class Host:
    """An address, what tags and groups it is in, and whether it is a neighbour or a health probe."""

    address: str
    tags: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    @property
    def private(self) -> bool:
        return "Internet" not in self.tags


STRANGER = Host("8.8.8.8", ("Internet",))
STRANGER6 = Host("2607:f8b0::1", ("Internet",))
PARTNER = Host("198.51.100.7", ("Internet",))
BACKUP = Host("20.42.1.1", ("Internet", "AzureBackup"))
NEIGHBOUR = Host("10.0.0.5", ("VirtualNetwork",))
NEIGHBOUR6 = Host("fd00::5", ("VirtualNetwork",))
AGENT = Host("172.16.0.9", ("VirtualNetwork",), ("agents",))
PROBE = Host("168.63.129.16", ("AzureLoadBalancer",))
SOURCES = (STRANGER, STRANGER6, PARTNER, BACKUP, NEIGHBOUR, NEIGHBOUR6, AGENT, PROBE)

APP = Host("10.1.0.4", ("VirtualNetwork",), ("apps",))
OTHER = Host("10.2.0.4", ("VirtualNetwork",))


@dataclass(frozen=True)
class Packet:
    source: Host
    target: Host
    protocol: str
    port: int | None
    origin: int | None


def packets(*ports: int) -> Iterator[Packet]:
    """Return packets of every kind to some ports."""
    for source, target in product(SOURCES, (APP, OTHER)):
        for protocol, port, origin in product(("Tcp", "Udp"), ports, (50_000, 80)):
            yield Packet(source, target, protocol, port, origin)
        yield from (Packet(source, target, protocol, None, None) for protocol in ("Icmp", "Esp", "Ah"))


def admits(rules: Iterable[Rule], packet: Packet, *, closed: tuple[str, int] | None = None) -> bool:
    """Tell whether a packet gets in; with `closed`, as if no rule let the internet in to that port of that protocol."""
    for rule in sorted(rules, key=lambda one: int(one["properties"]["priority"])):
        properties = rule["properties"]
        sources = prefixes(properties, "source")
        if properties["access"] == "Allow" and closed == (packet.protocol, packet.port):
            sources = [one for one in sources if not is_internet(one) or (is_any(one) and packet.source.private)]
        if _matches(properties, sources, packet):
            return bool(properties["access"] == "Allow")
    return packet.source.private


def is_any(prefix: str) -> bool:
    return prefix.lower() in ("*", "any")


def is_internet(prefix: str) -> bool:
    return is_any(prefix) or prefix in ("Internet", "0.0.0.0/0", "::/0")


def prefixes(properties: Rule, side: str) -> list[str]:
    one = properties.get(f"{side}AddressPrefix")
    return ([one] if one else []) + properties.get(f"{side}AddressPrefixes", [])


def _matches(properties: Rule, sources: list[str], packet: Packet) -> bool:
    return (
        properties["protocol"] in ("*", packet.protocol)
        and _is_at(packet.source, sources, properties.get("sourceApplicationSecurityGroups", []))
        and _is_at(
            packet.target,
            prefixes(properties, "destination"),
            properties.get("destinationApplicationSecurityGroups", []),
        )
        and _has_port(packet.port, properties, "destination")
        and _has_port(packet.origin, properties, "source")
    )


def _is_at(host: Host, places: list[str], groups: list[dict[str, str]]) -> bool:
    if any(group["id"].rpartition("/")[2] in host.groups for group in groups):
        return True
    return any(is_any(place) or place in host.tags or _holds(place, host.address) for place in places)


def _holds(place: str, address: str) -> bool:
    return place[0].isdigit() | (":" in place) and ip_address(address) in ip_network(place)


def _has_port(port: int | None, properties: Rule, side: str) -> bool:
    one = properties.get(f"{side}PortRange")
    ranges = ([one] if one else []) + properties.get(f"{side}PortRanges", [])
    if port is None:
        return ranges == ["*"]
    for span in ranges:
        low, _, high = ("0-65535" if span == "*" else span).partition("-")
        if int(low) <= port <= int(high or low):
            return True
    return False
