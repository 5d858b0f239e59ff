"""Execution records and receipts, on Table Storage's ETags and transactions, with the remediator's own rights."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.identity import ManagedIdentityCredential

from remediator.azure import remediate_function
from remediator.azure.receipts import DAY, ReceiptTable
from remediator.azure.tables import table as table_at
from remediator.azure.windows_table import RECEIPTS_TABLE
from remediator.catalogue.engine import Change, Outcome
from remediator.core.windows import window_at
from remediator.local.azure.faults import Match
from remediator.service.errors import ClaimLost
from remediator.service.records import Claim, Claimed, Finding, Mode, Reason, Record, Refusal, State
from tests.service.world import Crash

if TYPE_CHECKING:
    from tests.azure.azure_house import House

pytestmark = pytest.mark.xdist_group("azure receipts")

NOW = 1_800_000_120
WINDOW = window_at(NOW)
ID = "11111111-2222-3333-4444-555555555555"
READER = "33333333-3333-4333-8333-333333333333"


def record(**more: Any) -> Record:
    plain = Record(ID, "digest", READER, Mode.APPLY, State.RUNNING, 1, NOW + 120, NOW, 2, NOW + 190)
    return replace(plain, **more)


def claim(now: float = NOW, **more: Any) -> Claim:
    return Claim(record(**more), WINDOW, now)


def finding(index: int = 0, **more: Any) -> Finding:
    return replace(Finding(ID, index, "azure.storage.require-https", {"id": "/a"}, {}, NOW), **more)


def receipts(retention_days: int = 400) -> ReceiptTable:
    """Return what one instance of the app holds."""
    settings = remediate_function._settings()
    identity = ManagedIdentityCredential(client_id=settings.identity)
    return ReceiptTable(table_at(settings.tables, RECEIPTS_TABLE, identity), retention_days=retention_days)


@pytest.fixture
def table(house: House) -> ReceiptTable:
    assert not house.entities(RECEIPTS_TABLE)
    return receipts()


def claimed(table: ReceiptTable, asked: Claim | None = None) -> Claimed:
    answer = table.claim(asked or claim())
    assert isinstance(answer, Claimed)
    return answer


def counted(house: House) -> list[tuple[int, int]]:
    rows = house.table(RECEIPTS_TABLE).list_entities()
    return [(row["requests"], row["findings"]) for row in rows if row["PartitionKey"].startswith("count-")]


def test_a_new_key_is_claimed_and_counted(table: ReceiptTable, house: House) -> None:
    assert claimed(table) == Claimed(record(), resumed=False)
    assert table.record(ID) == record()
    assert counted(house) == [(1, 2)]


def test_an_unknown_remediation_has_no_record_and_no_findings(table: ReceiptTable) -> None:
    assert table.record("another") is None
    assert table.findings("another") == []


def test_a_key_that_runs_is_in_progress_until_its_function_is_gone(table: ReceiptTable) -> None:
    claimed(table)
    assert table.claim(claim(NOW + 189)) is Refusal.IN_PROGRESS
    later = {"deadline": NOW + 300, "free_at": NOW + 380}
    assert table.claim(claim(NOW + 190, **later)) == Claimed(record(attempt=2, **later), resumed=True)
    assert table.record(ID) == record(attempt=2, **later)


def test_a_key_of_another_request_is_refused_and_not_counted(table: ReceiptTable, house: House) -> None:
    claimed(table)
    assert table.claim(claim(digest="another")) is Refusal.KEY_REUSED
    assert table.claim(claim(caller="another")) is Refusal.KEY_REUSED
    assert counted(house) == [(1, 2)]


def test_a_finished_record_stands(table: ReceiptTable) -> None:
    table.finish(claimed(table), partial=False)
    assert table.claim(claim()) == record(state=State.DONE)


def test_a_partial_record_is_gone_on_with_at_once(table: ReceiptTable) -> None:
    table.finish(claimed(table), partial=True)
    assert table.claim(claim()) == Claimed(record(attempt=2), resumed=True)


CLAIM = ["tables GET remediatorreceipts"] * 2 + ["tables POST remediatorreceipts"] * 2
"""Look for the record, look for the counter; count, insert the record."""


def test_a_claim_takes_four_requests(table: ReceiptTable, house: House) -> None:
    table.record("the token is there")
    with house.wire.counting() as taken:
        claimed(table)
    assert taken == CLAIM


@pytest.mark.parametrize("at", range(1, len(CLAIM) + 1))
def test_two_that_claim_one_key_at_once_get_one_claim(table: ReceiptTable, house: House, at: int) -> None:
    other, answers = receipts(), []
    with house.wire.counting(meanwhile_at=at, meanwhile=lambda: answers.append(other.claim(claim()))):
        answers.append(table.claim(claim()))
    assert sorted(isinstance(one, Claimed) for one in answers) == [False, True]
    assert Refusal.IN_PROGRESS in answers


@pytest.mark.parametrize("at", [1, 2])
def test_two_that_take_over_at_once_get_one_claim(table: ReceiptTable, house: House, at: int) -> None:
    claimed(table)
    later = claim(NOW + 200, deadline=NOW + 300, free_at=NOW + 390)
    other, answers = receipts(), []
    with house.wire.counting(meanwhile_at=at, meanwhile=lambda: answers.append(other.claim(later))):
        answers.append(table.claim(later))
    assert answers == [Claimed(record(attempt=2, deadline=NOW + 300, free_at=NOW + 390), resumed=True),
                       Refusal.IN_PROGRESS]  # fmt: skip


@pytest.mark.parametrize("at", range(1, len(CLAIM) + 1))
def test_two_requests_at_once_are_both_counted(table: ReceiptTable, house: House, at: int) -> None:
    other = receipts()
    with house.wire.counting(meanwhile_at=at, meanwhile=lambda: claimed(other, claim(id=f"{ID}-other"))):
        claimed(table)
    assert counted(house) == [(2, 4)]


@pytest.mark.parametrize("moment", ["crash_before", "crash_after"])
@pytest.mark.parametrize("at", range(1, len(CLAIM) + 1))
def test_a_crash_in_a_claim_leaves_no_record_that_wasn_t_counted(
    table: ReceiptTable, house: House, moment: str, at: int
) -> None:
    with pytest.raises(Crash), house.wire.counting(**{moment: at}):
        table.claim(claim())
    inserted = receipts().record(ID)
    assert inserted is None or counted(house) == [(1, 2)]
    again = receipts().claim(claim())
    assert isinstance(again, Claimed) or (inserted and again is Refusal.IN_PROGRESS)
    assert isinstance(receipts().claim(claim(NOW + 400, free_at=NOW + 590)), Claimed)


@pytest.mark.parametrize(("requests", "findings", "allowed"), [(60, 1, True), (1, 5000, True), (1, 5001, False)])
def test_the_caps_are_sixty_requests_and_five_thousand_findings(
    table: ReceiptTable, requests: int, findings: int, *, allowed: bool
) -> None:
    for number in range(requests - 1):
        claimed(table, claim(id=f"{ID}-{number}", findings=1))
    answer = table.claim(claim(findings=findings))
    assert isinstance(answer, Claimed) is allowed
    if allowed:
        assert table.claim(claim(id="one-too-many", findings=1)) is Refusal.OVER_LIMIT
        assert table.record("one-too-many") is None


def test_findings_are_given_back_as_they_were_stored_in_order(table: ReceiptTable) -> None:
    stored = [
        finding(1, outcome=Outcome.FAILED, reason=Reason("AuthorizationFailed", "Nein — nö"), calls=("a/read",)),
        finding(0, change=Change(None, {"ü": [1, True, None], "🜨": "🜨" * 40_000}), parameters={"port": 22},
                finding="prowler:x", reference="ref", acknowledged=True, subject=f"{ID}/7"),
    ]  # fmt: skip
    table.store(claimed(table), stored)
    assert table.findings(ID) == sorted(stored, key=lambda one: one.index)


def test_five_hundred_findings_take_a_transaction_per_ninety_nine(table: ReceiptTable, house: House) -> None:
    mine = claimed(table, claim(findings=500))
    with house.wire.counting() as taken:
        table.store(mine, [finding(index) for index in range(500)])
    assert taken == ["tables POST $batch"] * 6
    assert [one.index for one in table.findings(ID)] == list(range(500))


def test_large_findings_are_spread_over_transactions(table: ReceiptTable, house: House) -> None:
    mine = claimed(table)
    large = [finding(index, change=Change("x" * 250_000, "")) for index in range(14)]
    with house.wire.counting() as taken:
        table.store(mine, large)
    assert taken == ["tables POST $batch"] * 2
    assert table.findings(ID) == large


@pytest.mark.parametrize("moment", ["crash_before", "crash_after"])
@pytest.mark.parametrize("at", range(1, 7))
def test_a_crash_between_transactions_loses_no_receipt_that_was_stored(
    table: ReceiptTable, house: House, moment: str, at: int
) -> None:
    mine = claimed(table, claim(findings=500))
    with pytest.raises(Crash), house.wire.counting(**{moment: at}):
        table.store(mine, [finding(index) for index in range(500)])
    whole = at - (moment == "crash_before")
    assert [one.index for one in receipts().findings(ID)] == list(range(min(99 * whole, 500)))


def test_nobody_but_the_holder_stores_or_finishes(table: ReceiptTable) -> None:
    old = claimed(table)
    taker = receipts()
    new = claimed(taker, claim(NOW + 200, free_at=NOW + 390))
    for late in (lambda: table.store(old, [finding()]), lambda: table.finish(old, partial=False)):
        with pytest.raises(ClaimLost):
            late()
    taker.store(new, [finding()])
    taker.finish(new, partial=False)
    with pytest.raises(ClaimLost):
        taker.store(new, [finding(1)])
    assert table.findings(ID) == [finding()]
    assert table.record(ID) == record(attempt=2, state=State.DONE, free_at=NOW + 390)


def test_a_takeover_between_two_transactions_stops_the_old_holder_there(table: ReceiptTable, house: House) -> None:
    old, taker = claimed(table, claim(findings=200)), receipts()
    later = claim(NOW + 200, findings=200, free_at=NOW + 390)
    with (
        house.wire.counting(meanwhile_at=2, meanwhile=lambda: claimed(taker, later)) as taken,
        pytest.raises(ClaimLost),
    ):
        table.store(old, [finding(index) for index in range(200)])
    assert taken == ["tables POST $batch"] * 2
    assert [one.index for one in taker.findings(ID)] == list(range(99))


def test_what_never_ended_is_remembered_no_longer_than_it_could_write(table: ReceiptTable) -> None:
    for number in range(20):
        claimed(table, claim(NOW + number, id=f"{ID}-{number}", free_at=NOW + number + 190))
    claimed(table, claim(NOW + 209, id=f"{ID}-last", free_at=NOW + 399))
    assert len(table._holds) == 1


def test_an_attempt_whose_time_is_over_stores_nothing(table: ReceiptTable) -> None:
    old = claimed(table)
    claimed(table, claim(NOW + 190, id=f"{ID}-next", free_at=NOW + 380))
    with pytest.raises(ClaimLost):
        table.store(old, [finding()])
    assert table.findings(ID) == []


def test_one_request_s_receipts_don_t_wait_for_another_s(table: ReceiptTable, house: House) -> None:
    one, other = claimed(table), claimed(table, claim(id=f"{ID}-other"))
    theirs = replace(finding(), remediation=f"{ID}-other")
    with house.wire.counting(meanwhile_at=1, meanwhile=lambda: table.store(other, [theirs])):
        table.store(one, [finding()])
    assert (table.findings(ID), table.findings(f"{ID}-other")) == ([finding()], [theirs])


def test_a_refresh_settles_what_is_unsettled_and_nothing_else(table: ReceiptTable) -> None:
    unsettled = finding(0, outcome=Outcome.UNVERIFIED, reason=Reason("unverified", "…"))
    table.store(claimed(table), [unsettled, finding(1, outcome=Outcome.FAILED)])
    for index in (0, 1):
        table.settle(finding(index, outcome=Outcome.FIXED))
    assert [one.outcome for one in table.findings(ID)] == [Outcome.FIXED, Outcome.FAILED]
    assert table.findings(ID)[0].reason is None


def test_everything_is_kept_for_the_retention_and_counters_for_a_day(table: ReceiptTable, house: House) -> None:
    table.store(claimed(table), [finding()])
    rows = list(house.table(RECEIPTS_TABLE).list_entities())
    kept = {row["expires_at"] for row in rows if row["PartitionKey"] == ID}
    assert kept == {NOW + 400 * DAY}
    assert {row["expires_at"] for row in rows} - kept == {WINDOW.not_after + DAY}


def test_the_remediator_s_identity_deletes_no_receipt(table: ReceiptTable) -> None:
    table.store(claimed(table), [finding()])
    with pytest.raises(HttpResponseError, match="AuthorizationPermissionMismatch"):
        table._table.delete_entity(ID, "finding-0000")
    with pytest.raises(HttpResponseError, match="AuthorizationPermissionMismatch"):
        table._table.submit_transaction([("delete", {"PartitionKey": ID, "RowKey": "finding-0000"})])
    assert table.findings(ID) == [finding()]


def test_a_counter_that_is_always_overtaken_is_no_licence(table: ReceiptTable, house: House) -> None:
    other, calls = receipts(), iter(range(100))

    def overtake() -> None:
        claimed(other, claim(id=f"{ID}-{next(calls)}"))
        house.wire.meanwhile_at = len(house.wire.taken) + 3

    with house.wire.counting(meanwhile_at=3, meanwhile=overtake), pytest.raises(ClaimLost, match="too busy"):
        table.claim(claim())
    assert table.record(ID) is None


def test_another_error_of_the_table_is_an_error_and_no_takeover(table: ReceiptTable, house: House) -> None:
    mine = claimed(table)
    house.cloud.faults.error(Match(service="tables", resource=f"*/{RECEIPTS_TABLE}"), "OutOfRangeInput", 400)
    with pytest.raises(HttpResponseError, match="OutOfRangeInput"):
        table.store(mine, [finding()])
    table.store(mine, [finding()])
    assert table.findings(ID) == [finding()]
