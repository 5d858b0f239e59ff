"""Let Microsoft's own validator judge what the secrets client and the vaults' data plane say to each other."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from azure.core.exceptions import HttpResponseError
from azure.keyvault.secrets import SecretClient

from remediator.local.azure.apps.interpreters import plain
from remediator.local.azure.cloud import EmbeddedAzure
from tests.laws.azure.validator import NODE, ROOT, Judge, specifications
from tests.local.azure.conftest import signed_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from remediator.local.azure.exchange import Answer, Request

pytestmark = pytest.mark.xdist_group("azure-specs")

SCRIPT = Path(__file__).with_name("judge.mjs")
SECRETS = "specification/keyvault/data-plane/Microsoft.KeyVault/stable/7.3/secrets.json"
VERSION = "7.3"
CURRENT = "0" * 32
JSON_TYPE = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    command = [str(NODE), str(SCRIPT), str(ROOT), str(specifications()), SECRETS]
    with subprocess.Popen(  # noqa: S603 - our own Node, our own script
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        judge = Judge(process)
        assert judge.heard() == {"ready": True}
        yield judge
        assert process.stdin is not None
        process.stdin.close()


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
    record_property("exchanges", len(exchanges))
    assert differences == []
    assert operations >= {"SetSecret", "GetSecret", "UpdateSecret", "GetSecrets", "DeleteSecret"}
    assert operations >= {"GetDeletedSecret", "GetDeletedSecrets", "RecoverDeletedSecret", "PurgeDeletedSecret"}


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
