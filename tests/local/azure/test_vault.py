"""Key Vault's data plane, as the unmodified secrets client meets it."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import requests
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.keyvault.secrets import SecretClient

from remediator.local.azure.faults import Match
from tests.local.azure.conftest import signed_in

if TYPE_CHECKING:
    from azure.identity import ClientSecretCredential

    from remediator.local.azure.cloud import EmbeddedAzure
    from remediator.local.azure.estate import Vault

SET = "Microsoft.KeyVault/vaults/secrets/setSecret/action"
GET = "Microsoft.KeyVault/vaults/secrets/getSecret/action"
DAY = 86_400


@pytest.fixture
def vault(cloud: EmbeddedAzure) -> Vault:
    vault = cloud.estate.add_vault("seedvault", retention_days=7)
    cloud.rbac.assign(cloud.identities.admin.object_id, "Key Vault Secrets Officer", vault.resource_id)
    return vault


@pytest.fixture
def client(vault: Vault, admin: ClientSecretCredential) -> SecretClient:
    return SecretClient(vault.url, admin, api_version="7.4")


def error_of(error: HttpResponseError) -> dict[str, Any]:
    assert error.response is not None
    document: dict[str, Any] = json.loads(error.response.text())["error"]
    return document


def test_a_secret_is_what_was_set_with_all_that_was_said_of_it(client: SecretClient) -> None:
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)
    made = client.set_secret(
        "seed-1", "value", content_type="application/json", tags={"a": "b"}, not_before=start, expires_on=end
    )
    read = client.get_secret("seed-1")
    properties = read.properties
    assert (read.value, properties.version, properties.content_type) == (
        "value",
        made.properties.version,
        "application/json",
    )
    assert (properties.tags, properties.not_before, properties.expires_on) == ({"a": "b"}, start, end)
    assert properties.enabled
    assert properties.recovery_level == "CustomizedRecoverable+Purgeable"


def test_an_old_version_stays_readable_by_its_id(client: SecretClient) -> None:
    first = client.set_secret("seed", "one")
    client.set_secret("seed", "two")
    assert client.get_secret("seed").value == "two"
    assert client.get_secret("seed", first.properties.version).value == "one"
    assert client.get_secret("SEED").value == "two"


def test_only_disabling_stops_a_version_from_being_read(client: SecretClient) -> None:
    past = datetime(2020, 1, 1, tzinfo=UTC)
    made = client.set_secret("seed", "value", expires_on=past)
    assert client.get_secret("seed").value == "value"
    client.update_secret_properties("seed", made.properties.version, enabled=False)
    with pytest.raises(HttpResponseError) as refused:
        client.get_secret("seed")
    assert refused.value.status_code == 403
    assert error_of(refused.value)["innererror"]["code"] == "SecretDisabled"


def test_versions_are_listed_page_by_page_and_in_no_order_of_time(client: SecretClient, cloud: EmbeddedAzure) -> None:
    made = [client.set_secret("seed", str(number)).properties.version for number in range(60)]
    mark = cloud.calls.mark()
    listed = [one.version for one in client.list_properties_of_secret_versions("seed")]
    assert set(listed) == set(made)
    assert listed not in (made, made[::-1])
    assert len(cloud.calls.of("vault", since=mark)) == 3


def test_a_version_cannot_be_deleted_by_itself(
    vault: Vault, admin: ClientSecretCredential, client: SecretClient
) -> None:
    made = client.set_secret("seed", "one")
    token = admin.get_token("https://vault.azure.net/.default").token
    url = f"{vault.url}/secrets/seed/{made.properties.version}?api-version=7.4"
    answer = requests.delete(url, headers={"Authorization": f"Bearer {token}"}, timeout=10)
    assert answer.status_code == 404
    assert client.get_secret("seed").value == "one"


def test_a_deleted_secret_keeps_its_name_until_it_is_recovered_or_purged(client: SecretClient) -> None:
    client.set_secret("seed", "one")
    deleted = client.begin_delete_secret("seed").result()
    assert deleted.scheduled_purge_date is not None
    assert deleted.deleted_date is not None
    assert (deleted.scheduled_purge_date - deleted.deleted_date).days == 7
    with pytest.raises(ResourceNotFoundError):
        client.get_secret("seed")
    with pytest.raises(ResourceExistsError) as refused:
        client.set_secret("seed", "two")
    assert error_of(refused.value)["innererror"]["code"] == "ObjectIsDeletedButRecoverable"
    client.begin_recover_deleted_secret("seed").wait()
    assert client.get_secret("seed").value == "one"
    client.begin_delete_secret("seed").wait()
    client.purge_deleted_secret("seed")
    assert list(client.list_deleted_secrets()) == []
    client.set_secret("seed", "two")
    assert [one.name for one in client.list_properties_of_secrets()] == ["seed"]


def test_a_protected_vault_purges_by_itself_alone_when_the_time_has_come(
    cloud: EmbeddedAzure, client: SecretClient, vault: Vault
) -> None:
    cloud.estate.add_vault(vault.name, purge_protection=True, retention_days=7)
    made = client.set_secret("seed", "one")
    assert made.properties.recovery_level == "CustomizedRecoverable"
    client.begin_delete_secret("seed").wait()
    with pytest.raises(HttpResponseError, match="purge protection is enabled"):
        client.purge_deleted_secret("seed")
    cloud.clock.shift(7 * DAY - 60)
    assert [one.name for one in client.list_deleted_secrets()] == ["seed"]
    cloud.clock.shift(61)
    assert list(client.list_deleted_secrets()) == []


def test_a_deletion_shows_only_after_a_while(cloud: EmbeddedAzure, client: SecretClient) -> None:
    cloud.faults.delays.deletions = 30
    client.set_secret("seed", "one")
    client.begin_delete_secret("seed")
    with pytest.raises(ResourceNotFoundError):
        client.get_deleted_secret("seed")
    cloud.clock.shift(31)
    assert client.get_deleted_secret("seed").name == "seed"


@pytest.mark.parametrize(
    ("value", "options"),
    [
        ("x" * 25_601, {}),
        ("v", {"tags": {str(number): "t" for number in range(16)}}),
        ("v", {"tags": {"t": "x" * 257}}),
        ("v", {"content_type": "x" * 256}),
    ],
)
def test_what_is_too_large_is_refused(client: SecretClient, value: str, options: dict[str, Any]) -> None:
    with pytest.raises(HttpResponseError) as refused:
        client.set_secret("seed", value, **options)
    assert (refused.value.status_code, error_of(refused.value)["code"]) == (400, "BadParameter")


def test_the_largest_that_is_allowed_is_kept(client: SecretClient) -> None:
    client.set_secret("seed", "x" * 25_600, tags={str(number): "t" * 256 for number in range(15)})
    assert len(client.get_secret("seed").value or "") == 25_600


@pytest.mark.parametrize(
    ("query", "document"),
    [
        ("", {"value": "v"}),
        ("api-version=2016-10-02", {"value": "v"}),
        ("api-version=7.4", {"value": "v", "colour": "red"}),
        ("api-version=7.4", {"value": 1}),
        ("api-version=7.4", {}),
        ("api-version=7.4", {"value": "v", "attributes": {"created": 1}}),
        ("api-version=7.4", {"value": "v", "attributes": {"exp": "tomorrow"}}),
        ("api-version=7.4", {"value": "v", "attributes": {"enabled": 1}}),
        ("api-version=7.4", {"value": "v", "tags": {"a": 1}}),
        ("api-version=7.4", [1]),
    ],
)
def test_what_the_specification_does_not_know_is_refused(
    vault: Vault, admin: ClientSecretCredential, query: str, document: Any
) -> None:
    token = admin.get_token("https://vault.azure.net/.default").token
    headers = {"Authorization": f"Bearer {token}"}
    answer = requests.put(f"{vault.url}/secrets/seed?{query}", json=document, headers=headers, timeout=10)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadParameter")


def test_a_role_on_one_secret_is_no_role_on_another(cloud: EmbeddedAzure, vault: Vault, client: SecretClient) -> None:
    client.set_secret("mine", "1")
    client.set_secret("theirs", "2")
    vendor = cloud.identities.vendor
    cloud.rbac.assign(vendor.object_id, "Key Vault Secrets User", f"{vault.resource_id}/secrets/mine")
    theirs = SecretClient(vault.url, signed_in(vendor))
    assert theirs.get_secret("mine").value == "1"
    for refused_call in (
        lambda: theirs.get_secret("theirs"),
        lambda: theirs.set_secret("mine", "3"),
        lambda: list(theirs.list_properties_of_secrets()),
    ):
        with pytest.raises(HttpResponseError) as refused:
            refused_call()
        error = error_of(refused.value)
        assert (refused.value.status_code, error["innererror"]["code"]) == (403, "ForbiddenByRbac")
        assert vendor.object_id in error["message"]


def test_owning_the_subscription_is_no_right_to_read_a_secret(
    cloud: EmbeddedAzure, admin: ClientSecretCredential
) -> None:
    vault = cloud.estate.add_vault("another")
    with pytest.raises(HttpResponseError, match="not authorized"):
        SecretClient(vault.url, admin).get_secret("any")


def test_a_role_counts_only_after_a_while_and_its_end_too(
    cloud: EmbeddedAzure, vault: Vault, client: SecretClient
) -> None:
    client.set_secret("seed", "1")
    cloud.faults.delays.roles = 300
    vendor = cloud.identities.vendor
    given = cloud.rbac.assign(vendor.object_id, "Key Vault Secrets User", vault.resource_id)
    theirs = SecretClient(vault.url, signed_in(vendor))
    with pytest.raises(HttpResponseError, match="propagation"):
        theirs.get_secret("seed")
    cloud.clock.shift(301)
    assert theirs.get_secret("seed").value == "1"
    cloud.rbac.unassign(given.name)
    assert theirs.get_secret("seed").value == "1"
    cloud.clock.shift(301)
    with pytest.raises(HttpResponseError, match="not authorized"):
        theirs.get_secret("seed")


def test_a_token_for_another_service_or_one_that_is_over_is_refused(
    cloud: EmbeddedAzure, vault: Vault, admin: ClientSecretCredential
) -> None:
    url = f"{vault.url}/secrets/seed?api-version=7.4"
    wrong = admin.get_token("https://management.azure.com/.default").token
    right = admin.get_token("https://vault.azure.net/.default").token
    answer = requests.get(url, headers={"Authorization": f"Bearer {wrong}"}, timeout=10)
    assert answer.status_code == 401
    assert "AKV10022" in answer.json()["error"]["message"]
    assert 'resource="https://vault.azure.net"' in answer.headers["WWW-Authenticate"]
    cloud.clock.shift(3_700)
    assert requests.get(url, headers={"Authorization": f"Bearer {right}"}, timeout=10).status_code == 401


def test_a_vault_that_does_not_exist_is_not_reached(admin: ClientSecretCredential) -> None:
    with pytest.raises((ServiceRequestError, ServiceResponseError)):
        SecretClient("https://nowhere.vault.azure.net", admin, retry_total=0).get_secret("seed")


def test_too_many_calls_are_told_when_to_come_again_and_do(cloud: EmbeddedAzure, client: SecretClient) -> None:
    cloud.faults.throttle(Match(service="vault", operation=SET), seconds=1)
    before = time.monotonic()
    client.set_secret("seed", "1")
    assert time.monotonic() - before >= 1
    statuses = [call.status for call in cloud.calls.of("vault") if call.operation == SET]
    assert statuses == [429, 200]


def test_the_chosen_call_fails_and_no_other(cloud: EmbeddedAzure, client: SecretClient) -> None:
    client.set_secret("seed", "1")
    cloud.faults.error(Match(service="vault", operation=GET, resource="*/secrets/seed", nth=2), "Conflict", 409)
    assert client.get_secret("seed").value == "1"
    with pytest.raises(ResourceExistsError):
        client.get_secret("seed")
    assert client.get_secret("seed").value == "1"
    assert [call.resource for _, call in cloud.faults.struck] == [
        next(call.resource for call in cloud.calls.of("vault") if call.operation == GET)
    ]


def test_a_lost_reply_is_of_a_call_that_took_effect(cloud: EmbeddedAzure, vault: Vault, client: SecretClient) -> None:
    client.set_secret("seed", "1")
    cloud.faults.lose_reply(Match(service="vault", operation=SET))
    client.set_secret("seed", "2")  # the client tries again
    assert [one.value for one in cloud.services.vaults.secrets(vault).secret("seed").versions.values()] == [
        "1",
        "2",
        "2",
    ]


def test_who_asked_for_what_is_in_the_log(cloud: EmbeddedAzure, vault: Vault, client: SecretClient) -> None:
    mark = cloud.calls.mark()
    client.set_secret("seed", "1")
    with pytest.raises((ClientAuthenticationError, HttpResponseError)):
        SecretClient(vault.url, signed_in(cloud.identities.operator)).get_secret("seed")
    first, *_, last = [call for call in cloud.calls.of("vault", since=mark) if call.principal]
    assert (first.operation, first.resource, first.allowed, first.status) == (
        SET,
        f"{vault.resource_id}/secrets/seed",
        True,
        200,
    )
    assert (last.operation, last.principal, last.allowed, last.status) == (
        GET,
        cloud.identities.operator.object_id,
        False,
        403,
    )
    assert cloud.calls.by(cloud.identities.operator.object_id)
