"""The embedded Azure deploys nothing that Azure's own schemas for templates don't let one say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from remediator.local.azure.apps.interpreters import plain
from remediator.local.azure.cloud import EmbeddedAzure
from remediator.local.azure.places import subscription_id
from tests.local.azure.conftest import signed_in

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.xdist_group("embedded Azure's templates")

GROUP = f"{subscription_id()}/resourceGroups/templates"
VAULT: dict[str, Any] = {
    "type": "Microsoft.KeyVault/vaults",
    "apiVersion": "2023-07-01",
    "name": "described",
    "location": "westeurope",
    "properties": {
        "tenantId": "[tenant().tenantId]",
        "sku": {"family": "A", "name": "standard"},
        "enableRbacAuthorization": True,
    },
}


@pytest.fixture(scope="module")
def cloud() -> Iterator[EmbeddedAzure]:
    with EmbeddedAzure(python=plain) as cloud:
        status, _ = put(cloud, GROUP, {"location": "westeurope"})
        assert status == 201
        yield cloud


def put(cloud: EmbeddedAzure, path: str, body: dict[str, Any]) -> tuple[int, str]:
    token = signed_in(cloud.identities.admin).get_token("https://management.azure.com/.default").token
    url = f"https://management.azure.com{path}?api-version=2021-04-01"
    answer = requests.put(url, json=body, headers={"Authorization": f"Bearer {token}"}, timeout=30)
    return answer.status_code, answer.json().get("error", {}).get("code", "")


def deploy(cloud: EmbeddedAzure, resource: dict[str, Any]) -> tuple[int, str]:
    template = {"$schema": "x", "contentVersion": "1.0.0.0", "resources": [resource]}
    document = {"properties": {"mode": "Incremental", "template": template}}
    return put(cloud, f"{GROUP}/providers/Microsoft.Resources/deployments/d", document)


def test_what_azure_knows_is_deployed(cloud: EmbeddedAzure) -> None:
    assert deploy(cloud, VAULT) == (201, "")
    assert cloud.estate.vault("described") is not None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"apiVersion": "2023-02-30"}, "NoRegisteredProviderFound"),
        ({"type": "Microsoft.KeyVault/vault"}, "InvalidTemplate"),
        ({"propertys": {}}, "InvalidRequestContent"),
        ({"location": 7}, "InvalidRequestContent"),
        ({"properties": VAULT["properties"] | {"enableRbacAuthorisation": True}}, "InvalidRequestContent"),
        ({"properties": VAULT["properties"] | {"softDeleteRetentionInDays": "90"}}, "InvalidRequestContent"),
        ({"properties": VAULT["properties"] | {"sku": {"family": "B", "name": "standard"}}}, "InvalidRequestContent"),
        ({"properties": {"enableRbacAuthorization": True}}, "InvalidRequestContent"),
    ],
)
def test_what_azure_does_not_know_is_refused_and_nothing_made(
    cloud: EmbeddedAzure, change: dict[str, Any], code: str
) -> None:
    assert deploy(cloud, {**VAULT, "name": "undescribed", **change}) == (400, code)
    assert cloud.estate.vault("undescribed") is None
