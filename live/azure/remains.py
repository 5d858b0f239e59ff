"""Find what any run left in the subscription and in the directory, and take it away."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from live.workshop import PREFIX, Leftover
from remediator.azure_install.directory import API, BIN, REMEDIATOR, Directory
from remediator.azure_install.plan import Site
from remediator.azure_install.roles import API as AUTHORIZATION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from live.azure.workshop import AzureWorkshop

ASSIGNMENTS: Final = "/providers/Microsoft.Authorization/roleAssignments"
DEFINITIONS: Final = "/providers/Microsoft.Authorization/roleDefinitions"
RESOURCES: Final = "api-version=2021-04-01"
VAULTS: Final = "api-version=2023-07-01"
KEY_VAULT: Final = "providers/Microsoft.KeyVault"
DELETED_WITHIN: Final = 1_800.0
"""Seconds that Azure may take to delete a resource group, or to purge a vault."""


def remains(shop: AzureWorkshop) -> Iterator[Leftover]:
    """Yield what any run left, in the order of removal: what only a group leads to goes before the group."""
    groups = [one for one in _groups(shop) if one["name"].startswith(PREFIX)]
    for group in groups:
        yield from _installed(shop, group["name"])
    yield from _roles(shop, groups)
    for group in groups:
        yield Leftover("resource group", group["name"], partial(_delete_group, shop, group))
    for vault in _deleted_vaults(shop):
        yield Leftover("deleted vault", vault["name"], partial(_purge, shop, vault))
    yield from _registrations(shop)


def _groups(shop: AzureWorkshop) -> Iterator[Mapping[str, Any]]:
    return shop.arm.listed(f"/subscriptions/{shop.subscription}/resourcegroups?{RESOURCES}")


def _installed(shop: AzureWorkshop, group: str) -> Iterator[Leftover]:
    """Yield the app registrations of an installation in a group: their names follow from the group's."""
    directory = Directory(shop.graph, Site(shop.subscription, group), shop.pause)
    for kind in (REMEDIATOR, API):
        if directory.registration(kind) is not None:
            yield Leftover("app registration", directory.unique_name(kind), partial(directory.remove, kind))


def _roles(shop: AzureWorkshop, groups: list[Mapping[str, Any]]) -> Iterator[Leftover]:
    """Yield assignments in the groups, then the custom roles that can be assigned nowhere else.

    A role that somebody holds can't be deleted, and one whose group is gone can't be found any more.
    """
    mine = [f"{group['id']}/".lower() for group in groups]
    defined: dict[str, str] = {}
    for group in groups:
        for one in shop.arm.listed(f"{group['id']}{ASSIGNMENTS}?{AUTHORIZATION}"):
            if one["id"].lower().startswith(f"{group['id']}/".lower()):
                yield Leftover("role assignment", one["name"], _deletion(shop, one["id"]))
        for one in shop.arm.listed(f"{group['id']}{DEFINITIONS}?$filter=type%20eq%20'CustomRole'&{AUTHORIZATION}"):
            scopes = one["properties"]["assignableScopes"]
            if all(f"{scope}/".lower().startswith(tuple(mine)) for scope in scopes):
                defined[one["name"]] = f"{scopes[0]}{DEFINITIONS}/{one['name']}"
    for name, path in defined.items():
        yield Leftover("role", name, _deletion(shop, path))


def _deletion(shop: AzureWorkshop, path: str) -> Any:  # noqa: ANN401 - what a leftover takes
    return partial(shop.arm.delete, f"{path}?{AUTHORIZATION}")


def _delete_group(shop: AzureWorkshop, group: Mapping[str, Any]) -> None:
    """Delete a group, wait until it is gone, and purge the vaults that were in it, whose names it would keep."""
    path = f"{group['id']}?{RESOURCES}"
    shop.arm.delete(path)
    shop.until(lambda: shop.arm.get(path) is None, most=DELETED_WITHIN, every=10.0)
    for vault in list(_deleted_vaults(shop)):
        if vault["properties"]["vaultId"].lower().startswith(f"{group['id']}/".lower()):
            _purge(shop, vault)


def _deleted_vaults(shop: AzureWorkshop) -> Iterator[Mapping[str, Any]]:
    """Yield the vaults of any run's that were deleted and still keep their names."""
    within = f"/subscriptions/{shop.subscription}/resourceGroups/{PREFIX}".lower()
    for one in shop.arm.listed(f"/subscriptions/{shop.subscription}/{KEY_VAULT}/deletedVaults?{VAULTS}"):
        if one["properties"]["vaultId"].lower().startswith(within):
            yield one


def _purge(shop: AzureWorkshop, vault: Mapping[str, Any]) -> None:
    where = f"{KEY_VAULT}/locations/{vault['properties']['location']}/deletedVaults/{vault['name']}"
    shop.arm.ask("POST", f"/subscriptions/{shop.subscription}/{where}/purge?{VAULTS}")
    shop.until(
        lambda: vault["name"] not in [one["name"] for one in _deleted_vaults(shop)], most=DELETED_WITHIN, every=10.0
    )


def _registrations(shop: AzureWorkshop) -> Iterator[Leftover]:
    """Yield the probes' app registrations, those in the bin too."""
    fields = "$select=id,uniqueName"
    for one in shop.graph.listed(f"/v1.0/applications?{fields}"):
        if str(one.get("uniqueName")).startswith(PREFIX):
            yield Leftover("app registration", one["uniqueName"], partial(_unregister, shop, one["id"]))
    for one in shop.graph.listed(f"{BIN}/microsoft.graph.application?{fields}"):
        if str(one.get("uniqueName")).startswith(PREFIX):
            yield Leftover(
                "deleted app registration", one["uniqueName"], partial(shop.graph.delete, f"{BIN}/{one['id']}")
            )


def _unregister(shop: AzureWorkshop, identity: str) -> None:
    """Delete a registration, and take it out of the bin as soon as it is there."""
    shop.graph.delete(f"/v1.0/applications/{identity}")
    shop.until(lambda: shop.graph.delete(f"{BIN}/{identity}"), most=DELETED_WITHIN)
