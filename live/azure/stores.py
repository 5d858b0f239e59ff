"""Ask Key Vault and Table Storage what seeds, credentials and verifiers rely on."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ServiceRequestError,
)
from azure.data.tables import UpdateMode

from live.azure.workshop import HOUR, SPREADS_WITHIN
from live.verdicts import Making, Probe, Verdict, judged
from live.workshop import PREFIX, TAGS, Slow
from remediator.azure.tables import table
from remediator.azure.vaults import vault
from remediator.core.seeds import EPOCH, RING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from azure.data.tables import TableClient
    from azure.keyvault.secrets import SecretClient

    from live.azure.workshop import AzureWorkshop

SECRETS_OFFICER: Final = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"
TABLE_CONTRIBUTOR: Final = "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3"
"""Azure's own roles Key Vault Secrets Officer and Storage Table Data Contributor."""

VERSIONS: Final = EPOCH // RING
"""How many versions the rotator gives a secret of an epoch."""

FORBIDDEN: Final = 403
LETTERS: Final = PREFIX.replace("-", "")


def vault_dates(shop: AzureWorkshop) -> Verdict:
    """Ask for a secret before its time, for one after it, and for one that was disabled."""
    try:
        secrets = _vault(shop)
    except Slow as slow:
        return judged(f"the vault to try it with lets its officer in {slow}", {}, holds=False)
    secrets.set_secret("ahead", "given", not_before=_instant(shop.now() + HOUR))
    secrets.set_secret("over", "given", expires_on=_instant(shop.now() - HOUR))
    secrets.set_secret("off", "given")
    secrets.update_secret_properties("off", enabled=False)
    got = {name: _given(secrets, name) for name in ("ahead", "over", "off")}
    seen = f"before its time {got['ahead']}, after it {got['over']}, disabled {got['off']}"
    return judged(seen, got, holds=got == {"ahead": "given", "over": "given", "off": "refused"})


def vault_versions(shop: AzureWorkshop) -> Verdict:
    """Give one secret as many versions as an epoch does, and see whether the newest is always the one that is given."""
    try:
        secrets = _vault(shop)
    except Slow as slow:
        return judged(f"the vault to try it with lets its officer in {slow}", {}, holds=False)
    stale = 0
    for number in range(1, VERSIONS + 1):
        try:
            secrets.set_secret("seed", str(number))
        except HttpResponseError as error:
            return judged(f"version {number} was refused: {error.message}", {"versions": number - 1}, holds=False)
        stale += secrets.get_secret("seed").value != str(number)
    seen = f"{VERSIONS} versions were taken; {stale} times another than the newest was given"
    return judged(seen, {"versions": VERSIONS, "stale": stale}, holds=not stale)


def tables(shop: AzureWorkshop) -> Verdict:
    """Write one entity twice, and over somebody else's change; then try a table on which nobody was given a role."""
    ours, other = _tables(shop)
    row = {"PartitionKey": "probe", "RowKey": "one", "value": 1}
    try:
        shop.until(_written(ours, row), most=SPREADS_WITHIN)
    except Slow as slow:
        return judged(f"a role on one table counts {slow}", {}, holds=False)
    stale = ours.get_entity("probe", "one").metadata["etag"]
    ours.update_entity({**row, "value": 2}, mode=UpdateMode.REPLACE)
    got = {
        "twice": _refused(ResourceExistsError, lambda: ours.create_entity(row)),
        "stale": _refused(ResourceModifiedError, lambda: _overwrite(ours, {**row, "value": 3}, stale)),
        "elsewhere": _refused(HttpResponseError, lambda: other.create_entity(row), FORBIDDEN),
    }
    seen = f"inserted twice {got['twice']}, over a change {got['stale']}, in another table {got['elsewhere']}"
    return judged(seen, got, holds=set(got.values()) == {"refused"})


def _vault(shop: AzureWorkshop) -> SecretClient:
    """Make a vault, and return its client as soon as who is signed in may use it; raise `Slow`."""
    name = f"{PREFIX}{shop.run}"  # 24 characters are all that a vault's name may have
    properties = {
        "tenantId": shop.me.tenant,
        "sku": {"family": "A", "name": "standard"},
        "enableRbacAuthorization": True,
        "enableSoftDelete": True,
        "softDeleteRetentionInDays": 7,
    }
    shop.deploy([_resource(shop, "Microsoft.KeyVault/vaults", "2023-07-01", name, properties)])
    shop.let_me(SECRETS_OFFICER, f"{shop.site.group_id}/providers/Microsoft.KeyVault/vaults/{name}")
    secrets = vault(f"https://{name}.vault.azure.net", shop.credential)

    def lets_in() -> bool:
        try:
            secrets.set_secret("first", "given")
        except ServiceRequestError:  # the name isn't known everywhere yet
            return False
        except HttpResponseError as error:
            if error.status_code != FORBIDDEN:
                raise
            return False
        return True

    shop.until(lets_in, most=SPREADS_WITHIN, every=5.0)
    return secrets


def _given(secrets: SecretClient, name: str) -> str:
    try:
        secrets.get_secret(name)
    except HttpResponseError as error:
        if error.status_code != FORBIDDEN:
            raise
        return "refused"
    return "given"


def _tables(shop: AzureWorkshop) -> tuple[TableClient, TableClient]:
    """Make a storage account as the template does, with two tables, the first of which may be written."""
    name = f"{LETTERS}{shop.run}"
    kind, api = "Microsoft.Storage/storageAccounts", "2023-05-01"
    properties = {"allowSharedKeyAccess": False, "minimumTlsVersion": "TLS1_2", "supportsHttpsTrafficOnly": True}
    account = _resource(shop, kind, api, name, properties) | {"kind": "StorageV2", "sku": {"name": "Standard_LRS"}}
    service = {"type": f"{kind}/tableServices", "apiVersion": api, "name": f"{name}/default", "properties": {}}
    service["dependsOn"] = [f"[resourceId('{kind}', '{name}')]"]
    both = [
        {
            "type": f"{kind}/tableServices/tables",
            "apiVersion": api,
            "name": f"{name}/default/{one}",
            "dependsOn": [f"[resourceId('{kind}/tableServices', '{name}', 'default')]"],
            "properties": {},
        }
        for one in ("ours", "other")
    ]
    shop.deploy([account, service, *both])
    shop.let_me(TABLE_CONTRIBUTOR, f"{shop.site.group_id}/providers/{kind}/{name}/tableServices/default/tables/ours")
    endpoint = f"https://{name}.table.core.windows.net"
    return table(endpoint, "ours", shop.credential), table(endpoint, "other", shop.credential)


def _written(ours: TableClient, row: Mapping[str, Any]) -> Callable[[], bool]:
    def write() -> bool:
        with suppress(ResourceExistsError):
            try:
                ours.create_entity(dict(row))
            except ServiceRequestError:  # the name isn't known everywhere yet
                return False
            except HttpResponseError as error:
                if error.status_code == FORBIDDEN:
                    return False
                raise
        return True

    return write


def _overwrite(ours: TableClient, row: Mapping[str, Any], etag: str | None) -> object:
    condition = MatchConditions.IfNotModified
    return ours.update_entity(dict(row), mode=UpdateMode.REPLACE, etag=etag, match_condition=condition)


def _refused(kind: type[HttpResponseError], act: Callable[[], object], status: int | None = None) -> str:
    """Return whether something is refused as it must be; what is refused otherwise is raised."""
    try:
        act()
    except kind as error:
        if status is not None and error.status_code != status:
            raise
        return "refused"
    return "taken"


def _resource(shop: AzureWorkshop, kind: str, api: str, name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    place = {"type": kind, "apiVersion": api, "name": name, "location": shop.location, "tags": TAGS}
    return {**place, "properties": dict(properties)}


def _instant(moment: float) -> datetime:
    return datetime.fromtimestamp(moment, UTC)


PROBES: Final = (
    Probe(
        "vault-dates",
        "Key Vault gives a secret out before and after its dates, and none that is disabled",
        Making(("1 resource group with a vault",), 8, {"vault_operation": 50}),
        vault_dates,
    ),
    Probe(
        "vault-versions",
        f"a secret takes an epoch's {VERSIONS} versions, and the newest is the one that is given",
        Making(("1 resource group with a vault",), 10, {"vault_operation": 2 * VERSIONS + 50}),
        vault_versions,
    ),
    Probe(
        "tables",
        "Table Storage refuses a second insert and a write over a change, and a role on one table opens no other",
        Making(("1 resource group with a storage account and two tables",), 8, {"table_transaction": 100}),
        tables,
    ),
)
