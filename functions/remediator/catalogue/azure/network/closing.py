"""Close one port of a network security group to the internet, and leave all else as it is.

The offending rules are narrowed, or split into what may stay. Rules that let in stand in for each other whatever their
order, as long as no rule that denies stands between them: so the pieces go wherever there is room in between.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final

from remediator.catalogue.azure.network import rules as nsg
from remediator.catalogue.errors import NotApplicable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from remediator.catalogue.azure.network.rules import Rule

PORTLESS: Final = ("Icmp", "Esp", "Ah")
"""The protocols of virtual networks besides TCP and UDP; all others are dropped anyway (virtual network FAQ)."""


def close(rules: list[Rule], protocol: str, port: int) -> list[Rule]:
    """Return the inbound rules, by priority, that let in what they did but the port from the internet.

    Raises `NotApplicable` if there is no way to say so with the priorities that are free.
    """
    for name in [rule["name"] for rule in rules]:
        offender = next((rule for rule in rules if rule["name"] == name and offends(rule, rules, protocol, port)), None)
        if offender is not None:
            rules = _closed(offender, rules, protocol, port)
    return rules


def offends(rule: Rule, rules: Sequence[Rule], protocol: str, port: int) -> bool:
    """Tell whether a rule lets the internet in to a port, and no rule before it denies that."""
    return bool(_offence(rule, rules, protocol, port))


def _offence(rule: Rule, rules: Sequence[Rule], protocol: str, port: int) -> list[str]:
    """Return the sources of a rule that offend."""
    if not nsg.allows(rule) or not nsg.is_about(rule, protocol, port):
        return []
    denied = _denied_before(rule, rules, protocol, port)
    return [prefix for prefix in nsg.sources(rule) if nsg.families(prefix) - denied]


def _denied_before(rule: Rule, rules: Sequence[Rule], protocol: str, port: int) -> frozenset[int]:
    denials = [
        one
        for one in rules
        if not nsg.allows(one)
        and nsg.priority(one) < nsg.priority(rule)
        and nsg.is_about(one, protocol, port)
        and nsg.same_place(one, rule)
    ]
    return frozenset(chain.from_iterable(nsg.families(prefix) for one in denials for prefix in nsg.sources(one)))


def _closed(rule: Rule, rules: list[Rule], protocol: str, port: int) -> list[Rule]:
    others = [one for one in rules if one is not rule]
    pieces = list(_pieces(rule, rules, protocol, port))
    low, high = _between_denials(rule, others)
    room = _free(others, nsg.priority(rule), low, high)
    if len(pieces) <= 1 + len(room):
        return _ordered([*others, *_named(pieces, rule, room, others)])
    return _denied(rule, others, protocol, port)


def _pieces(rule: Rule, rules: Sequence[Rule], protocol: str, port: int) -> Iterator[Rule]:
    """Return what a rule may go on letting in, as rules: those that keep most first."""
    offending = _offence(rule, rules, protocol, port)
    kept = [prefix for prefix in nsg.sources(rule) if prefix not in offending]
    if kept:
        yield nsg.with_sources(rule, kept)
    opened = nsg.with_sources(rule, offending)
    left = nsg.without(nsg.ports(rule), port)
    every = rule["properties"]["protocol"] == nsg.ANY
    if left:
        yield nsg.with_properties(nsg.with_ports(opened, left), protocol=nsg.PROTOCOLS[protocol])
    if every:
        (other,) = nsg.PROTOCOLS.keys() - {protocol}
        yield nsg.with_properties(opened, protocol=nsg.PROTOCOLS[other])
        yield from _portless(opened)
    if _is_denied_to_neighbours(rule, rules, offending, protocol, port):
        closed = nsg.with_properties(nsg.with_ports(opened, [str(port)]), protocol=nsg.PROTOCOLS[protocol])
        yield from (nsg.with_sources(closed, [tag]) for tag in nsg.PRIVATE_TAGS)


def _portless(rule: Rule) -> Iterator[Rule]:
    """Return a rule for each of the protocols that have no ports, if it is about all ports: else they don't match."""
    if nsg.ports(rule) == [nsg.ANY]:
        yield from (nsg.with_properties(rule, protocol=protocol) for protocol in PORTLESS)


def _is_denied_to_neighbours(
    rule: Rule, rules: Sequence[Rule], offending: Sequence[str], protocol: str, port: int
) -> bool:
    """Tell whether private sources, which `*` stands for too, would lose the port: Azure's own rules come last."""
    behind = [one for one in rules if not nsg.allows(one) and nsg.priority(one) > nsg.priority(rule)]
    return any(prefix.lower() in nsg.ANYWHERE for prefix in offending) and any(
        nsg.is_about(one, protocol, port) and nsg.is_about_neighbours(one) for one in behind
    )


def _between_denials(rule: Rule, others: Iterable[Rule]) -> tuple[int, int]:
    """Return the priorities between which a rule that lets in may stand: both are out of bounds."""
    denials = [nsg.priority(one) for one in others if not nsg.allows(one)]
    number = nsg.priority(rule)
    before = max((one for one in denials if one < number), default=nsg.FIRST - 1)
    behind = min((one for one in denials if one > number), default=nsg.LAST + 1)
    return before, behind


def _free(others: Iterable[Rule], near: int, low: int, high: int) -> list[int]:
    """Return the free priorities between two, the next behind `near` first, then the next before it."""
    taken = {nsg.priority(one) for one in others} | {near}
    free = [number for number in range(low + 1, high) if number not in taken]
    return sorted(free, key=lambda number: (number < near, abs(number - near)))


def _named(pieces: Sequence[Rule], rule: Rule, room: Sequence[int], others: Sequence[Rule]) -> list[Rule]:
    """Return the first piece under the rule's own name and priority, the rest under new ones."""
    named: list[Rule] = []
    for piece, number in zip(pieces, [nsg.priority(rule), *room], strict=False):
        name = nsg.free_name(f"{rule['name'][:60]}-split", [rule, *others, *named]) if named else rule["name"]
        named.append({"name": name, "properties": piece["properties"] | {"priority": number}})
    return named


def _denied(rule: Rule, others: list[Rule], protocol: str, port: int) -> list[Rule]:
    """Return the rules with one that denies the internet the port, before the rule and behind all that may stay."""
    places = _places_to_deny(rule, others, protocol, port)
    if places is None or _may_stay(rule, protocol, port):
        number = nsg.priority(rule)
        raise NotApplicable(f"the rule {rule['name']} has no free priority near its own, {number}: renumber the rules")
    denial = _denial(rule, others, protocol, port, places[0])
    return _ordered([*others, denial, nsg.with_properties(rule, priority=places[1])])


def _places_to_deny(rule: Rule, others: Sequence[Rule], protocol: str, port: int) -> tuple[int, int] | None:
    """Return the priorities of the denial and of the rule, which makes room if need be, or None if there is none."""
    lowest = max((nsg.priority(one) for one in others if _may_stay(one, protocol, port)), default=nsg.FIRST - 1)
    number = nsg.priority(rule)
    _, behind = _between_denials(rule, others)
    taken = {nsg.priority(one) for one in others}
    before = [one for one in range(lowest + 1, number) if one not in taken]
    later = [one for one in range(max(number, lowest + 1), behind) if one not in taken]
    if before:
        return before[-1], number
    return (later[0], later[1]) if len(later) > 1 else None


def _may_stay(rule: Rule, protocol: str, port: int) -> bool:
    """Tell whether a rule lets in to the port from named places on the internet, which a denial before it would end."""
    named = [prefix for prefix in nsg.sources(rule) if not nsg.families(prefix) and not nsg.is_private(prefix)]
    return nsg.allows(rule) and nsg.is_about(rule, protocol, port) and bool(named)


def _denial(rule: Rule, others: Sequence[Rule], protocol: str, port: int, priority: int) -> Rule:
    denial = nsg.with_sources(nsg.with_ports(rule, [str(port)]), [nsg.INTERNET])
    properties = {name: value for name, value in denial["properties"].items() if name != "description"}
    return {
        "name": nsg.free_name(f"deny-internet-{protocol}-{port}", [rule, *others]),
        "properties": properties
        | {
            "access": "Deny",
            "protocol": nsg.PROTOCOLS[protocol],
            "priority": priority,
        },
    }


def _ordered(rules: Iterable[Rule]) -> list[Rule]:
    return sorted(rules, key=nsg.priority)
