"""Make a believable mess in an embedded Azure's resource group, and beside it innocents that must not change.

The cloud makes the resources when it comes up; the mess is made of their settings, by whoever administers them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from remediator.catalogue import registry
from remediator.catalogue.azure.network.examples import rule
from remediator.catalogue.spec import Home, OneWay
from remediator.local.mess import Innocent, Mess, Offence
from remediator.vendor.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.catalogue.azure.arm import Arm
    from remediator.catalogue.spec import JSON

_OFFENDERS: Final[Mapping[str, tuple[str, str]]] = {
    "azure.disk.disable-public-network-access": (
        "Microsoft.Compute/disks/orders-data",
        "a disk that can be exported from anywhere",
    ),
    "azure.keyvault.enable-purge-protection": (
        "Microsoft.KeyVault/vaults/acme-secrets",
        "a vault whose secrets can be purged at once",
    ),
    "azure.network.close-port": (
        "Microsoft.Network/networkSecurityGroups/bastion",
        "a bastion with SSH open to the Internet",
    ),
    "azure.postgresql.require-secure-transport": (
        "Microsoft.DBforPostgreSQL/flexibleServers/acme-orders",
        "a database server that speaks in the clear",
    ),
    "azure.sql.enable-encryption": (
        "Microsoft.Sql/servers/acme-sql/databases/orders",
        "the orders' database, not encrypted at rest",
    ),
    "azure.sql.require-tls12": ("Microsoft.Sql/servers/acme-sql", "a SQL server that takes TLS 1.0"),
    "azure.storage.deny-network-by-default": (
        "Microsoft.Storage/storageAccounts/acmeinvoices",
        "an account of invoices that every network reaches",
    ),
    "azure.storage.disable-public-blob-access": (
        "Microsoft.Storage/storageAccounts/acmeinvoices",
        "the same account, whose containers may be made public",
    ),
    "azure.storage.require-https": (
        "Microsoft.Storage/storageAccounts/acmewebsite",
        "a website's account that answers without encryption",
    ),
    "azure.storage.require-tls12": (
        "Microsoft.Storage/storageAccounts/acmewebsite",
        "the same account, which takes TLS 1.0",
    ),
    "azure.webapp.require-https": ("Microsoft.Web/sites/acme-shop", "a shop that answers over plain HTTP"),
    "azure.webapp.require-tls12": ("Microsoft.Web/sites/acme-shop", "the same shop, which takes TLS 1.0"),
}
_INNOCENTS: Final[Mapping[str, tuple[str, str]]] = {
    "azure.storage.require-https": (
        "Microsoft.Storage/storageAccounts/acmepayroll",
        "the payroll's account, encrypted in transit already",
    ),
    "azure.webapp.require-https": ("Microsoft.Web/sites/acme-intranet", "the intranet, over HTTPS only already"),
}
_OPEN: Final = [rule("ssh", 100, "Tcp", "Internet", "22"), rule("https", 200, "Tcp", "*", "443")]
"""What the bastion lets in: one rule must be closed, the other must stay."""


def paths(group: str) -> list[str]:
    """Return the ids of all resources of the mess, each once; `group` is the id of their resource group."""
    names = [name for name, _ in (*_OFFENDERS.values(), *_INNOCENTS.values())]
    return [_path(group, name) for name in dict.fromkeys(names)]


def make_mess(admin: Arm, group: str) -> Mess:
    """Make the mess as an administrator; made twice it is the same mess, once."""
    offences = tuple(_offence(admin, fix, _path(group, name), what) for fix, (name, what) in _OFFENDERS.items())
    innocents = tuple(_innocent(admin, fix, _path(group, name), what) for fix, (name, what) in _INNOCENTS.items())
    return Mess(offences, innocents)


def _offence(admin: Arm, fix_id: str, path: str, what: str) -> Offence:
    fix = registry.load(fix_id)
    example = fix.examples[0]
    _set(admin, fix_id, path, _OPEN if fix_id.startswith("azure.network.") else example.broken)
    return Offence(
        what,
        Finding(
            fix=fix_id,
            target={"id": path},
            parameters=dict(example.parameters),
            acknowledge_irreversible=isinstance(fix, OneWay),
        ),
    )


def _innocent(admin: Arm, fix_id: str, path: str, what: str) -> Innocent:
    _set(admin, fix_id, path, registry.load(fix_id).examples[0].fixed)
    return Innocent(what, fix_id, {"id": path})


def _set(admin: Arm, fix_id: str, path: str, wanted: JSON) -> None:
    """Set a resource as its owner would; what can't be made bad again, since its fix is one way, stays."""
    fix = registry.load(fix_id)
    target = fix.target.parse({"id": path}, _home(path))
    now = fix.read(admin, target)
    if now != wanted and not isinstance(fix, OneWay):
        fix.write(admin, target, now, wanted)


def _home(path: str) -> Home:
    return Home("azure", path.split("/")[2].lower())


def _path(group: str, name: str) -> str:
    return f"{group}/providers/{name}"
