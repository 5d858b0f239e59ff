"""One key, one outcome, on Azure's stores and through Azure's gate: killed, met and overtaken at every request."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from remediator.azure import remediate_function
from remediator.azure.windows_table import CONTROL, CONTROL_TABLE, RECEIPTS_TABLE
from remediator.core.windows import PERIOD, window_at
from remediator.local.azure.faults import Match
from tests.azure.azure_house import KEY, House, asking
from tests.service.world import Crash

if TYPE_CHECKING:
    from tests.azure.azure_house import Answered

pytestmark = pytest.mark.xdist_group("azure remediations")

APPLY = [
    "tables GET remediatorcontrol", "tables GET remediatorwindows",  # the second lock
    *["tables GET remediatorreceipts"] * 2, "tables PUT remediatorreceipts", "tables POST remediatorreceipts",  # claim
    "tables GET remediatorcontrol", "tables GET remediatorwindows",  # still open; what is sealed
    "entra GET openid-configuration", "entra POST token",  # sign in
    "arm GET storageAccounts", "tables POST $batch",  # look, and store the receipt
    "arm PATCH storageAccounts", "arm GET storageAccounts",  # write, and read back
    "tables POST $batch", "events POST events", "tables POST $batch",  # complete the receipt, announce, end the record
]  # fmt: skip
SIGN_IN = APPLY.index("entra POST token") + 1
WRITE = APPLY.index("arm PATCH storageAccounts") + 1
EVERY = range(1, len(APPLY) + 1)


@pytest.fixture
def ready(house: House) -> House:
    """A deployment that is open, and an instance that has its own tokens."""
    house.rotate()
    house.post(asking(house.target(), mode="plan"), key="an-earlier-request-1")
    return house


def apply(house: House, target: str) -> Answered:
    return house.post(asking(target))


def writes(house: House, mark: int) -> int:
    return sum(call.operation.endswith("/write") for call in house.cloud.calls.of("arm", since=mark))


def later(house: House, seconds: float = PERIOD) -> None:
    """Let time pass, the rotator run, and another instance of the app answer."""
    house.pass_time(seconds)
    house.rotate()
    house.new_instance()


def require_one_outcome(house: House, target: str, *answers: Answered) -> None:
    """All that was answered with an outcome was the same, and it stands."""
    stands = apply(house, target)
    assert (stands.status, stands.outcomes) == (200, ["fixed"])
    assert house.encrypted(target)
    assert [one.body for one in answers if one.status == 200] == [stands.body] * sum(a.status == 200 for a in answers)
    (result,) = stands.body["results"]
    assert (result["before"], result["after"]) == (False, True)


def test_an_apply_of_one_fix_takes_seventeen_requests_in_this_order(ready: House) -> None:
    request = ready.request(asking(ready.target()))
    with ready.wire.counting() as taken:
        assert ready.answer(request).outcomes == ["fixed"]
    assert taken == APPLY


def test_two_more_findings_take_three_more_requests_each(ready: House) -> None:
    request = ready.request(asking(*(ready.target() for _ in range(3))))
    with ready.wire.counting() as taken:
        assert ready.answer(request).outcomes == ["fixed"] * 3
    assert len(taken) == len(APPLY) + 2 * 3
    assert sorted(set(taken)) == sorted(set(APPLY))


@pytest.mark.parametrize("moment", ["crash_before", "crash_after"])
@pytest.mark.parametrize("at", EVERY)
def test_a_crash_at_any_request_ends_in_one_outcome(ready: House, moment: str, at: int) -> None:
    target, mark = ready.target(), ready.cloud.calls.mark()
    request = ready.request(asking(target))
    with pytest.raises(Crash), ready.wire.counting(**{moment: at}):
        ready.answer(request)
    if ready.encrypted(target):
        receipt = ready.entities(RECEIPTS_TABLE, KEY)["finding-0000"]
        assert (receipt["before0"], receipt["after0"]) == ("false", "true")
    later(ready)
    again = apply(ready, target)
    assert again.outcomes == ["fixed"]
    require_one_outcome(ready, target, again)
    assert writes(ready, mark) <= 2


@pytest.mark.parametrize("at", EVERY)
def test_two_that_send_one_key_at_once_get_one_outcome_and_write_once(ready: House, at: int) -> None:
    target, mark, met = ready.target(), ready.cloud.calls.mark(), []

    def meet() -> None:
        ready.new_instance()
        met.append(apply(ready, target))

    request = ready.request(asking(target))
    with ready.wire.counting(meanwhile_at=at, meanwhile=meet):
        first = ready.answer(request)
    assert {first.status, met[0].status} <= {200, 409}
    assert {one.problem for one in (first, met[0]) if one.status == 409} <= {"in_progress"}
    require_one_outcome(ready, target, first, met[0])
    assert writes(ready, mark) == 1


@pytest.mark.parametrize("at", EVERY)
def test_a_stalled_holder_writes_nothing_beside_the_one_that_took_over(ready: House, at: int) -> None:
    """As slow as no run can be, since the platform ends it after 180 seconds: only what was on the wire counts."""
    target, mark, taken_over = ready.target(), ready.cloud.calls.mark(), []

    def overtake() -> None:
        later(ready, 191)
        taken_over.append(apply(ready, target))

    request = ready.request(asking(target))
    with ready.wire.counting(meanwhile_at=at, meanwhile=overtake):
        stalled = ready.answer(request)
    assert taken_over[0].outcomes == ["fixed"]
    assert stalled.problem in ("", "in_progress", "gate_unavailable")
    require_one_outcome(ready, target, stalled, taken_over[0])
    assert writes(ready, mark) == (2 if at == WRITE else 1)


@pytest.mark.parametrize(("seconds", "status"), [(180, 409), (191, 200)])
def test_nobody_takes_over_before_the_function_is_gone(ready: House, seconds: int, status: int) -> None:
    target = ready.target()
    request = ready.request(asking(target))
    with pytest.raises(Crash), ready.wire.counting(crash_before=WRITE):
        ready.answer(request)
    later(ready, seconds)
    assert apply(ready, target).status == status


def test_a_takeover_tramples_nothing_that_somebody_did_meanwhile(ready: House) -> None:
    target = ready.target()
    with pytest.raises(Crash), ready.wire.counting(crash_before=WRITE):
        apply(ready, target)
    ready.cloud.arm.set(target, ready.cloud.arm.resource(target) | {"tags": {"someone": "else"}})
    later(ready)
    assert apply(ready, target).outcomes == ["fixed"]
    assert ready.cloud.arm.resource(target)["tags"] == {"someone": "else"}


def test_nobody_signs_in_before_the_record_is_there(ready: House) -> None:
    seen: dict[str, Any] = {}
    request = ready.request(asking(ready.target()))
    with ready.wire.counting(
        meanwhile_at=SIGN_IN, meanwhile=lambda: seen.update(ready.entities(RECEIPTS_TABLE, KEY))
    ) as taken:
        ready.answer(request)
    assert ([*seen], seen["record"]["state"]) == (["record"], "running")
    assert [step for step in taken[: SIGN_IN - 2] if not step.startswith("tables")] == []


def test_nothing_is_written_before_its_receipt_is_there(ready: House) -> None:
    seen: dict[str, Any] = {}
    request = ready.request(asking(ready.target()))
    with ready.wire.counting(meanwhile_at=WRITE, meanwhile=lambda: seen.update(ready.entities(RECEIPTS_TABLE, KEY))):
        ready.answer(request)
    receipt = seen["finding-0000"]
    assert (receipt["before0"], receipt["after0"], "outcome" in receipt) == ("false", "true", False)


def test_a_sign_in_that_entra_refuses_is_ours_rings_and_goes_on_later(
    ready: House, caplog: pytest.LogCaptureFixture
) -> None:
    target = ready.target()
    ready.cloud.faults.error(
        Match(service="entra", operation="SignIn", principal=ready.remediator), "invalid_client", 401
    )
    with caplog.at_level("INFO", "remediator"):
        refused = apply(ready, target)
    assert (refused.status, refused.problem) == (503, "gate_unavailable")
    assert '{"metric": "GateUnavailable", "value": 1}' in caplog.text
    assert ready.entities(RECEIPTS_TABLE, KEY)["record"]["state"] == "partial"
    assert apply(ready, target).outcomes == ["fixed"]


def test_a_freeze_at_any_request_before_the_sign_in_stops_it(ready: House) -> None:
    frozen = {"PartitionKey": CONTROL, "RowKey": CONTROL, "state": "frozen"}
    for at in (1, 3, 6, 7):
        target, mark = ready.target(), ready.cloud.calls.mark()
        request = ready.request(asking(target), key=f"a-request-at-{at:08}")
        with ready.wire.counting(meanwhile_at=at, meanwhile=lambda: ready.table(CONTROL_TABLE).upsert_entity(frozen)):
            assert ready.answer(request).problem == "frozen"
        assert not ready.encrypted(target)
        assert not ready.cloud.calls.of("arm", since=mark)
        ready.table(CONTROL_TABLE).upsert_entity(frozen | {"state": "open"})


def test_an_attempt_that_never_ended_is_forgotten(ready: House) -> None:
    receipts = remediate_function._endpoint().remediator.receipts
    for number in range(3):
        request = ready.request(asking(ready.target()), key=f"a-request-that-dies-{number}")
        with pytest.raises(Crash), ready.wire.counting(crash_before=SIGN_IN):
            ready.answer(request)
    assert len(receipts._holds) == 3  # type: ignore[attr-defined]
    ready.pass_time(window_at(time.time()).not_after - time.time() + 120)
    ready.rotate()
    apply(ready, ready.target())
    assert len(receipts._holds) == 0  # type: ignore[attr-defined]
