"""Hold the closing of a port to what Azure would let in before and after, on rules of every kind."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from remediator.catalogue.azure.network.close_port import ClosePort, Ports
from remediator.catalogue.errors import NotApplicable
from remediator.local.azure.arm.network_rules import demand_rules
from tests.catalogue.azure.packets import Packet, Rule, admits, packets, prefixes

FIX = ClosePort()
CLOSED = ("Tcp", 22)
EVERY_PACKET = list(packets(20, 21, 22, 23, 443))

SOURCES: list[dict[str, Any]] = [
    *({"sourceAddressPrefix": one} for one in ("*", "Any", "Internet", "0.0.0.0/0", "::/0")),
    *({"sourceAddressPrefix": one} for one in ("VirtualNetwork", "AzureLoadBalancer", "AzureBackup")),
    *({"sourceAddressPrefix": one} for one in ("10.0.0.0/8", "198.51.100.0/24", "fd00::/8")),
    {"sourceAddressPrefixes": ["0.0.0.0/0", "10.0.0.0/8"]},
    {"sourceAddressPrefixes": ["198.51.100.7/32", "0.0.0.0/0"]},
    {"sourceAddressPrefixes": ["10.0.0.0/8", "198.51.100.0/24"]},
    {"sourceAddressPrefixes": ["::/0", "fd00::/8"]},
    {"sourceAddressPrefixes": ["::/0"]},
    {"sourceApplicationSecurityGroups": [{"id": "/asg/agents"}]},
]
TARGETS: list[dict[str, Any]] = [
    {"destinationAddressPrefix": "*"},
    {"destinationAddressPrefix": "10.1.0.4"},
    {"destinationAddressPrefixes": ["10.1.0.0/24", "10.2.0.0/24"]},
    {"destinationAddressPrefix": "VirtualNetwork"},
    {"destinationApplicationSecurityGroups": [{"id": "/asg/apps"}]},
]
PORTS: list[dict[str, Any]] = [
    *({"destinationPortRange": one} for one in ("*", "22", "20-443", "0-22", "22-65535", "443", "21-22")),
    {"destinationPortRanges": ["22", "443"]},
    {"destinationPortRanges": ["20-21", "22-23"]},
    {"destinationPortRanges": ["443"]},
]
ORIGINS: list[dict[str, Any]] = [{"sourcePortRange": "*"}] * 4 + [{"sourcePortRange": "1024-65535"}]

parts = st.tuples(
    st.sampled_from(SOURCES),
    st.sampled_from(TARGETS),
    st.sampled_from(PORTS),
    st.sampled_from(ORIGINS),
    st.sampled_from(["Tcp", "Tcp", "*", "*", "Udp"]),
    st.sampled_from(["Allow", "Allow", "Allow", "Deny"]),
)


@st.composite
def groups(draw: st.DrawFn) -> list[Rule]:
    """Draw the inbound rules of a group: now with room between them, now crowded."""
    roomy = st.sampled_from([100, 101, 110, 200, 300, 1000, 4000, 4095, 4096])
    numbers = draw(st.lists(st.one_of(roomy, st.integers(100, 106)), min_size=1, max_size=6, unique=True))
    return [rule(number, *draw(parts)) for number in sorted(numbers)]


@st.composite
def crowds(draw: st.DrawFn) -> list[Rule]:
    """Draw rules without room between them, where there is hardly any at the ends either."""
    start = draw(st.sampled_from([100, 100, 101, 103, 4090, 4092]))
    number = draw(st.integers(2, 7))
    rules = [rule(priority, *draw(parts)) for priority in range(start, min(start + number, 4097))]
    gap = draw(st.integers(0, len(rules) - 1))
    return [one for index, one in enumerate(rules) if index != gap or len(rules) < 3]


def rule(number: int, sources: Rule, targets: Rule, ports: Rule, origins: Rule, protocol: str, access: str) -> Rule:
    properties = {"access": access, "direction": "Inbound", "priority": number, "protocol": protocol}
    return {"name": f"rule-{number}", "properties": properties | sources | targets | ports | origins}


def closed(rules: list[Rule], port: int = 22) -> list[Rule]:
    return FIX.desired(rules, Ports(port=port))


def is_left_open(rules: list[Rule], packet: Packet) -> bool:
    """Tell whether a private packet may go either way: 0.0.0.0/0 and ::/0 are taken at their word."""
    literal = [one for one in rules if {"0.0.0.0/0", "::/0"} & set(prefixes(one["properties"], "source"))]
    return packet.source.private and (packet.protocol, packet.port) == CLOSED and bool(literal)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(groups(), crowds()))
def test_the_port_is_closed_to_the_internet_and_everything_else_is_as_it_was(rules: list[Rule]) -> None:
    try:
        after = closed(rules)
    except NotApplicable:
        event("no room")
        return
    event("nothing to do" if after == rules else "denied" if len(denials(after)) > len(denials(rules)) else "split")
    for packet in EVERY_PACKET:
        wanted = admits(rules, packet, closed=CLOSED)
        if not is_left_open(rules, packet):
            assert admits(after, packet) is wanted, packet
        else:
            assert admits(after, packet) in (wanted, admits(rules, packet)), packet


def denials(rules: list[Rule]) -> list[Rule]:
    return [one for one in rules if one["properties"]["access"] == "Deny"]


@settings(max_examples=200, deadline=None)
@given(st.one_of(groups(), crowds()))
def test_twice_is_once_and_azure_takes_what_comes_out(rules: list[Rule]) -> None:
    kept = copy.deepcopy(rules)
    try:
        after = closed(rules)
    except NotApplicable:
        assume(False)
    assert rules == kept
    assert closed(after) == after
    demand_rules(after)


@settings(max_examples=200, deadline=None)
@given(groups())
def test_rules_that_do_not_offend_are_not_touched(rules: list[Rule]) -> None:
    try:
        after = closed(rules)
    except NotApplicable:
        assume(False)
    harmless = [
        one
        for one in rules
        if one["properties"]["access"] == "Deny"
        or not any(
            admits([one], packet) and not packet.source.private
            for packet in EVERY_PACKET
            if (packet.protocol, packet.port) == CLOSED
        )
    ]
    assert [one for one in harmless if one not in after] == []


@given(groups(), st.sampled_from([0, 1, 65_534, 65_535]))
@settings(max_examples=100, deadline=None)
def test_the_ends_of_the_range_of_ports_are_ports_like_others(rules: list[Rule], port: int) -> None:
    try:
        after = closed(rules, port)
    except NotApplicable:
        assume(False)
    for packet in packets(port):
        if (packet.protocol, packet.port) == ("Tcp", port) and not packet.source.private:
            assert admits(after, packet) is admits(rules, packet, closed=("Tcp", port))
    demand_rules(after)


@pytest.mark.parametrize("ports", [Ports(port=22, also=("udp/22",)), Ports(port=22, protocol="udp", also=("tcp/22",))])
@settings(max_examples=60, deadline=None)
@given(groups())
def test_several_ports_are_closed_one_after_the_other(ports: Ports, rules: list[Rule]) -> None:
    try:
        after = FIX.desired(rules, ports)
    except NotApplicable:
        assume(False)
    for packet in EVERY_PACKET:
        if packet.port == 22 and packet.source.address in ("8.8.8.8", "2607:f8b0::1"):
            assert not admits(after, packet)
