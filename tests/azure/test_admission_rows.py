"""Admissions by hand in a table and a vault: every condition, and many callers at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import ResourceExistsError, ServiceResponseError
from azure.core.pipeline.transport import RequestsTransport
from azure.data.tables import TableServiceClient
from azure.keyvault.secrets import SecretClient

from remediator.azure.admission_desk import AdmissionDesk
from remediator.azure.admissions import ADMISSIONS_TABLE, PARTITION, SECRET, AdmissionRows, DepositSweep, Vault
from remediator.azure.windows_table import CONTROL, CONTROL_TABLE, row_of
from remediator.core.gate import Opening
from remediator.core.windows import PERIOD, window_at
from remediator.local.azure.apps.interpreters import plain
from remediator.local.azure.cloud import EmbeddedAzure
from remediator.service.errors import Frozen, NotLive, Spent
from remediator.service.records import Mode
from tests.local.azure.conftest import signed_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azure.data.tables import TableClient

pytestmark = pytest.mark.xdist_group("embedded Azure's tables")

NOW = 1_800_000_120.0
WINDOW = window_at(NOW)
LEFT = Opening(b"o" * 32)


@pytest.fixture(scope="module")
def cloud() -> Iterator[EmbeddedAzure]:
    with EmbeddedAzure(python=plain) as cloud:
        admin = cloud.identities.admin.object_id
        account, vault = cloud.estate.add_storage_account("admitting"), cloud.estate.add_vault("admitting")
        cloud.rbac.assign(admin, "Storage Table Data Contributor", account.resource_id)
        cloud.rbac.assign(admin, "Key Vault Secrets Officer", vault.resource_id)
        yield cloud


def table(cloud: EmbeddedAzure, name: str) -> TableClient:
    service = TableServiceClient(
        "https://admitting.table.core.windows.net", credential=signed_in(cloud.identities.admin)
    )
    try:
        return service.create_table(name)
    except ResourceExistsError:
        return service.get_table_client(name)


@pytest.fixture
def rows(cloud: EmbeddedAzure) -> TableClient:
    rows = table(cloud, ADMISSIONS_TABLE)
    for entity in rows.list_entities():
        rows.delete_entity(entity)
    return rows


@pytest.fixture
def control(cloud: EmbeddedAzure) -> TableClient:
    control = table(cloud, CONTROL_TABLE)
    control.upsert_entity({"PartitionKey": CONTROL, "RowKey": CONTROL, "state": "open"})
    return control


@pytest.fixture
def secrets(cloud: EmbeddedAzure) -> SecretClient:
    return SecretClient("https://admitting.vault.azure.net", signed_in(cloud.identities.admin), api_version="7.4")


@pytest.fixture
def vault(secrets: SecretClient) -> Vault:
    vault = Vault(secrets)
    vault.empty()
    return vault


@pytest.fixture
def desk(control: TableClient, rows: TableClient, vault: Vault) -> AdmissionDesk:
    return AdmissionDesk(control, rows, vault, lambda: NOW)


@pytest.fixture
def admissions(rows: TableClient, vault: Vault) -> AdmissionRows:
    return AdmissionRows(rows, vault)


def row(rows: TableClient) -> Any:
    return rows.get_entity(PARTITION, row_of(WINDOW))


def test_what_the_operator_leaves_the_remediator_finds(desk: AdmissionDesk, admissions: AdmissionRows) -> None:
    assert admissions.count(WINDOW) is None
    assert not desk.admitted(WINDOW)
    desk.admit(WINDOW, LEFT)
    assert desk.admitted(WINDOW)
    assert admissions.count(WINDOW) == LEFT
    assert admissions.count(WINDOW + 1) is None


def test_the_opening_is_in_the_vault_alone(desk: AdmissionDesk, rows: TableClient, secrets: SecretClient) -> None:
    desk.admit(WINDOW, LEFT)
    assert LEFT.hex() in str(secrets.get_secret(SECRET).value)
    assert LEFT.hex() not in repr(dict(row(rows)))
    assert repr(LEFT.reveal()) not in repr(dict(row(rows)))


def test_admitting_again_gives_no_attempt_more(
    desk: AdmissionDesk, admissions: AdmissionRows, rows: TableClient
) -> None:
    desk.admit(WINDOW, LEFT)
    admissions.count(WINDOW)
    desk.admit(WINDOW, LEFT)
    assert row(rows)["tries"] == 1
    assert admissions.count(WINDOW) == LEFT


def test_a_crash_between_row_and_opening_admits_nothing_and_is_repaired_by_admitting_again(
    desk: AdmissionDesk, admissions: AdmissionRows, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = vault.put
    monkeypatch.setattr(vault, "put", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        desk.admit(WINDOW, LEFT)
    assert admissions.count(WINDOW) is None
    monkeypatch.setattr(vault, "put", put)
    desk.admit(WINDOW, LEFT)
    assert admissions.count(WINDOW) == LEFT


def test_an_opening_of_another_window_admits_nothing(
    desk: AdmissionDesk, admissions: AdmissionRows, vault: Vault
) -> None:
    desk.admit(WINDOW, LEFT)
    vault.put(WINDOW + 1, LEFT)
    assert admissions.count(WINDOW) is None


@pytest.mark.parametrize("now", [WINDOW.not_before - 1, WINDOW.not_after, WINDOW.not_after + 30])
def test_a_window_that_is_not_live_is_not_admitted(
    control: TableClient, rows: TableClient, vault: Vault, now: float
) -> None:
    with pytest.raises(NotLive):
        AdmissionDesk(control, rows, vault, lambda: now).admit(WINDOW, LEFT)
    assert vault.held() is None
    assert not list(rows.list_entities())


def test_a_frozen_deployment_admits_nothing(desk: AdmissionDesk, control: TableClient, vault: Vault) -> None:
    control.upsert_entity({"PartitionKey": CONTROL, "RowKey": CONTROL, "state": "frozen"})
    with pytest.raises(Frozen):
        desk.admit(WINDOW, LEFT)
    assert vault.held() is None


def test_three_attempts_that_are_not_taken_back_are_all(desk: AdmissionDesk, admissions: AdmissionRows) -> None:
    desk.admit(WINDOW, LEFT)
    assert [admissions.count(WINDOW) for _ in range(4)] == [LEFT, LEFT, LEFT, None]


def test_an_admission_is_closed_only_when_it_is_spent_and_by_one_call(
    desk: AdmissionDesk, admissions: AdmissionRows, vault: Vault
) -> None:
    desk.admit(WINDOW, LEFT)
    for _ in range(3):
        assert not admissions.close_spent(WINDOW)
        admissions.count(WINDOW)
    assert [admissions.close_spent(WINDOW), admissions.close_spent(WINDOW)] == [True, False]
    assert vault.held() is None
    with pytest.raises(Spent):
        desk.admit(WINDOW, LEFT)
    assert vault.held() is None
    assert not admissions.use(WINDOW, Mode.PLAN, "a")
    assert not admissions.close_spent(WINDOW + 5)


def test_admitting_while_it_is_closed_leaves_nothing_behind(
    desk: AdmissionDesk, admissions: AdmissionRows, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.admit(WINDOW, LEFT)
    put = vault.put

    def overtaken(*given: Any) -> None:
        for _ in range(3):
            admissions.count(WINDOW)
        admissions.close_spent(WINDOW)
        put(*given)

    monkeypatch.setattr(vault, "put", overtaken)
    with pytest.raises(Spent):
        desk.admit(WINDOW, LEFT)
    assert vault.held() is None


@pytest.mark.parametrize("mode", [Mode.PLAN, Mode.APPLY])
def test_the_first_request_of_a_mode_is_the_only_one(
    desk: AdmissionDesk, admissions: AdmissionRows, rows: TableClient, mode: Mode
) -> None:
    desk.admit(WINDOW, LEFT)
    used = []
    for request in ("first", "second", "first"):
        admissions.count(WINDOW)
        used.append(admissions.use(WINDOW, mode, request))
    assert used == [True, False, True]
    assert row(rows)["tries"] == 0
    other = Mode.APPLY if mode is Mode.PLAN else Mode.PLAN
    admissions.count(WINDOW)
    assert admissions.use(WINDOW, other, "second")


def test_an_attempt_is_taken_back_once_whatever_reply_is_lost(
    desk: AdmissionDesk, admissions: AdmissionRows, rows: TableClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = RequestsTransport.send
    lost: list[str] = []

    def lose_first_change(self: Any, request: Any, **more: Any) -> Any:
        answer = send(self, request, **more)
        if request.method == "PUT" and not lost:
            lost.append(request.url)
            raise ServiceResponseError("lost")
        return answer

    desk.admit(WINDOW, LEFT)
    admissions.count(WINDOW)
    monkeypatch.setattr(RequestsTransport, "send", lose_first_change)
    with suppress(ServiceResponseError):
        admissions.use(WINDOW, Mode.APPLY, "a")
    assert lost
    assert row(rows)["tries"] == 0


def test_parallel_attempts_get_the_opening_three_times(desk: AdmissionDesk, admissions: AdmissionRows) -> None:
    desk.admit(WINDOW, LEFT)
    with ThreadPoolExecutor(16) as threads:
        got = list(threads.map(lambda _: admissions.count(WINDOW), range(32)))
    assert len([one for one in got if one is not None]) == 3


def test_parallel_closers_ring_once(desk: AdmissionDesk, admissions: AdmissionRows) -> None:
    desk.admit(WINDOW, LEFT)
    for _ in range(3):
        admissions.count(WINDOW)
    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(lambda _: admissions.close_spent(WINDOW), range(16))) == 1


def test_parallel_requests_of_a_mode_have_one_winner(desk: AdmissionDesk, admissions: AdmissionRows) -> None:
    desk.admit(WINDOW, LEFT)
    for _ in range(3):
        admissions.count(WINDOW)
    with ThreadPoolExecutor(3) as threads:
        won = list(threads.map(lambda number: admissions.use(WINDOW, Mode.APPLY, f"apply-{number}"), range(3)))
    assert sum(won) == 1


@pytest.mark.parametrize("later", [1, 2, 500])
def test_the_rotators_next_run_overwrites_what_was_left_for_a_window_that_is_over(
    desk: AdmissionDesk, vault: Vault, later: int
) -> None:
    desk.admit(WINDOW, LEFT)
    DepositSweep(vault).clear(WINDOW.not_after - 1)
    assert vault.held() is not None
    DepositSweep(vault).clear(WINDOW.not_before + later * PERIOD)
    assert vault.held() is None


def test_where_nothing_was_left_the_sweep_only_looks(vault: Vault, secrets: SecretClient) -> None:
    before = secrets.get_secret(SECRET).properties.version
    DepositSweep(vault).clear(NOW + PERIOD)
    assert secrets.get_secret(SECRET).properties.version == before


@pytest.mark.parametrize("text", ["", "{}", "null", '{"window": "x", "opening": "00"}', '{"window": 1}', "secret"])
def test_a_secret_in_another_form_is_no_opening(vault: Vault, secrets: SecretClient, text: str) -> None:
    secrets.set_secret(SECRET, text)
    assert vault.held() is None
