"""Ask the official SDK what it would send: a transport that takes the request down and sends nothing."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from azure.core.credentials import AccessToken, AccessTokenInfo
from azure.core.pipeline.transport import HttpTransport
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.compute import models as compute
from azure.mgmt.keyvault import KeyVaultManagementClient
from azure.mgmt.keyvault import models as keyvault
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.network import models as network
from azure.mgmt.postgresqlflexibleservers import PostgreSQLManagementClient
from azure.mgmt.postgresqlflexibleservers import models as postgresql
from azure.mgmt.sql import SqlManagementClient
from azure.mgmt.sql import models as sql
from azure.mgmt.storage import StorageManagementClient
from azure.mgmt.storage import models as storage
from azure.mgmt.web import WebSiteManagementClient
from azure.mgmt.web import models as web

from remediator.catalogue.azure.resources import VERSIONS

if TYPE_CHECKING:
    from remediator.catalogue.spec import JSON, Target

Request = tuple[str, str, Mapping[str, str], Any]
"""Method, path, query, body."""


class Taken(Exception):  # noqa: N818 - not an error
    """Stop the SDK once its request is taken down."""


class Recorder(HttpTransport[Any, Any]):
    def __init__(self) -> None:
        self.request: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def open(self) -> None: ...

    def close(self) -> None: ...

    def send(self, request: Any, **_: Any) -> Any:
        self.request = request
        raise Taken


class Anybody:
    """Give tokens that nobody looks at."""

    def get_token(self, *_: str, **__: Any) -> AccessToken:
        return AccessToken("token", int(time.time()) + 3600)

    def get_token_info(self, *_: str, **__: Any) -> AccessTokenInfo:
        return AccessTokenInfo("token", int(time.time()) + 3600)


CALLED_WITH_A_VERSION = (ComputeManagementClient, NetworkManagementClient)
"""The clients that can't be told a version for all their calls, but with each one."""


@cache
def client(kind: Any, api: str, subscription: str) -> tuple[Any, Recorder]:
    recorder = Recorder()
    versioned = {} if kind in CALLED_WITH_A_VERSION else {"api_version": api}
    made = kind(Anybody(), subscription, transport=recorder, retry_total=0, polling=False, **versioned)
    return made, recorder


def taken(kind: Any, api: str, subscription: str, call: Callable[[Any], Any]) -> Request:
    """Return the request that a call of the SDK's would send."""
    made, recorder = client(kind, api, subscription)
    with suppress(Taken):
        call(made)
    sent = recorder.request
    url = urlsplit(sent.url)
    content = getattr(sent, "content", None) or getattr(sent, "body", None)
    body = json.loads(content) if content else None
    return sent.method, unquote(url.path), dict(parse_qsl(url.query)), body


Wish = Callable[[Any], Any]
"""A call of the SDK's, given its client."""


@dataclass(frozen=True)
class Intent:
    """Say what one would ask of the SDK: its client's class, how to read a setting, how to make it so."""

    client: Any
    read: Wish
    write: Callable[[JSON], Wish]


def intent(fix: str, target: Target, resource: Mapping[str, JSON]) -> Intent:
    """Return what one would ask of the SDK to do as a fix does, by its id, with a resource as it is now."""
    return INTENTS[fix](target["group"], target["parent"], target["name"], resource)


def _account(setting: str) -> Callable[..., Intent]:
    def of(group: str, _parent: str, name: str, _resource: Any) -> Intent:
        def write(state: JSON) -> Wish:
            properties = storage.StorageAccountPropertiesUpdateParameters(**{setting: _ruled(setting, state)})
            parameters = storage.StorageAccountUpdateParameters(properties=properties)
            return lambda sdk: sdk.storage_accounts.update(group, name, parameters)

        return Intent(StorageManagementClient, lambda sdk: sdk.storage_accounts.get_properties(group, name), write)

    return of


def _ruled(setting: str, state: JSON) -> Any:
    if setting != "network_rule_set":
        return state
    return storage.NetworkRuleSet(
        bypass=state["bypass"],
        default_action=state["defaultAction"],
        ip_rules=[storage.IPRule(ip_address_or_range=one["value"], action=one["action"]) for one in state["ipRules"]],
        virtual_network_rules=[
            storage.VirtualNetworkRule(virtual_network_resource_id=one["id"], action=one["action"])
            for one in state["virtualNetworkRules"]
        ],
        resource_access_rules=[
            storage.ResourceAccessRule(tenant_id=one["tenantId"], resource_id=one["resourceId"])
            for one in state["resourceAccessRules"]
        ],
    )


def _site(group: str, _parent: str, name: str, _resource: Any) -> Intent:
    def write(state: JSON) -> Wish:
        patch = web.SitePatchResource(properties=web.SitePatchResourceProperties(https_only=state))
        return lambda sdk: sdk.web_apps.update(group, name, patch)

    return Intent(WebSiteManagementClient, lambda sdk: sdk.web_apps.get(group, name), write)


def _site_configuration(group: str, _parent: str, name: str, _resource: Any) -> Intent:
    def write(state: JSON) -> Wish:
        patch = web.SiteConfigResource(properties=web.SiteConfig(min_tls_version=state))
        return lambda sdk: sdk.web_apps.update_configuration(group, name, patch)

    return Intent(WebSiteManagementClient, lambda sdk: sdk.web_apps.get_configuration(group, name), write)


def _sql_server(group: str, _parent: str, name: str, _resource: Any) -> Intent:
    def write(state: JSON) -> Wish:
        patch = sql.ServerUpdate(properties=sql.ServerProperties(minimal_tls_version=state))
        return lambda sdk: sdk.servers.begin_update(group, name, patch)

    return Intent(SqlManagementClient, lambda sdk: sdk.servers.get(group, name), write)


def _encryption(group: str, parent: str, name: str, _resource: Any) -> Intent:
    def write(state: JSON) -> Wish:
        child = sql.LogicalDatabaseTransparentDataEncryption(
            properties=sql.TransparentDataEncryptionProperties(state=state)
        )
        where = (group, parent, name, "current")
        return lambda sdk: sdk.transparent_data_encryptions.begin_create_or_update(*where, child)

    def read(sdk: Any) -> Any:
        return sdk.transparent_data_encryptions.get(group, parent, name, "current")

    return Intent(SqlManagementClient, read, write)


def _parameter(group: str, _parent: str, name: str, _resource: Any) -> Intent:
    where = (group, name, "require_secure_transport")

    def write(state: JSON) -> Wish:
        properties = postgresql.ConfigurationProperties(value=state, source="user-override")
        patch = postgresql.ConfigurationForUpdate(properties=properties)
        return lambda sdk: sdk.configurations.begin_update(*where, patch)

    return Intent(PostgreSQLManagementClient, lambda sdk: sdk.configurations.get(*where), write)


def _vault(group: str, _parent: str, name: str, resource: Any) -> Intent:
    def write(state: JSON) -> Wish:
        before = resource["properties"]
        switched = {key: value for key, value in state.items() if bool(before.get(key)) != value}
        patch = keyvault.VaultPatchParameters(properties=keyvault.VaultPatchProperties(**_snaked(switched)))
        return lambda sdk: sdk.vaults.update(group, name, patch)

    return Intent(KeyVaultManagementClient, lambda sdk: sdk.vaults.get(group, name), write)


def _disk(group: str, _parent: str, name: str, _resource: Any) -> Intent:
    def write(state: JSON) -> Wish:
        patch = compute.DiskUpdate(properties=compute.DiskUpdateProperties(public_network_access=state))
        return lambda sdk: sdk.disks.begin_update(group, name, patch, params=_version("Microsoft.Compute"))

    def read(sdk: Any) -> Any:
        return sdk.disks.get(group, name, params=_version("Microsoft.Compute"))

    return Intent(ComputeManagementClient, read, write)


def _security_group(group: str, _parent: str, name: str, resource: Any) -> Intent:
    def write(state: JSON) -> Wish:
        whole = network.NetworkSecurityGroup(
            location=resource["location"],
            tags=resource["tags"],
            properties=network.NetworkSecurityGroupPropertiesFormat(
                security_rules=[_rule(one) for one in (*state, *_outbound(resource))]
            ),
        )
        return lambda sdk: sdk.network_security_groups.begin_create_or_update(
            group, name, whole, params=_version("Microsoft.Network")
        )

    def read(sdk: Any) -> Any:
        return sdk.network_security_groups.get(group, name, params=_version("Microsoft.Network"))

    return Intent(NetworkManagementClient, read, write)


def _version(provider: str) -> dict[str, str]:
    return {"api-version": VERSIONS[provider]}


def _outbound(resource: Any) -> list[JSON]:
    rules = resource["properties"]["securityRules"]
    return [one for one in rules if one["properties"]["direction"] == "Outbound"]


def _rule(rule: JSON) -> Any:
    given = {name: value for name, value in rule["properties"].items() if value and name != "provisioningState"}
    named: dict[str, Any] = {
        name: [_group(one) for one in value] if "groups" in name else value for name, value in _snaked(given).items()
    }
    properties = network.SecurityRulePropertiesFormat(**named)
    return network.SecurityRule(name=rule["name"], properties=properties)


def _group(reference: Mapping[str, str]) -> Any:
    return network.ApplicationSecurityGroup(id=reference["id"])


def _snaked(properties: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return properties by the SDK's names for them; it refuses a name that it doesn't know."""
    return {re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(): value for name, value in properties.items()}


INTENTS: Mapping[str, Callable[..., Intent]] = {
    "azure.disk.disable-public-network-access": _disk,
    "azure.keyvault.enable-purge-protection": _vault,
    "azure.network.close-port": _security_group,
    "azure.postgresql.require-secure-transport": _parameter,
    "azure.sql.enable-encryption": _encryption,
    "azure.sql.require-tls12": _sql_server,
    "azure.storage.deny-network-by-default": _account("network_rule_set"),
    "azure.storage.disable-public-blob-access": _account("allow_blob_public_access"),
    "azure.storage.require-https": _account("enable_https_traffic_only"),
    "azure.storage.require-tls12": _account("minimum_tls_version"),
    "azure.webapp.require-https": _site,
    "azure.webapp.require-tls12": _site_configuration,
}
