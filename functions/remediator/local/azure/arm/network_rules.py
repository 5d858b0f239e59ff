"""Refuse what Azure's network provider refuses of the rules of a network security group.

Sources of the codes: reports of users who met them, in the trackers of azurerm, azure-cli and cloud-provider-azure.
"""

from __future__ import annotations

import re
from ipaddress import ip_network
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

from remediator.local.azure.arm.refusals import bad_request

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MOST: Final = 1000
FIRST: Final = 100
LAST: Final = 4096
TOP: Final = 65_535
TAG: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:\.[A-Za-z0-9]+)*")
PORTS: Final = re.compile(r"(?P<low>\d{1,5})(?:-(?P<high>\d{1,5}))?")
NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,78}[A-Za-z0-9_])?")
SIDES: Final = ("source", "destination")


def demand_rules(rules: list[dict[str, Any]]) -> None:
    """Return if a group may have these rules together, else raise `ArmRefusal`."""
    if len(rules) > MOST:
        raise bad_request("MaxSecurityRulesPerNetworkSecurityGroupReached", f"A group has at most {MOST} rules.")
    for rule in rules:
        _demand_rule(rule)
    for one, other in combinations(rules, 2):
        _demand_distinct(one, other)


def linked_groups(rules: list[dict[str, Any]]) -> Iterator[str]:
    """Return the ids of the application security groups that rules name."""
    for rule in rules:
        properties = rule.get("properties") or {}
        for side in SIDES:
            yield from (group["id"] for group in properties.get(f"{side}ApplicationSecurityGroups") or ())


def _demand_rule(rule: Mapping[str, Any]) -> None:
    properties = rule.get("properties") or {}
    name = rule.get("name") or ""
    if not NAME.fullmatch(name):
        raise bad_request("InvalidResourceName", f"Resource name {name} is invalid.")
    number = properties.get("priority")
    if number is None or not FIRST <= number <= LAST:
        message = f"Security rule has invalid Priority. Value provided: {number} Allowed range {FIRST}-{LAST}. {name}"
        raise bad_request("SecurityRuleInvalidPriority", message)
    for side in SIDES:
        _demand_addresses(name, side, properties)
        _demand_ports(name, side, properties)


def _demand_addresses(name: str, side: str, properties: Mapping[str, Any]) -> None:
    one, several = properties.get(f"{side}AddressPrefix"), properties.get(f"{side}AddressPrefixes") or []
    groups = properties.get(f"{side}ApplicationSecurityGroups") or []
    if sum((bool(one), bool(several), bool(groups))) != 1:
        message = (
            f"Security rule {name} must specify exactly one of {side}AddressPrefix, {side}AddressPrefixes and groups."
        )
        raise bad_request("SecurityRuleParameterNotSpecified", message)
    for prefix in several:
        if _version(prefix) is None:
            message = (
                f"Security rule parameter {side}AddressPrefixes for rule {name} cannot specify existing "
                f"VIRTUALNETWORK, INTERNET, AZURELOADBALANCER, '*' or system tags. Unsupported value used: {prefix}."
            )
            raise bad_request("SecurityRuleParameterContainsUnsupportedValue", message)
    if len({_version(prefix) for prefix in several}) > 1:
        message = f"{name} contains IP addresses or prefixes that belong to different address families."
        raise bad_request("ResourceCannotContainAddressPrefixesFromDifferentAddressFamilies", message)
    if one and one != "*" and _version(one) is None and not TAG.fullmatch(one):
        message = f"Security rule {name} has invalid Address prefix. Value provided: {one}"
        raise bad_request("SecurityRuleInvalidAddressPrefix", message)


def _demand_ports(name: str, side: str, properties: Mapping[str, Any]) -> None:
    one, several = properties.get(f"{side}PortRange"), properties.get(f"{side}PortRanges") or []
    if bool(one) == bool(several):
        message = f"Security rule {name} must specify exactly one of {side}PortRange and {side}PortRanges."
        raise bad_request("SecurityRuleParameterNotSpecified", message)
    for ports in [one] if one else several:
        if not _are_ports(ports) or (ports == "*" and several and len(several) > 1):
            raise bad_request("SecurityRuleInvalidPortRange", f"Security rule {name} has invalid Port range {ports}.")


def _are_ports(ports: str) -> bool:
    found = PORTS.fullmatch(ports)
    if found is None:
        return ports == "*"
    low, high = int(found["low"]), int(found["high"] or found["low"])
    return low <= high <= TOP


def _demand_distinct(one: Mapping[str, Any], other: Mapping[str, Any]) -> None:
    if one["name"].lower() == other["name"].lower():
        raise bad_request(
            "DuplicateResourceName", f"Resource {one['name']} has two child resources with the same name."
        )
    first, second = ((rule["properties"]["priority"], rule["properties"]["direction"]) for rule in (one, other))
    if first == second:
        message = (
            f"Security rule {one['name']} conflicts with rule {other['name']}. "
            "Rules cannot have the same Priority and Direction."
        )
        raise bad_request("SecurityRuleConflict", message)


def _version(prefix: str) -> int | None:
    try:
        return ip_network(prefix, strict=False).version
    except ValueError:
        return None
