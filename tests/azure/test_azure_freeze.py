"""Freeze on Azure: with the operator's own rights, and against a rotation at each of its requests."""

from __future__ import annotations

import json
import threading
import time
import uuid
from typing import TYPE_CHECKING

import jwt
import pytest
from azure.core.exceptions import HttpResponseError
from azure.data.tables import TableServiceClient

from remediator.azure.windows_table import CONTROL_TABLE, LEASE, WINDOWS_TABLE
from remediator.core.windows import PERIOD
from remediator.local.azure.deployment import GROUP
from remediator.local.azure.places import SUBSCRIPTION
from remediator.operator.azure import office as office_module
from remediator.operator.azure.control import ControlEntity
from remediator.operator.azure.freeze import LONGEST_RUN, SealedKeys
from remediator.operator.azure.office import AzureOffice, named_in
from remediator.service.control import Order
from remediator.service.errors import FrozenAgain, NotDone
from remediator.service.freeze import Freezer, Part
from tests.azure.azure_house import asking
from tests.docs.pages import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from remediator.service.freeze import Step
    from tests.azure.azure_house import House

pytestmark = pytest.mark.xdist_group("embedded Azure's freeze")

REQUESTS = 19
"""What a run of the rotator that stages a window sends."""


def order(why: str = "a leaked key") -> Order:
    return Order(uuid.uuid4().hex, "ada@example.com", int(time.time()), why)


def desk(house: House, waits: Callable[[], Iterable[None]] = tuple) -> Freezer:
    """Return the operator's freezer, with the rights that the template gives it and no others."""
    operator = house.signed_in(house.cloud.identities.operator)
    tables = TableServiceClient(house.cloud.outputs["TablesEndpoint"], credential=operator)
    return Freezer(
        ControlEntity(tables.get_table_client(CONTROL_TABLE)),
        None,
        SealedKeys(tables.get_table_client(WINDOWS_TABLE), waits, time.time),
        lambda _: None,
    )


def sealed(house: House) -> list[str]:
    """Return the rows of the windows in which a key is sealed."""
    return [row for row, entity in house.entities(WINDOWS_TABLE).items() if entity.get("sealed")]


def require_frozen(house: House) -> None:
    assert sealed(house) == []
    assert house.entities(CONTROL_TABLE)["control"]["state"] == "frozen"
    assert house.post(asking(house.target()), key=str(uuid.uuid4())).problem == "frozen"


def test_freezing_refuses_requests_and_takes_every_sealed_key_away(house: House) -> None:
    house.rotate()
    assert len(sealed(house)) == 4
    steps = desk(house).freeze(order())
    assert [(step.part, step.done) for step in steps] == [(Part.REQUESTS, True), (Part.GATE, True)]
    assert "live on" in steps[-1].note
    require_frozen(house)
    control = house.entities(CONTROL_TABLE)["control"]
    assert (control["by"], control["why"]) == ("ada@example.com", "a leaked key")


def test_what_the_freeze_left_of_a_window_verifies_as_before_and_unseals_nothing(house: House) -> None:
    house.rotate()
    before = {row: (one["P"], one["c"]) for row, one in house.entities(WINDOWS_TABLE).items() if row != LEASE}
    desk(house).freeze(order())
    after = {row: (one["P"], one["c"]) for row, one in house.entities(WINDOWS_TABLE).items() if row != LEASE}
    assert after == before
    house.table(CONTROL_TABLE).update_entity({"PartitionKey": "control", "RowKey": "control", "state": "open"})
    assert house.post(asking(house.target())).problem == "gate_unavailable", "no key, whatever the state says"


def test_ticks_while_frozen_seal_nothing_and_the_way_back_seals_today_s_credential(house: House) -> None:
    house.rotate()
    (today,) = {one["credential"] for row, one in house.entities(WINDOWS_TABLE).items() if row != LEASE}
    desk(house).freeze(order())
    for _ in range(2):
        house.rotate()
        require_frozen(house)
        house.pass_time(PERIOD)
    steps = desk(house).unfreeze(order("it was a drill"))
    assert [step.done for step in steps] == [True, True]
    assert "next tick" in steps[-1].note
    house.rotate()
    windows = {row: one for row, one in house.entities(WINDOWS_TABLE).items() if row in sealed(house)}
    assert {one["credential"] for one in windows.values()} == {today}
    assert len(windows) == 4
    target = house.target()
    assert house.post(asking(target)).outcomes == ["fixed"]
    assert house.encrypted(target)


def test_windows_staged_before_missed_ticks_lose_their_keys_too(house: House) -> None:
    house.rotate()
    house.pass_time(4 * PERIOD)
    desk(house).freeze(order())
    assert sealed(house) == []


def test_a_run_that_writes_sends_as_many_requests_as_are_interrupted_below(house: House) -> None:
    house.rotate()
    house.pass_time(PERIOD)
    with house.wire.counting() as taken:
        house.rotate()
    assert len(taken) == REQUESTS


@pytest.mark.parametrize("number", range(1, REQUESTS + 1))
def test_a_rotation_in_flight_leaves_no_key_behind(house: House, number: int) -> None:
    """At each of the run's requests a freeze begins; it goes on when the run is over, as its wait is longer."""
    house.rotate()
    house.pass_time(PERIOD)
    swept, over = threading.Event(), threading.Event()

    def waits() -> Iterable[None]:
        swept.set()
        assert over.wait(30)
        return ()

    steps: list[Step] = []
    freezing = threading.Thread(target=lambda: steps.extend(desk(house, waits).freeze(order())), daemon=True)

    def freeze() -> None:
        freezing.start()
        assert swept.wait(30)

    with house.wire.counting(meanwhile_at=number, meanwhile=freeze) as taken:
        house.rotate()
    assert len(taken) >= number, "the freeze came during the run"
    over.set()
    freezing.join(30)
    assert [step.done for step in steps] == [True, True]
    require_frozen(house)
    house.pass_time(PERIOD)
    house.rotate()
    require_frozen(house)


def test_a_freeze_during_an_unfreeze_wins_by_the_entity_s_etag(house: House) -> None:
    house.rotate()
    freezer = desk(house)
    freezer.freeze(order())
    met = freezer.switch.read()
    freezer.freeze(order("and again"))
    with pytest.raises(FrozenAgain):
        freezer.switch.open(order(), met)
    require_frozen(house)
    assert [step.done for step in freezer.unfreeze(order())] == [True, True]
    assert [step.done for step in freezer.unfreeze(order())] == [True, True], "twice is once"


def test_before_the_first_tick_a_freeze_is_the_first_to_write_the_state(house: House) -> None:
    desk(house).freeze(order())
    house.rotate()
    assert house.entities(CONTROL_TABLE)["control"]["state"] == "frozen"
    assert sealed(house) == []


def test_the_operator_reads_no_window_adds_none_and_deletes_none(house: House) -> None:
    house.rotate()
    operator = house.signed_in(house.cloud.identities.operator)
    windows = TableServiceClient(house.cloud.outputs["TablesEndpoint"], credential=operator).get_table_client(
        WINDOWS_TABLE
    )
    (row, *_) = sealed(house)
    for forbidden in (
        lambda: list(windows.list_entities()),
        lambda: windows.get_entity("windows", row),
        lambda: windows.delete_entity("windows", row),
        lambda: windows.create_entity({"PartitionKey": "windows", "RowKey": "000000000001"}),
    ):
        with pytest.raises(HttpResponseError, match="AuthorizationPermissionMismatch"):
            forbidden()


def test_an_opening_that_is_sent_again_since_its_reply_was_lost_has_opened(house: House) -> None:
    house.rotate()
    switch, opening = desk(house).switch, order("key replaced")
    switch.freeze(order())
    met = switch.read()
    for _ in range(2):
        switch.open(opening, met)
    assert (switch.read().state, switch.read().order) == ("open", opening)
    with pytest.raises(FrozenAgain):
        switch.open(order("another"), met)


def test_what_table_storage_refuses_is_a_step_that_wasn_t_done(house: House) -> None:
    vendor = house.signed_in(house.cloud.identities.vendor)
    tables = TableServiceClient(house.cloud.outputs["TablesEndpoint"], credential=vendor)
    switch = ControlEntity(tables.get_table_client(CONTROL_TABLE))
    with pytest.raises(NotDone, match="AuthorizationPermissionMismatch"):
        switch.freeze(order())


def test_the_commands_freezer_finds_the_installation_and_its_tables(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.rotate()
    monkeypatch.setattr(office_module, "waits", lambda _: ())
    office = AzureOffice(house.signed_in(house.cloud.identities.operator), SUBSCRIPTION, GROUP)
    told: list[Step] = []
    assert office.freezer(told.append).freeze(order()) == told
    require_frozen(house)
    assert office.who() == house.cloud.identities.operator.object_id
    office.freezer(told.append).unfreeze(order())
    assert [(step.part, step.done) for step in told[2:]] == [(Part.REQUESTS, True), (Part.GATE, True)]
    assert house.entities(CONTROL_TABLE)["control"]["state"] == "open"


def test_a_freeze_waits_longer_than_a_run_of_the_rotator_may_last() -> None:
    host = json.loads((ROOT / "functions" / "azure_rotate" / "host.json").read_text())
    hours, minutes, seconds = map(int, host["functionTimeout"].split(":"))
    assert hours * 3600 + minutes * 60 + seconds < LONGEST_RUN


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"oid": "an-id", "upn": "ann@example.com", "unique_name": "ann"}, "ann@example.com"),
        ({"oid": "an-id", "unique_name": "ann"}, "ann"),
        ({"oid": "an-id"}, "an-id"),
    ],
)
def test_who_froze_it_is_called_by_a_persons_name_where_the_token_has_one(claims: dict[str, str], name: str) -> None:
    assert named_in(jwt.encode(claims, "k" * 32)) == name
