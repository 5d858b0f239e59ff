"""Schedules that fire by themselves, by the account's clock."""

from __future__ import annotations

import time

from remediator.local.account import EmbeddedAccount
from tests.local.hosting import eventually
from tests.local.schedules import scheduled
from tests.local.stacks import deploy

MINUTE = 60.0


def test_a_schedule_fires_when_its_moment_comes_and_not_before_and_not_when_disabled() -> None:
    with EmbeddedAccount(real_time_schedules=True) as account:
        stack = deploy(account, scheduled())
        mark = account.calls.mark()

        def fired() -> int:
            return sum(call.operation == "Invoke" for call in account.calls.since(mark))

        account.clock.shift(_until_fire() - 3)
        assert not eventually(lambda: fired() > 0, 0.6)
        account.clock.shift(3.5)
        assert eventually(lambda: fired() == 1)
        account.clock.shift(5 * MINUTE)
        assert eventually(lambda: fired() == 2)
        stack.update(scheduled(State="DISABLED"))
        account.clock.shift(5 * MINUTE)
        assert not eventually(lambda: fired() > 2, 0.6)
        assert [call.reason for call in account.calls.since(mark) if not call.allowed] == []


def _until_fire() -> float:
    """Return the seconds until minute 2 of the running 5, at least a minute away."""
    left = (2 * MINUTE - time.time()) % (5 * MINUTE)
    return left if left > MINUTE else left + 5 * MINUTE
