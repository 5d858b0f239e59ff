"""Let Microsoft's own validator judge what the secrets client and the vaults' data plane say to each other."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from azure.core.exceptions import HttpResponseError
from azure.keyvault.secrets import SecretClient

from remediator.core.seeds import vault_name_of
from remediator.core.windows import window_at
from remediator.local.azure.apps.interpreters import plain
from remediator.local.azure.cloud import EmbeddedAzure
from tests.judged import OAV, note
from tests.laws.azure.validator import SECRETS, Judge, judging, specifications
from tests.local.azure.conftest import signed_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from remediator.local.azure.exchange import Answer, Request

pytestmark = pytest.mark.xdist_group("azure-specs")

VERSION = "7.3"
CURRENT = "0" * 32
DAY_SECONDS = 86_400
JSON_TYPE = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with judging(specifications(), SECRETS) as judge:
        yield judge


def live(request: Request, answer: Answer) -> dict[str, Any]:
    """Return an exchange as the validator takes it: with a version where the client leaves it out, for the current."""
    url = urlsplit(request.target)
    path = f"{url.path}{CURRENT}" if url.path.endswith("/") else url.path
    where = f"https://{request.host}{path}?{url.query}"
    sent = json.loads(request.body) if request.body else None
    body = json.loads(answer.body) if answer.body else None
    return {
        "liveRequest": {"method": request.method, "url": where, "headers": JSON_TYPE, "body": sent},
        "liveResponse": {"statusCode": str(int(answer.status)), "headers": JSON_TYPE, "body": body},
    }


def use(cloud: EmbeddedAzure) -> None:
    """Do all that a client can, and be refused what it can be."""
    vault = cloud.estate.add_vault("judged")
    admin, vendor = cloud.identities.admin, cloud.identities.vendor
    cloud.rbac.assign(admin.object_id, "Key Vault Secrets Officer", vault.resource_id)
    client = SecretClient(vault.url, signed_in(admin), api_version=VERSION)
    made = client.set_secret("seed", "value", content_type="text/plain", tags={"a": "b"})
    for number in range(30):
        client.set_secret("seed", str(number))
    client.get_secret("seed", made.properties.version)
    client.get_secret("seed")
    client.update_secret_properties("seed", made.properties.version, enabled=False, tags={"c": "d"})
    list(client.list_properties_of_secret_versions("seed"))
    list(client.list_properties_of_secrets())
    refusals: list[Callable[[], object]] = [
        lambda: client.get_secret("seed", made.properties.version),
        lambda: client.get_secret("gone"),
        lambda: client.set_secret("seed", "x" * 30_000),
        lambda: SecretClient(vault.url, signed_in(vendor), api_version=VERSION).get_secret("seed"),
    ]
    client.begin_delete_secret("seed").wait()
    refusals.append(lambda: client.set_secret("seed", "again"))
    for refused in refusals[1:]:
        with pytest.raises(HttpResponseError):
            refused()
    list(client.list_deleted_secrets())
    client.begin_recover_deleted_secret("seed").wait()
    with pytest.raises(HttpResponseError):
        refusals[0]()
    client.begin_delete_secret("seed").wait()
    client.purge_deleted_secret("seed")


def test_no_exchange_differs_from_key_vaults_own_description(
    judge: Judge, record_property: Callable[[str, object], None]
) -> None:
    with EmbeddedAzure(python=plain) as cloud:
        exchanges: list[dict[str, Any]] = []
        cloud.reception.on_exchange.append(
            lambda request, answer: exchanges.append(live(request, answer)) if "vault" in request.host else None
        )
        use(cloud)
    operations = {judge.verdict(one)["request"]["operation"] for one in exchanges}
    differences = [(one, found) for one in exchanges if (found := differing(judge, one))]
    what = "exchanges with Key Vault's data plane, by its client"
    note(record_property, OAV, what=what, exchanges=len(exchanges), differences=len(differences))
    assert differences == []
    assert operations >= {"SetSecret", "GetSecret", "UpdateSecret", "GetSecrets", "DeleteSecret"}
    assert operations >= {"GetDeletedSecret", "GetDeletedSecrets", "RecoverDeletedSecret", "PurgeDeletedSecret"}


def test_no_exchange_of_a_deployment_and_its_rotations_differs_either(
    judge: Judge, record_property: Callable[[str, object], None]
) -> None:
    """Installing, staging, reading and, after an epoch, cleaning up; the description is of the version before."""
    with EmbeddedAzure(python=plain) as cloud:
        exchanges: list[dict[str, Any]] = []
        cloud.reception.on_exchange.append(
            lambda request, answer: exchanges.append(live(request, answer)) if "vault" in request.host else None
        )
        cloud.deploy()
        cloud.rotate()
        vault = SecretClient(cloud.outputs["SeedVault"], signed_in(cloud.identities.vendor), api_version="7.4")
        vault.get_secret(vault_name_of(window_at(time.time())))
        later = (int(time.time()) // DAY_SECONDS + 5) * DAY_SECONDS
        cloud.clock.shift(later + 1 - time.time())
        cloud.rotate()
    described = [as_described(one) for one in exchanges]
    operations = {judge.verdict(one)["request"]["operation"] for one in described}
    differences = [(one, found) for one in described if (found := differing(judge, one))]
    what = "exchanges with Key Vault's data plane, by a deployment"
    note(record_property, OAV, what=what, exchanges=len(exchanges), differences=len(differences))
    assert differences == []
    assert operations >= {"SetSecret", "GetSecret", "DeleteSecret"}


def as_described(exchange: dict[str, Any]) -> dict[str, Any]:
    """Return an exchange of the version that we speak as one of the version that is described."""
    request = exchange["liveRequest"]
    url = request["url"].replace("api-version=7.4", f"api-version={VERSION}")
    return {**exchange, "liveRequest": {**request, "url": url}}


def differing(judge: Judge, exchange: dict[str, Any]) -> list[str]:
    """Return what is wrong with an exchange, but for what isn't the exchange's fault.

    The client sends its first request without a body, to be challenged. And by the description's paths, a list of
    versions could as well be the version called `versions`; what it answers is judged on the list of secrets, too.
    """
    request = exchange["liveRequest"]
    if exchange["liveResponse"]["statusCode"] == "401" and request["body"] is None:
        exchange = {**exchange, "liveRequest": request | {"body": {"value": ""}}}
    found = judge.differences(exchange)
    if urlsplit(request["url"]).path.endswith("/versions"):
        found = [one for one in found if "MULTIPLE_OPERATIONS_FOUND" not in one]
    return found


@pytest.mark.parametrize("body", [{"value": 1}, {}, {"value": "v", "tags": {"a": 1}}])
def test_the_judge_can_be_failed(judge: Judge, body: dict[str, Any]) -> None:
    request = {
        "method": "PUT",
        "url": f"https://judged.vault.azure.net/secrets/seed?api-version={VERSION}",
        "headers": JSON_TYPE,
        "body": body,
    }
    answer = {"statusCode": "200", "headers": JSON_TYPE, "body": {"id": "x"}}
    assert judge.differences({"liveRequest": request, "liveResponse": answer})
