"""The tests' own DynamoDB, which threads call at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError
from typing import TYPE_CHECKING, Any

from moto.dynamodb.responses import DynamoHandler

if TYPE_CHECKING:
    import pytest

    from tests.aws.conftest import Account


def test_no_call_comes_between_another_one_s_condition_and_its_write(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    both, met = Barrier(2), []
    show, client = DynamoHandler.list_tables, account.client("dynamodb")

    def list_tables(self: DynamoHandler) -> Any:
        with suppress(BrokenBarrierError):
            met.append(both.wait(0.3))
        return show(self)

    monkeypatch.setattr(DynamoHandler, "list_tables", list_tables)
    with ThreadPoolExecutor(2) as threads:
        assert len(list(threads.map(lambda _: client.list_tables(), range(2)))) == 2
    assert met == []
