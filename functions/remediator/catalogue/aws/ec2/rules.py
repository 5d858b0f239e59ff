"""Reckon with the rules of a security group: which admit a port, and what is left of them without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Rule: TypeAlias = dict[str, Any]
"""One protocol, one range of ports, one source: `protocol`, `from`, `to`, `source`, `description` (text or None).

`from` and `to` are -1 where the protocol has no ports. A source is a CIDR, `account/group`, or a prefix list's id.
"""

Key: TypeAlias = tuple[str, int, int, str]

ALL: Final = "-1"
"""The protocol that stands for all of them."""

TOP: Final = 65_535

NUMBERS: Final = {"tcp": "6", "udp": "17"}

BESIDES: Final = ("47", "50", "51", "132")
"""What keeps being admitted of all other protocols: GRE, ESP and AH, which VPNs use, and SCTP."""


def key(rule: Rule) -> Key:
    """Return what EC2 tells rules apart by: all but the description."""
    return (rule["protocol"], rule["from"], rule["to"], rule["source"])


def ordered(rules: Iterable[Rule]) -> list[Rule]:
    """Return rules in the one order that makes lists of them comparable."""
    return sorted(rules, key=key)


def close(rules: list[Rule], *, protocol: str, port: int, sources: Iterable[str]) -> list[Rule]:
    """Return the rules without the port for these sources: what else the offending rules admit is admitted still.

    A piece that stands as a rule already isn't added again.
    """
    open_to = frozenset(sources)
    offending = [rule for rule in rules if rule["source"] in open_to and _admits(rule, protocol, port)]
    if not offending:
        return rules
    left = {key(rule): rule for rule in rules if rule not in offending}
    for rule in offending:
        for piece in _without(rule, protocol, port):
            left.setdefault(key(piece), piece)
    return ordered(left.values())


def flattened(permissions: Iterable[Mapping[str, Any]]) -> list[Rule]:
    """Return EC2's permissions, each of which lists sources of several kinds, as single rules, ordered."""
    return ordered(rule for permission in permissions for rule in _single(permission))


def permission(rule: Rule) -> Any:  # noqa: ANN401 - EC2's IpPermission, which mypy can't follow through keys that depend
    """Return a rule as a permission for EC2."""
    ports = {} if rule["protocol"] == ALL else {"FromPort": rule["from"], "ToPort": rule["to"]}
    described = {} if rule["description"] is None else {"Description": rule["description"]}
    sources, name = _sources(rule["source"])
    return {"IpProtocol": rule["protocol"], **ports, sources: [name | described]}


def _sources(source: str) -> tuple[str, dict[str, str]]:
    account, _, group = source.partition("/")
    if group.startswith("sg-"):
        return "UserIdGroupPairs", {"UserId": account, "GroupId": group}
    if source.startswith("pl-"):
        return "PrefixListIds", {"PrefixListId": source}
    if ":" in source:
        return "Ipv6Ranges", {"CidrIpv6": source}
    return "IpRanges", {"CidrIp": source}


def _admits(rule: Rule, protocol: str, port: int) -> bool:
    if rule["protocol"] == ALL:
        return True
    low, high = _range(rule)
    return rule["protocol"] in (protocol, NUMBERS[protocol]) and low <= port <= high


def _without(rule: Rule, protocol: str, port: int) -> Iterator[Rule]:
    if rule["protocol"] != ALL:
        low, high = _range(rule)
        yield from _around(rule, low, port, high)
        return
    yield from _around(rule | {"protocol": protocol}, 0, port, TOP)
    (other,) = NUMBERS.keys() - {protocol}
    yield rule | {"protocol": other, "from": 0, "to": TOP}
    for besides in ("icmpv6" if ":" in rule["source"] else "icmp", *BESIDES):
        yield rule | {"protocol": besides, "from": -1, "to": -1}


def _around(rule: Rule, low: int, port: int, high: int) -> Iterator[Rule]:
    if low < port:
        yield rule | {"from": low, "to": port - 1}
    if port < high:
        yield rule | {"from": port + 1, "to": high}


def _range(rule: Rule) -> tuple[int, int]:
    return (rule["from"], rule["to"]) if rule["from"] >= 0 else (0, TOP)


def _single(permission: Mapping[str, Any]) -> Iterator[Rule]:
    ranged = permission["IpProtocol"] in ("tcp", "udp", "icmp", "icmpv6", *NUMBERS.values(), "1", "58")
    base = {
        "protocol": permission["IpProtocol"],
        "from": permission.get("FromPort", -1) if ranged else -1,
        "to": permission.get("ToPort", -1) if ranged else -1,
    }
    sources = (
        *((one["CidrIp"], one) for one in permission.get("IpRanges", ())),
        *((one["CidrIpv6"], one) for one in permission.get("Ipv6Ranges", ())),
        *((f"{one['UserId']}/{one['GroupId']}", one) for one in permission.get("UserIdGroupPairs", ())),
        *((one["PrefixListId"], one) for one in permission.get("PrefixListIds", ())),
    )
    for source, one in sources:
        yield {**base, "source": source, "description": one.get("Description")}
