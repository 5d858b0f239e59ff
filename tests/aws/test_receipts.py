"""Execution records and receipts, on DynamoDB's conditions and transactions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from remediator.aws.receipts import ReceiptTable
from remediator.catalogue.engine import Change, Outcome
from remediator.core.windows import window_at
from remediator.service.errors import ClaimLost
from remediator.service.records import Claim, Claimed, Finding, Mode, Reason, Record, Refusal, State

if TYPE_CHECKING:
    from tests.aws.conftest import Account

NOW = 1_800_000_120
WINDOW = window_at(NOW)
ID = "11111111-2222-3333-4444-555555555555"


def record(**more: Any) -> Record:
    plain = Record(ID, "digest", "AROAREADER", Mode.APPLY, State.RUNNING, 1, NOW + 120, NOW, 2, NOW + 130)
    return replace(plain, **more)


def claim(now: float = NOW, **more: Any) -> Claim:
    return Claim(record(**more), WINDOW, now)


def finding(index: int = 0, **more: Any) -> Finding:
    return replace(Finding(ID, index, "aws.s3.require-tls", {"arn": "arn:aws:s3:::b"}, {}, NOW), **more)


@pytest.fixture
def waited() -> list[float]:
    return []


@pytest.fixture
def table(account: Account, waited: list[float]) -> ReceiptTable:
    return ReceiptTable(
        account.client("dynamodb"),
        receipts="remediator-receipts",
        state="remediator-state",
        retention_days=400,
        sleep=waited.append,
        jitter=lambda: 0.5,
    )


def claimed(table: ReceiptTable, asked: Claim | None = None) -> Claimed:
    answer = table.claim(asked or claim())
    assert isinstance(answer, Claimed)
    return answer


def test_a_new_key_is_claimed_and_counted(table: ReceiptTable, account: Account) -> None:
    assert claimed(table) == Claimed(record(), resumed=False)
    assert table.record(ID) == record()
    counter = account.client("dynamodb").get_item(
        TableName="remediator-state", Key={"pk": {"S": f"count/AROAREADER/{WINDOW}"}}
    )["Item"]
    assert (counter["requests"]["N"], counter["findings"]["N"]) == ("1", "2")


def test_an_unknown_remediation_has_no_record_and_no_findings(table: ReceiptTable) -> None:
    assert table.record("another") is None
    assert table.findings("another") == []


def test_a_key_that_runs_is_in_progress_until_well_past_its_deadline(table: ReceiptTable) -> None:
    claimed(table)
    assert table.claim(claim(NOW + 129)) is Refusal.IN_PROGRESS
    later = {"deadline": NOW + 200, "free_at": NOW + 210}
    assert table.claim(claim(NOW + 130, **later)) == Claimed(record(attempt=2, **later), resumed=True)
    assert table.record(ID) == record(attempt=2, **later)


def test_a_key_of_another_request_is_refused_and_not_counted(table: ReceiptTable, account: Account) -> None:
    claimed(table)
    assert table.claim(claim(digest="another")) is Refusal.KEY_REUSED
    assert table.claim(claim(caller="AROAOTHER")) is Refusal.KEY_REUSED
    scanned = account.client("dynamodb").scan(TableName="remediator-state")["Items"]
    assert [item["requests"]["N"] for item in scanned] == ["1"]


def test_a_finished_record_stands(table: ReceiptTable) -> None:
    table.finish(claimed(table), partial=False)
    assert table.claim(claim()) == record(state=State.DONE)


def test_a_partial_record_is_gone_on_with_at_once(table: ReceiptTable) -> None:
    table.finish(claimed(table), partial=True)
    assert table.claim(claim()) == Claimed(record(attempt=2), resumed=True)


def test_two_that_take_over_at_once_get_one_claim(
    table: ReceiptTable, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed(table)
    other = ReceiptTable(
        account.client("dynamodb"), receipts="remediator-receipts", state="remediator-state", retention_days=400
    )
    meet = table._meet

    def overtaken(met: Record, asked: Claim) -> Any:
        assert isinstance(other.claim(asked), Claimed)
        return meet(met, asked)

    monkeypatch.setattr(table, "_meet", overtaken)
    assert table.claim(claim(NOW + 200)) is Refusal.IN_PROGRESS


@pytest.mark.parametrize(("requests", "findings", "allowed"), [(60, 1, True), (1, 5000, True), (1, 5001, False)])
def test_the_caps_are_sixty_requests_and_five_thousand_findings(
    table: ReceiptTable, requests: int, findings: int, *, allowed: bool
) -> None:
    for number in range(requests - 1):
        claimed(table, claim(id=f"{ID}-{number}", findings=1))
    answer = table.claim(claim(findings=findings))
    assert isinstance(answer, Claimed) or not allowed
    if requests == 60 or findings == 5000:
        assert table.claim(claim(id="one-too-many", findings=1)) is Refusal.OVER_LIMIT
        assert table.record("one-too-many") is None


def test_findings_are_given_back_as_they_were_stored_in_order(table: ReceiptTable) -> None:
    stored = [
        finding(1, outcome=Outcome.FAILED, reason=Reason("AccessDenied", "Nein — nö"), calls=("s3:Get",)),
        finding(0, change=Change(None, {"ü": [1, True, None]}), parameters={"port": 22}, finding="prowler:x",
                reference="ref", acknowledged=True, subject=f"{ID}/7"),
    ]  # fmt: skip
    table.store(claimed(table), stored)
    assert table.findings(ID) == sorted(stored, key=lambda one: one.index)


def test_five_hundred_findings_take_a_transaction_per_ninety_nine(table: ReceiptTable, account: Account) -> None:
    sizes: list[int] = []
    client = table._client
    client.meta.events.register(
        "provide-client-params.dynamodb.TransactWriteItems",
        lambda params, **_: sizes.append(len(params["TransactItems"])),
    )
    mine = claimed(table, claim(findings=500))
    sizes.clear()
    table.store(mine, [finding(index) for index in range(500)])
    assert sizes == [100, 100, 100, 100, 100, 6]
    assert [one.index for one in table.findings(ID)] == list(range(500))
    assert account


def test_large_findings_are_spread_over_transactions(table: ReceiptTable) -> None:
    sizes: list[int] = []
    table._client.meta.events.register(
        "provide-client-params.dynamodb.TransactWriteItems",
        lambda params, **_: sizes.append(len(params["TransactItems"])),
    )
    mine = claimed(table)
    sizes.clear()
    table.store(mine, [finding(index, change=Change("x" * 250_000, "")) for index in range(14)])
    assert sum(sizes) - len(sizes) == 14
    assert len(sizes) == 2


def test_nobody_but_the_holder_stores_or_finishes(table: ReceiptTable) -> None:
    old = claimed(table)
    new = claimed(table, claim(NOW + 200))
    with pytest.raises(ClaimLost):
        table.store(old, [finding()])
    with pytest.raises(ClaimLost):
        table.finish(old, partial=False)
    table.store(new, [finding()])
    table.finish(new, partial=False)
    with pytest.raises(ClaimLost):
        table.store(new, [finding(1)])


def test_a_refresh_settles_what_is_unsettled_and_nothing_else(table: ReceiptTable) -> None:
    reason = Reason("unverified", "…")
    table.store(
        claimed(table), [finding(0, outcome=Outcome.UNVERIFIED, reason=reason), finding(1, outcome=Outcome.FAILED)]
    )
    for index in (0, 1):
        table.settle(finding(index, outcome=Outcome.FIXED))
    assert [one.outcome for one in table.findings(ID)] == [Outcome.FIXED, Outcome.FAILED]
    assert table.findings(ID)[0].reason is None


def test_everything_is_kept_for_the_retention_and_then_expires(table: ReceiptTable, account: Account) -> None:
    table.store(claimed(table), [finding()])
    items = account.client("dynamodb").scan(TableName="remediator-receipts")["Items"]
    assert {int(item["expires_at"]["N"]) for item in items} == {NOW + 400 * 86_400}


def _cancelled(codes: list[str], tries: list[int]) -> Any:
    def fail(**_: Any) -> None:
        tries.append(1)
        response: Any = {
            "Error": {"Code": "TransactionCanceledException"},
            "CancellationReasons": [{"Code": code} for code in codes],
        }
        raise ClientError(response, "TransactWriteItems")

    return fail


def test_transactions_that_meet_are_tried_again_with_growing_pauses(table: ReceiptTable, waited: list[float]) -> None:
    tries: list[int] = []
    fail = _cancelled(["TransactionConflict", "None"], tries)

    def twice(**more: Any) -> None:
        if len(tries) < 2:
            fail(**more)

    table._client.meta.events.register("provide-client-params.dynamodb.TransactWriteItems", twice)
    claimed(table)
    assert waited == [0.05, 0.1]


def test_a_transaction_that_never_gets_through_is_an_error(table: ReceiptTable, waited: list[float]) -> None:
    tries: list[int] = []
    table._client.meta.events.register(
        "provide-client-params.dynamodb.TransactWriteItems", _cancelled(["TransactionConflict"], tries)
    )
    with pytest.raises(ClientError):
        table.claim(claim())
    assert (len(tries), len(waited)) == (6, 5)


def test_another_error_of_the_table_is_an_error_at_once(table: ReceiptTable) -> None:
    tries: list[int] = []
    table._client.meta.events.register("provide-client-params.dynamodb.TransactWriteItems", _cancelled([], tries))
    with pytest.raises(ClientError):
        table.claim(claim())
    assert len(tries) == 1
