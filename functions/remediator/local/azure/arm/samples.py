"""Make believable resources, as Azure shows them, each as badly set as it can be found."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LOCATION: Final = "westeurope"
CREATED: Final = "2021-03-04T05:06:07.0000000Z"

Resources = dict[str, dict[str, Any]]
"""Bodies by path; an empty one is something that must be there, but isn't spoken to."""


def resources(path: str) -> Resources:
    """Return what there is at a target's path: the resource, and the children and parents that it can't be without."""
    provider, *parts = path.rpartition("/providers/")[2].split("/")
    kind = "/".join((provider, *parts[::2])).lower()
    return MAKERS[kind](path)


def _body(path: str, of_type: str, properties: Mapping[str, Any], /, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON values
    return {"id": path, "name": path.rpartition("/")[2], "type": of_type, **more, "properties": dict(properties)}


def _tracked(path: str, of_type: str, properties: Mapping[str, Any], /, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON values
    return _body(path, of_type, properties, location=LOCATION, tags={"team": "example"}, **more)


def _storage_account(path: str) -> Resources:
    name = path.rpartition("/")[2]
    properties = {
        "provisioningState": "Succeeded",
        "primaryEndpoints": {"blob": f"https://{name}.blob.core.windows.net/"},
        "primaryLocation": LOCATION,
        "statusOfPrimary": "available",
        "creationTime": CREATED,
        "accessTier": "Hot",
        "supportsHttpsTrafficOnly": False,
        "networkAcls": {
            "bypass": "AzureServices",
            "virtualNetworkRules": [],
            "ipRules": [],
            "defaultAction": "Allow",
        },
        "encryption": {
            "services": {"blob": {"enabled": True, "lastEnabledTime": CREATED, "keyType": "Account"}},
            "keySource": "Microsoft.Storage",
        },
    }
    sku = {"name": "Standard_LRS", "tier": "Standard"}
    return {path: _tracked(path, "Microsoft.Storage/storageAccounts", properties, kind="StorageV2", sku=sku)}


def _network_security_group(path: str) -> Resources:
    tag = f'W/"{uuid.uuid4()}"'
    properties = {
        "provisioningState": "Succeeded",
        "resourceGuid": str(uuid.uuid4()),
        "securityRules": [],
        "defaultSecurityRules": [],
    }
    return {path: _tracked(path, "Microsoft.Network/networkSecurityGroups", properties, etag=tag)}


def _web_app(path: str) -> Resources:
    name = path.rpartition("/")[2]
    site = _tracked(
        path,
        "Microsoft.Web/sites",
        {
            "state": "Running",
            "hostNames": [f"{name}.azurewebsites.net"],
            "repositorySiteName": name,
            "usageState": "Normal",
            "enabled": True,
            "enabledHostNames": [f"{name}.azurewebsites.net"],
            "availabilityState": "Normal",
            "lastModifiedTimeUtc": "2021-03-04T05:06:07.0000000Z",
            "defaultHostName": f"{name}.azurewebsites.net",
            "httpsOnly": False,
        },
        kind="app",
    )
    config = _body(
        f"{path}/config/web",
        "Microsoft.Web/sites/config",
        {
            "numberOfWorkers": 1,
            "ftpsState": "AllAllowed",
            "http20Enabled": False,
            "minTlsVersion": "1.0",
            "scmMinTlsVersion": "1.0",
            "alwaysOn": False,
        },
    )
    return {path: site, f"{path}/config/web": config}


def _sql_server(path: str) -> Resources:
    properties = {
        "administratorLogin": "example",
        "version": "12.0",
        "state": "Ready",
        "fullyQualifiedDomainName": f"{path.rpartition('/')[2]}.database.windows.net",
        "privateEndpointConnections": [],
        "minimalTlsVersion": "1.0",
        "publicNetworkAccess": "Enabled",
        "restrictOutboundNetworkAccess": "Disabled",
    }
    return {path: _tracked(path, "Microsoft.Sql/servers", properties, kind="v12.0")}


def _sql_database(path: str) -> Resources:
    server = path.rpartition("/databases/")[0]
    child = f"{path}/transparentDataEncryption/current"
    kind = "Microsoft.Sql/servers/databases/transparentDataEncryption"
    return _sql_server(server) | {path: {}, child: _body(child, kind, {"state": "Disabled"})}


def _postgresql_server(path: str) -> Resources:
    child = f"{path}/configurations/require_secure_transport"
    properties = {
        "value": "off",
        "description": "Whether client connections to the server are required to use some form of secure transport.",
        "defaultValue": "on",
        "dataType": "Boolean",
        "allowedValues": "on,off",
        "source": "user-override",
        "isDynamicConfig": True,
        "isReadOnly": False,
        "isConfigPendingRestart": False,
        "unit": "",
        "documentationLink": "",
    }
    return {path: {}, child: _body(child, "Microsoft.DBforPostgreSQL/flexibleServers/configurations", properties)}


def _key_vault(path: str) -> Resources:
    name = path.rpartition("/")[2]
    properties = {
        "tenantId": "00000000-0000-0000-0000-0000000000aa",
        "sku": {"family": "A", "name": "standard"},
        "accessPolicies": [],
        "enabledForDeployment": False,
        "enableSoftDelete": False,
        "enableRbacAuthorization": True,
        "vaultUri": f"https://{name}.vault.azure.net/",
        "provisioningState": "Succeeded",
    }
    return {path: _tracked(path, "Microsoft.KeyVault/vaults", properties)}


def _disk(path: str) -> Resources:
    properties = {
        "osType": "Linux",
        "creationData": {"createOption": "Empty"},
        "diskSizeGB": 64,
        "timeCreated": "2021-03-04T05:06:07.0000000+00:00",
        "provisioningState": "Succeeded",
        "diskState": "Attached",
        "uniqueId": str(uuid.uuid4()),
        "networkAccessPolicy": "AllowAll",
    }
    sku = {"name": "Premium_LRS", "tier": "Premium"}
    return {path: _tracked(path, "Microsoft.Compute/disks", properties, sku=sku)}


MAKERS: Final[Mapping[str, Callable[[str], Resources]]] = {
    "microsoft.compute/disks": _disk,
    "microsoft.dbforpostgresql/flexibleservers": _postgresql_server,
    "microsoft.keyvault/vaults": _key_vault,
    "microsoft.network/networksecuritygroups": _network_security_group,
    "microsoft.sql/servers": _sql_server,
    "microsoft.sql/servers/databases": _sql_database,
    "microsoft.storage/storageaccounts": _storage_account,
    "microsoft.web/sites": _web_app,
}
