"""Admissions by hand on the windows' items: every condition, and many callers at once."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from remediator.aws.admission_desk import AdmissionDesk
from remediator.aws.admissions import SWEPT, AdmissionItems, DepositSweep
from remediator.aws.staging import StagingTable
from remediator.core.gate import Opening, verifier_of
from remediator.core.seeds import new_seed
from remediator.core.windows import PERIOD, Window, staged_at, window_at
from remediator.service.errors import Frozen, NotLive, Spent
from remediator.service.records import Mode
from tests.aws.conftest import DEPLOYMENT

if TYPE_CHECKING:
    from tests.aws.conftest import Account

NOW = 1_800_000_120.0
WINDOW = window_at(NOW)
LEFT = Opening(b"o" * 32)
TABLE = "remediator-state"


@pytest.fixture
def client(account: Account) -> Any:
    """A table in which the current window and those ahead are staged, and the deployment is open."""
    client = account.client("dynamodb")
    table = StagingTable(client, TABLE)
    table.open_first()
    table.take_lease("run-1", NOW)
    table.stage([verifier_of(DEPLOYMENT, window, new_seed(os.urandom)) for window in staged_at(NOW)], "run-1")
    return client


@pytest.fixture
def desk(client: Any) -> AdmissionDesk:
    return AdmissionDesk(client, TABLE, lambda: NOW)


@pytest.fixture
def items(client: Any) -> AdmissionItems:
    return AdmissionItems(client, TABLE)


def item(client: Any, window: Window = WINDOW) -> dict[str, Any]:
    found: dict[str, Any] = client.get_item(TableName=TABLE, Key={"pk": {"S": f"window/{window}"}})["Item"]
    return found


def test_what_the_operator_leaves_the_remediator_finds(desk: AdmissionDesk, items: AdmissionItems) -> None:
    assert items.count(WINDOW) is None
    assert not desk.admitted(WINDOW)
    desk.admit(WINDOW, LEFT)
    assert desk.admitted(WINDOW)
    assert items.count(WINDOW) == LEFT
    assert items.count(WINDOW + 1) is None


def test_admitting_again_changes_nothing(desk: AdmissionDesk, items: AdmissionItems, client: Any) -> None:
    desk.admit(WINDOW, LEFT)
    items.count(WINDOW)
    before = item(client)
    desk.admit(WINDOW, Opening(b"x" * 32))
    assert item(client) == before


def test_the_verifier_stays_as_it_was(desk: AdmissionDesk, items: AdmissionItems, client: Any) -> None:
    before = item(client)
    desk.admit(WINDOW, LEFT)
    items.count(WINDOW)
    items.use(WINDOW, Mode.PLAN, "a")
    assert before.items() <= item(client).items()


@pytest.mark.parametrize("now", [WINDOW.not_before - 1, WINDOW.not_after, WINDOW.not_after + 30])
def test_a_window_that_is_not_live_is_not_admitted(client: Any, now: float) -> None:
    with pytest.raises(NotLive):
        AdmissionDesk(client, TABLE, lambda: now).admit(WINDOW, LEFT)
    assert "opening" not in item(client)


def test_a_window_that_is_not_staged_is_not_admitted_nor_made(client: Any) -> None:
    later = window_at(NOW) + 9
    with pytest.raises(NotLive):
        AdmissionDesk(client, TABLE, lambda: later.not_before).admit(later, LEFT)
    assert "Item" not in client.get_item(TableName=TABLE, Key={"pk": {"S": f"window/{later}"}})


def test_a_frozen_deployment_admits_nothing(desk: AdmissionDesk, client: Any) -> None:
    client.put_item(TableName=TABLE, Item={"pk": {"S": "control"}, "state": {"S": "frozen"}})
    with pytest.raises(Frozen):
        desk.admit(WINDOW, LEFT)
    assert "opening" not in item(client)


def test_three_attempts_that_are_not_taken_back_are_all(desk: AdmissionDesk, items: AdmissionItems) -> None:
    desk.admit(WINDOW, LEFT)
    assert [items.count(WINDOW) for _ in range(4)] == [LEFT, LEFT, LEFT, None]


def test_an_admission_is_closed_only_when_it_is_spent_and_by_one_call(
    desk: AdmissionDesk, items: AdmissionItems, client: Any
) -> None:
    desk.admit(WINDOW, LEFT)
    for _ in range(3):
        assert not items.close_spent(WINDOW)
        items.count(WINDOW)
    assert [items.close_spent(WINDOW), items.close_spent(WINDOW)] == [True, False]
    assert "opening" not in item(client)
    with pytest.raises(Spent):
        desk.admit(WINDOW, LEFT)
    assert not items.use(WINDOW, Mode.PLAN, "a")
    assert not items.close_spent(WINDOW + 5)


@pytest.mark.parametrize("mode", [Mode.PLAN, Mode.APPLY])
def test_the_first_request_of_a_mode_is_the_only_one(
    desk: AdmissionDesk, items: AdmissionItems, client: Any, mode: Mode
) -> None:
    desk.admit(WINDOW, LEFT)
    used = []
    for request in ("first", "second", "first"):
        items.count(WINDOW)
        used.append(items.use(WINDOW, mode, request))
    assert used == [True, False, True]
    assert item(client)["tries"] == {"N": "0"}
    other = Mode.APPLY if mode is Mode.PLAN else Mode.PLAN
    items.count(WINDOW)
    assert items.use(WINDOW, other, "second")


def test_parallel_attempts_get_the_opening_three_times(desk: AdmissionDesk, items: AdmissionItems) -> None:
    desk.admit(WINDOW, LEFT)
    with ThreadPoolExecutor(16) as threads:
        got = list(threads.map(lambda _: items.count(WINDOW), range(60)))
    assert len([one for one in got if one is not None]) == 3


def test_parallel_closers_ring_once(desk: AdmissionDesk, items: AdmissionItems) -> None:
    desk.admit(WINDOW, LEFT)
    for _ in range(3):
        items.count(WINDOW)
    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(lambda _: items.close_spent(WINDOW), range(40))) == 1


def test_parallel_requests_of_a_mode_have_one_winner(desk: AdmissionDesk, items: AdmissionItems) -> None:
    desk.admit(WINDOW, LEFT)
    for _ in range(3):
        items.count(WINDOW)
    with ThreadPoolExecutor(3) as threads:
        won = list(threads.map(lambda number: items.use(WINDOW, Mode.APPLY, f"apply-{number}"), range(3)))
    assert sum(won) == 1


@pytest.mark.parametrize("later", range(1, SWEPT + 1))
def test_the_rotators_next_run_deletes_what_was_left_for_a_window_that_is_over(
    desk: AdmissionDesk, client: Any, later: int
) -> None:
    desk.admit(WINDOW, LEFT)
    sweep = DepositSweep(client, TABLE)
    sweep.clear(WINDOW.not_after - 1)
    assert "opening" in item(client)
    sweep.clear(WINDOW.not_before + later * PERIOD)
    assert "opening" not in item(client)
    assert {"P", "c", "tries"} <= item(client).keys()


def test_where_nothing_was_left_the_sweep_only_looks(client: Any) -> None:
    before = client.scan(TableName=TABLE)["Items"]
    calls: list[str] = []
    client.meta.events.register("before-call.dynamodb", lambda model, **_: calls.append(model.name))
    DepositSweep(client, TABLE).clear(NOW + PERIOD)
    assert calls == ["BatchGetItem"]
    assert client.scan(TableName=TABLE)["Items"] == before
