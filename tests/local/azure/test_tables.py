"""Table Storage, as the unmodified tables client meets it: Azurite's behaviour, behind tokens and roles."""

from __future__ import annotations

import time
import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
import requests
from azure.core import MatchConditions
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.data.tables import TableClient, TableServiceClient, TableTransactionError, UpdateMode

from remediator.local.azure.apps.interpreters import plain
from remediator.local.azure.cloud import EmbeddedAzure
from remediator.local.azure.faults import Match
from remediator.local.azure.rbac.definitions import RoleDefinition
from remediator.local.azure.tables.rights import NotUnderstood, needs
from tests.local.azure.conftest import signed_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediator.local.azure.estate import StorageAccount
    from remediator.local.azure.identities import Identity

pytestmark = pytest.mark.xdist_group("embedded Azure's tables")

TABLES = "Microsoft.Storage/storageAccounts/tableServices/tables"
ADD = f"{TABLES}/entities/add/action"


@pytest.fixture(scope="module")
def shared() -> Iterator[EmbeddedAzure]:
    """Share one cloud: Azurite takes its time to start."""
    with EmbeddedAzure(python=plain) as cloud:
        cloud.estate.add_storage_account("remediatorstate")
        yield cloud


@pytest.fixture
def cloud(shared: EmbeddedAzure) -> Iterator[EmbeddedAzure]:
    yield shared
    shared.faults.clear()
    for one in shared.rbac.assignments():
        if "tableServices" in one.scope or "storageAccounts" in one.scope:
            shared.rbac.unassign(one.name)


@pytest.fixture
def account(cloud: EmbeddedAzure) -> StorageAccount:
    account = cloud.estate.storage_account("remediatorstate")
    assert account is not None
    cloud.rbac.assign(cloud.identities.admin.object_id, "Storage Table Data Contributor", account.resource_id)
    return account


@pytest.fixture
def table(cloud: EmbeddedAzure, account: StorageAccount) -> TableClient:
    service = TableServiceClient(account.tables_url, credential=signed_in(cloud.identities.admin))
    return service.create_table(f"t{uuid.uuid4().hex}")


def as_(cloud: EmbeddedAzure, identity: Identity, table: TableClient) -> TableClient:
    account = cloud.estate.storage_account("remediatorstate")
    assert account is not None
    service = TableServiceClient(account.tables_url, credential=signed_in(identity))
    return service.get_table_client(table.table_name)


def entity(row: str, **values: Any) -> dict[str, Any]:
    return {"PartitionKey": "p", "RowKey": row, **values}


def test_what_is_inserted_is_read_back(table: TableClient) -> None:
    table.create_entity(entity("1", text="é", number=7, data=b"\x00\xff", truth=True))
    read = table.get_entity("p", "1")
    assert (read["text"], read["number"], read["data"], read["truth"]) == ("é", 7, b"\x00\xff", True)
    assert [one["RowKey"] for one in table.query_entities("PartitionKey eq 'p'")] == ["1"]
    with pytest.raises(ResourceNotFoundError):
        table.get_entity("p", "2")


def test_a_second_insert_of_a_key_is_refused(table: TableClient) -> None:
    table.create_entity(entity("1", value="first"))
    with pytest.raises(ResourceExistsError):
        table.create_entity(entity("1", value="second"))
    assert table.get_entity("p", "1")["value"] == "first"


def test_a_stale_etag_is_refused(table: TableClient) -> None:
    table.create_entity(entity("1", value=1))
    seen = table.get_entity("p", "1")
    table.update_entity(entity("1", value=2), mode=UpdateMode.REPLACE)
    with pytest.raises(ResourceModifiedError):
        table.update_entity(
            entity("1", value=3), etag=seen.metadata["etag"], match_condition=MatchConditions.IfNotModified
        )
    assert table.get_entity("p", "1")["value"] == 2


def test_a_batch_is_done_wholly_or_not_at_all(table: TableClient) -> None:
    table.create_entity(entity("2"))
    with pytest.raises(TableTransactionError) as refused:
        table.submit_transaction([("create", entity("1")), ("create", entity("2")), ("create", entity("3"))])
    assert "EntityAlreadyExists" in str(refused.value)
    assert [one["RowKey"] for one in table.list_entities()] == ["2"]
    table.submit_transaction([("create", entity("1")), ("update", entity("2", value=5)), ("delete", entity("2"))][:2])
    assert {one["RowKey"]: one.get("value") for one in table.list_entities()} == {"1": None, "2": 5}


def test_a_batch_with_a_stale_etag_changes_nothing(table: TableClient) -> None:
    table.create_entity(entity("1", value=1))
    stale = table.get_entity("p", "1").metadata["etag"]
    table.update_entity(entity("1", value=2))
    fenced = {"etag": stale, "match_condition": MatchConditions.IfNotModified, "mode": UpdateMode.MERGE}
    with pytest.raises(TableTransactionError):
        table.submit_transaction([("create", entity("2")), ("update", entity("1", value=3), fenced)])
    assert {one["RowKey"]: one.get("value") for one in table.list_entities()} == {"1": 2}


def test_entities_are_stamped_by_the_clouds_clock(cloud: EmbeddedAzure, table: TableClient) -> None:
    cloud.clock.shift(3 * 86_400)
    try:
        table.create_entity(entity("1"))
        stamp = table.get_entity("p", "1").metadata["timestamp"]
        assert isinstance(stamp, datetime)
        assert stamp.timestamp() == pytest.approx(time.time(), abs=10)
    finally:
        cloud.clock.shift(-3 * 86_400)


def test_a_reader_reads_and_does_nothing_else(
    cloud: EmbeddedAzure, account: StorageAccount, table: TableClient
) -> None:
    vendor = cloud.identities.vendor
    cloud.rbac.assign(vendor.object_id, "Storage Table Data Reader", account.resource_id)
    table.create_entity(entity("1"))
    theirs = as_(cloud, vendor, table)
    assert theirs.get_entity("p", "1")["RowKey"] == "1"
    for refused_call in (
        lambda: theirs.create_entity(entity("2")),
        lambda: theirs.update_entity(entity("1")),
        lambda: theirs.upsert_entity(entity("1")),
        lambda: theirs.delete_entity("p", "1"),
        lambda: theirs.submit_transaction([("create", entity("2"))]),
        theirs.delete_table,
    ):
        with pytest.raises(HttpResponseError) as refused:
            refused_call()
        assert refused.value.status_code == 403
        assert "AuthorizationPermissionMismatch" in str(refused.value)


def test_a_role_on_one_table_is_no_role_on_another(
    cloud: EmbeddedAzure, account: StorageAccount, table: TableClient
) -> None:
    operator = cloud.identities.operator
    scope = f"{account.resource_id}/tableServices/default/tables/{table.table_name}"
    cloud.rbac.assign(operator.object_id, "Storage Table Data Contributor", scope)
    theirs = as_(cloud, operator, table)
    theirs.create_entity(entity("1"))
    service = TableServiceClient(account.tables_url, credential=signed_in(cloud.identities.admin))
    other = as_(cloud, operator, service.create_table(f"t{uuid.uuid4().hex}"))
    with pytest.raises(HttpResponseError, match="AuthorizationPermissionMismatch"):
        list(other.list_entities())


def test_whoever_may_only_add_can_neither_change_nor_put_over(
    cloud: EmbeddedAzure, account: StorageAccount, table: TableClient
) -> None:
    adder = cloud.rbac.define(
        RoleDefinition(str(uuid.uuid4()), "Adder", data_actions=(ADD, f"{TABLES}/entities/read"), custom=True)
    )
    operator = cloud.identities.operator
    cloud.rbac.assign(operator.object_id, adder.guid, account.resource_id)
    theirs = as_(cloud, operator, table)
    theirs.create_entity(entity("1"))
    theirs.submit_transaction([("create", entity("2"))])
    for refused_call in (
        lambda: theirs.upsert_entity(entity("1")),
        lambda: theirs.update_entity(entity("1")),
        lambda: theirs.submit_transaction([("create", entity("3")), ("upsert", entity("1"))]),
        lambda: theirs.submit_transaction([("create", entity("3")), ("delete", entity("1"))]),
    ):
        with pytest.raises(HttpResponseError, match="AuthorizationPermissionMismatch"):
            refused_call()
    assert [one["RowKey"] for one in table.list_entities()] == ["1", "2"]


def test_keys_are_refused(account: StorageAccount, table: TableClient) -> None:
    by_key = TableClient(account.tables_url, table.table_name, credential=AzureNamedKeyCredential(account.name, "a2V5"))
    with pytest.raises(HttpResponseError, match="KeyBasedAuthenticationNotPermitted"):
        by_key.get_entity("p", "1")


def test_a_token_for_another_service_is_refused(
    cloud: EmbeddedAzure, account: StorageAccount, table: TableClient
) -> None:
    token = signed_in(cloud.identities.admin).get_token("https://vault.azure.net/.default").token
    url = f"{account.tables_url}/{table.table_name}()"
    answer = requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=10)
    assert (answer.status_code, answer.headers["x-ms-error-code"]) == (401, "InvalidAuthenticationInfo")
    assert "authorization_uri=https://login.microsoftonline.com/" in answer.headers["WWW-Authenticate"]
    bare = requests.get(url, timeout=10)
    assert (bare.status_code, bare.headers["x-ms-error-code"]) == (401, "NoAuthenticationInformation")


def test_an_identity_without_any_role_is_refused(cloud: EmbeddedAzure, table: TableClient) -> None:
    with pytest.raises((ClientAuthenticationError, HttpResponseError), match="AuthorizationPermissionMismatch"):
        as_(cloud, cloud.identities.operator, table).get_entity("p", "1")


def test_a_busy_service_is_tried_again(cloud: EmbeddedAzure, table: TableClient) -> None:
    cloud.faults.throttle(Match(service="tables", operation=ADD), seconds=0)
    table.create_entity(entity("1"))
    statuses = [call.status for call in cloud.calls.of("tables") if call.operation == ADD][-2:]
    assert statuses == [503, 201]


def test_a_batch_is_in_the_log_with_all_that_it_needed(cloud: EmbeddedAzure, table: TableClient) -> None:
    table.create_entity(entity("1"))
    mark = cloud.calls.mark()
    table.submit_transaction([("create", entity("2")), ("update", entity("1", value=1)), ("upsert", entity("3"))])
    (call,) = cloud.calls.of("tables", since=mark)
    assert [action.rpartition("/entities/")[2] for action, _ in call.checked] == [
        "add/action",
        "update/action",
        "write",
    ]
    assert call.resource.endswith(f"/tableServices/default/tables/{table.table_name}")


def operation(number: int, verb: str = "POST") -> bytes:
    head = (
        b"--changeset\r\nContent-Type: application/http\r\n\r\n%s https://a.table.core.windows.net/things HTTP/1.1\r\n"
    )
    return head % verb.encode() + b'\r\n{"RowKey": "%d"}\r\n' % number


def test_a_batch_of_more_than_a_hundred_or_of_none_is_refused() -> None:
    assert len(needs("POST", "/$batch", {}, b"".join(map(operation, range(100))))) == 100
    for count in (0, 101):
        with pytest.raises(NotUnderstood):
            needs("POST", "/$batch", {}, b"".join(map(operation, range(count))))


def test_what_is_no_operation_on_tables_is_not_understood() -> None:
    for method, path in (("POST", "/things(PartitionKey='a',RowKey='b')"), ("PATCH", "/Tables"), ("GET", "/a/b")):
        with pytest.raises(NotUnderstood):
            needs(method, path, {}, b"")
