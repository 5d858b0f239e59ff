"""Read the rules of a network security group: what a rule matches, and how it is written otherwise."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from ipaddress import IPv4Network, IPv6Network

Rule: TypeAlias = dict[str, Any]
"""A rule by its name: `name`, and `properties` as Azure has them, without what is empty and what only Azure writes.

Addresses and ports stand in one of two forms, such as `destinationPortRange` (one) or `destinationPortRanges`
(several).
"""

PROTOCOLS: Final = {"tcp": "Tcp", "udp": "Udp"}
ANY: Final = "*"
ANYWHERE: Final = frozenset({"*", "any"})
INTERNET: Final = "Internet"
PRIVATE_TAGS: Final = ("VirtualNetwork", "AzureLoadBalancer")
"""What `*` stands for besides the internet (service tags overview): neighbours, and the health probes."""

PRIVATE_NETWORKS: Final = tuple(
    ip_network(one)
    for one in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "fc00::/7",
        "fe80::/10",
    )
)
"""Sources: RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291."""

FAMILIES: Final = frozenset({4, 6})
"""The versions of the internet protocol."""

TOP: Final = 65_535
FIRST: Final = 100
LAST: Final = 4096
"""The priorities that customers' rules have."""


def sources(rule: Rule) -> list[str]:
    """Return where a rule lets in from: prefixes and tags, none for a rule about application security groups."""
    return _listed(rule, "sourceAddressPrefix", "sourceAddressPrefixes")


def ports(rule: Rule) -> list[str]:
    """Return the ports at the destination that a rule is about, as ranges."""
    return _listed(rule, "destinationPortRange", "destinationPortRanges")


def priority(rule: Rule) -> int:
    """Return a rule's priority: the lowest number decides."""
    number: int = rule["properties"]["priority"]
    return number


def allows(rule: Rule) -> bool:
    """Tell whether a rule lets in what it matches."""
    return bool(rule["properties"]["access"] == "Allow")


def is_about(rule: Rule, protocol: str, port: int) -> bool:
    """Tell whether a rule matches a port of a protocol."""
    return rule["properties"]["protocol"] in (ANY, PROTOCOLS[protocol]) and any(
        low <= port <= high for low, high in map(_bounds, ports(rule))
    )


def families(prefix: str) -> frozenset[int]:
    """Return for which versions of the internet protocol a source is all of the internet."""
    if prefix.lower() in ANYWHERE or prefix.lower() == INTERNET.lower():
        return FAMILIES
    network = _network(prefix)
    return frozenset({network.version}) if network is not None and network.prefixlen == 0 else frozenset()


def is_private(prefix: str) -> bool:
    """Tell whether a source is surely no part of the internet."""
    network = _network(prefix)
    if network is None:
        return prefix.lower() in {tag.lower() for tag in PRIVATE_TAGS}
    return any(network.version == one.version and network.subnet_of(one) for one in PRIVATE_NETWORKS)  # type: ignore[arg-type]  # of one version


def is_about_neighbours(rule: Rule) -> bool:
    """Tell whether a rule may match what isn't from the internet: its source is private, everything, or a group."""
    prefixes = sources(rule)
    return not prefixes or any(
        is_private(one) or (families(one) and one.lower() != INTERNET.lower()) for one in prefixes
    )


def same_place(rule: Rule, other: Rule) -> bool:
    """Tell whether a rule holds wherever another one does: for its destination, and from its source ports."""
    destinations = [_place(one, "destinationAddressPrefix", "destinationAddressPrefixes") for one in (rule, other)]
    groups = [_groups(one) for one in (rule, other)]
    origins = [_place(one, "sourcePortRange", "sourcePortRanges") for one in (rule, other)]
    covers = destinations[0] & ANYWHERE or (destinations[0] == destinations[1] and groups[0] == groups[1])
    return bool(covers and (ANY in origins[0] or origins[0] == origins[1]))


def without(ranges: Iterable[str], port: int) -> list[str]:
    """Return ranges of ports without one port."""
    left: list[str] = []
    for one in ranges:
        low, high = _bounds(one)
        if not low <= port <= high:
            left.append(one)
            continue
        left += [_range(*bounds) for bounds in ((low, port - 1), (port + 1, high)) if bounds[0] <= bounds[1]]
    return left


def with_ports(rule: Rule, ranges: Sequence[str]) -> Rule:
    """Return a rule about other ports: in the form it has, or in the plural where that can't hold them."""
    return _with(rule, "destinationPortRange", "destinationPortRanges", ranges)


def with_sources(rule: Rule, prefixes: Sequence[str]) -> Rule:
    """Return a rule from other sources: in the form it has, unless that can't hold them; a list holds no tags."""
    one_tag = len(prefixes) == 1 and _network(prefixes[0]) is None
    bare = _without(rule, "sourceAddressPrefixes") if one_tag else rule
    return _with(bare, "sourceAddressPrefix", "sourceAddressPrefixes", prefixes)


def with_properties(rule: Rule, **properties: Any) -> Rule:  # noqa: ANN401 - JSON values
    """Return a rule with some properties set."""
    return {"name": rule["name"], "properties": rule["properties"] | properties}


def free_name(wanted: str, rules: Iterable[Rule]) -> str:
    """Return a name that no rule has: Azure tells no upper case from lower in them."""
    taken = {rule["name"].lower() for rule in rules}
    number = 1
    name = wanted
    while name.lower() in taken:
        number += 1
        name = f"{wanted}-{number}"
    return name


def _listed(rule: Rule, one: str, several: str) -> list[str]:
    properties = rule["properties"]
    single = [properties[one]] if one in properties else []
    return [*single, *properties.get(several, ())]


def _with(rule: Rule, one: str, several: str, values: Sequence[str]) -> Rule:
    plural = several in rule["properties"] or len(values) != 1
    written = {several: list(values)} if plural else {one: values[0]}
    return with_properties(_without(rule, one, several), **written)


def _without(rule: Rule, *names: str) -> Rule:
    kept = {name: value for name, value in rule["properties"].items() if name not in names}
    return {"name": rule["name"], "properties": kept}


def _place(rule: Rule, one: str, several: str) -> frozenset[str]:
    return frozenset(value.lower() for value in _listed(rule, one, several))


def _groups(rule: Rule) -> frozenset[str]:
    groups = rule["properties"].get("destinationApplicationSecurityGroups", ())
    return frozenset(group["id"].lower() for group in groups)


def _bounds(one: str) -> tuple[int, int]:
    if one == ANY:
        return 0, TOP
    low, _, high = one.partition("-")
    return int(low), int(high or low)


def _range(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}-{high}"


def _network(prefix: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(prefix, strict=False)
    except ValueError:
        return None
