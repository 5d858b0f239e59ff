"""Do as each provider does: what it refuses, what it adds, what it finishes later."""

from __future__ import annotations

import copy
import uuid
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from remediator.local.azure.arm.network_rules import demand_rules, linked_groups
from remediator.local.azure.arm.refusals import bad_request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Body = dict[str, Any]

TLS: Final = ("1.0", "1.1", "1.2")
PLURALS: Final = (
    "sourcePortRanges",
    "destinationPortRanges",
    "sourceAddressPrefixes",
    "destinationAddressPrefixes",
)


@dataclass(frozen=True, slots=True)
class Later:
    """Say how a provider tells that it goes on: the status, its type of operations, and the headers they stand in.

    Most operations are the subscription's; with `in_group` they are the resource group's.
    """

    status: int
    operations: str
    headers: tuple[str, ...]
    in_group: bool = False


STATUS: Final = "Azure-AsyncOperation"
PLACE: Final = "Location"

FINISHED_LATER: Final[Mapping[tuple[str, str], Later]] = {
    ("Microsoft.Compute/disks", "PATCH"): Later(HTTPStatus.ACCEPTED, "diskOperations", (PLACE,)),
    ("Microsoft.DBforPostgreSQL/flexibleServers/configurations", "PATCH"): Later(
        HTTPStatus.ACCEPTED, "azureAsyncOperation", (STATUS, PLACE)
    ),
    ("Microsoft.Network/networkSecurityGroups", "PUT"): Later(HTTPStatus.OK, "operations", (STATUS,)),
    ("Microsoft.Sql/servers", "PATCH"): Later(
        HTTPStatus.ACCEPTED, "serverAzureAsyncOperation", (STATUS, PLACE), in_group=True
    ),
    ("Microsoft.Sql/servers/databases/transparentDataEncryption", "PUT"): Later(
        HTTPStatus.ACCEPTED, "transparentDataEncryptionAzureAsyncOperation", (STATUS,), in_group=True
    ),
}
"""By type and method. Sources: the descriptions' statuses, and the operations that the providers register."""

WHOLE: Final = frozenset({"networkAcls", "securityRules", "tags"})
"""What a PATCH replaces as a whole instead of merging it."""

TAGGED: Final = frozenset({"Microsoft.Network/networkSecurityGroups"})
"""The types that have ETags and honour `If-Match`."""


def patched(current: Mapping[str, Any], change: Mapping[str, Any]) -> Body:
    """Return a body with a change merged into it; what is null doesn't count, as with the providers here."""
    merged: Body = dict(current)
    for name, value in change.items():
        if value is None:
            continue
        known = merged.get(name)
        both = isinstance(value, dict) and isinstance(known, dict) and name not in WHOLE
        merged[name] = patched(known or {}, value) if both else copy.deepcopy(value)
    return merged


def replaced(current: Mapping[str, Any], written: Mapping[str, Any], kind: str) -> Body:
    """Return a body as a PUT leaves it: what was written, and what only Azure writes from before."""
    kept = {name: current[name] for name in ("id", "name", "type", "systemData") if name in current}
    body = copy.deepcopy(dict(written)) | kept
    before = current.get("properties", {})
    ours = {name: value for name, value in before.items() if name in KEPT_PROPERTIES.get(kind, ())}
    body["properties"] = body.get("properties", {}) | ours
    return body


KEPT_PROPERTIES: Final[Mapping[str, tuple[str, ...]]] = {
    "Microsoft.Network/networkSecurityGroups": ("resourceGuid", "defaultSecurityRules", "networkInterfaces", "subnets"),
}


def demand(kind: str, current: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Return if a provider takes a resource from one state to another, else raise `ArmRefusal`."""
    check = CHECKS.get(kind)
    if check is not None:
        check(current.get("properties", {}), after.get("properties", {}))


def linked(kind: str, body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Return the operations on other resources that a body asks for by naming them, and the resources' ids."""
    properties = body.get("properties") or {}
    if kind == "Microsoft.Network/networkSecurityGroups":
        join = "Microsoft.Network/applicationSecurityGroups/joinNetworkSecurityRule/action"
        yield from ((join, group) for group in dict.fromkeys(linked_groups(properties.get("securityRules") or [])))
    if kind == "Microsoft.Storage/storageAccounts":
        join = "Microsoft.Network/virtualNetworks/subnets/joinViaServiceEndpoint/action"
        rules = (properties.get("networkAcls") or {}).get("virtualNetworkRules") or []
        yield from ((join, rule["id"]) for rule in rules)


def dressed(kind: str, body: Body) -> Body:
    """Return a resource as its provider shows it."""
    if kind != "Microsoft.Network/networkSecurityGroups":
        return body
    tag = f'W/"{uuid.uuid4()}"'
    rules = [_dressed_rule(rule, body["id"], tag) for rule in body["properties"].get("securityRules") or []]
    properties = body["properties"] | {"securityRules": rules, "provisioningState": "Succeeded"}
    return body | {"etag": tag, "properties": properties}


def _dressed_rule(rule: Mapping[str, Any], group: str, tag: str) -> Body:
    return {
        "name": rule["name"],
        "id": f"{group}/securityRules/{rule['name']}",
        "etag": tag,
        "type": "Microsoft.Network/networkSecurityGroups/securityRules",
        "properties": {name: list[str]() for name in PLURALS} | rule["properties"] | {"provisioningState": "Succeeded"},
    }


def _network(_: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    demand_rules(after.get("securityRules") or [])


def _vault(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    for name, what in (("enablePurgeProtection", "purge protection"), ("enableSoftDelete", "soft delete")):
        if before.get(name) is True and after.get(name) is False:
            message = f'The property "{name}" cannot be set to false. Enabling the {what} for a vault is irreversible.'
            raise bad_request("BadRequest", message)
    if after.get("enablePurgeProtection") is False and before.get("enablePurgeProtection") is not False:
        message = 'The property "enablePurgeProtection" cannot be set to false.'
        raise bad_request("BadRequest", message)
    if after.get("enablePurgeProtection") is True and after.get("enableSoftDelete") is not True:
        raise bad_request("BadRequest", "Purge protection needs soft delete to be enabled.")


def _sql_server(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    wanted = after.get("minimalTlsVersion")
    if wanted != before.get("minimalTlsVersion") and wanted not in TLS:
        raise bad_request("InvalidMinimalTlsVersion", f"Invalid minimal TLS version '{wanted}': {', '.join(TLS)}.")


def _configuration(_: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    allowed = str(after.get("allowedValues", "")).split(",")
    if str(after.get("value")).lower() not in allowed:
        raise bad_request(
            "InvalidParameterValue", f"The value '{after.get('value')}' isn't one of {', '.join(allowed)}."
        )


CHECKS: Final[Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], None]]] = {
    "Microsoft.DBforPostgreSQL/flexibleServers/configurations": _configuration,
    "Microsoft.KeyVault/vaults": _vault,
    "Microsoft.Network/networkSecurityGroups": _network,
    "Microsoft.Sql/servers": _sql_server,
}
