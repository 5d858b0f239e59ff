"""Deploy over a running deployment, of the previous version too, while the vendor asks: how long is it turned away?

Nobody invokes the rotator: it runs when the embedded clock passes its tick, as the schedule says.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import tarfile
import threading
import time
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Final, Self

import pytest

from remediator.core.windows import PERIOD
from remediator.local.account import EmbeddedAccount
from remediator.local.deploy import ROOT, App
from remediator.local.witness import Unfaithful
from remediator.vendor.errors import GateUnavailable, InternalError, NotServed
from tests.end_to_end.world import BLOCK, World
from tests.local.hosting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.xdist_group("an account of its own")

PREVIOUS: Final = "f6f65a3817c0fb7b3b56dabc2c7828e5632b7ae8"
"""The last commit before receipts tables, freezing, policies and admissions were as they are now."""

KEEPS_TABLE: Final = {"receipts_table": "remediator-receipts"}
_LOG = logging.getLogger(__name__)
EVERY: Final = 6.0
"""Seconds between two requests: 50 in a window, of the 60 that a caller may send."""

STEP: Final = 20.0
"""Seconds by which the embedded time is moved on after a request that was turned away."""

A_TICK: Final = PERIOD + STEP + 2 * EVERY
"""A tick, as requests can tell it: the last one answered and the next one are seconds away from what the gate did."""


@dataclass
class Caller:
    """A vendor that goes on asking; remembers by the embedded clock when it was answered and when it was not."""

    world: World
    answered: list[float] = field(default_factory=list)
    refused: list[tuple[float, NotServed]] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()
        assert eventually(lambda: bool(self.answered), 60)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(60)
        for at, refused in self.refused:
            _LOG.info("%.0f: %s", at, refused)

    def _ask(self) -> None:
        findings = self.world.open_bucket()
        while not self._over.wait(EVERY):
            at = time.time()
            try:
                self.world.vendor().plan(findings)
            except NotServed as refused:
                self.refused.append((at, refused))
            else:
                self.answered.append(at)

    def until_answered(self) -> None:
        """Let the embedded time pass in small steps until a request is answered that was sent after now."""
        began, deadline = time.time(), time.time() + 2 * PERIOD
        while not any(at >= began for at in self.answered):
            asked = len(self.answered) + len(self.refused)
            assert eventually(lambda asked=asked: len(self.answered) + len(self.refused) > asked, 60)  # type: ignore[misc]
            if not any(at >= began for at in self.answered):
                assert time.time() < deadline, self.refused[-1]
                self.world.account.clock.shift(STEP)

    def outage(self) -> float:
        """Return for how long at most no request was answered, counted from the last one that was."""
        if not self.refused:
            return 0.0
        first, last = self.refused[0][0], self.refused[-1][0]
        before = max((at for at in self.answered if at < first), default=first)
        after = min(at for at in self.answered if at > last)
        _LOG.info("turned away for at most %.0f s: %s", after - before, self.kinds)
        return after - before

    @property
    def kinds(self) -> set[type[NotServed]]:
        """Return how the caller was turned away."""
        return {type(refused) for _, refused in self.refused}


@pytest.fixture(scope="module")
def previous(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The previous version's sources, where this checkout has its history."""
    wanted = ("cdk.json", "functions", "infra", "pyproject.toml", "requirements")
    archived = subprocess.run(  # noqa: S603 - as it stands here
        ["git", "archive", "--format=tar", PREVIOUS, *wanted],  # noqa: S607 - whichever git there is
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if archived.returncode != 0:
        pytest.skip(f"NOT TRIED: this checkout's history doesn't reach back to the previous version, {PREVIOUS[:7]}")
    folder = tmp_path_factory.mktemp("previous")
    with tarfile.open(fileobj=BytesIO(archived.stdout)) as sources:
        sources.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="module")
def account() -> Iterator[EmbeddedAccount]:
    with EmbeddedAccount(real_time_schedules=True) as account:
        yield account


def old_app(account: EmbeddedAccount, sources: Path) -> App:
    return App(
        command=f"env PYTHONPATH={sources}:{sources / 'functions'} {sys.executable} infra/app.py",
        context=account.parameters(),
        directory=sources,
    )


def deploy_over(account: EmbeddedAccount, app: App | None = None, **context: str) -> None:
    """Deploy; the gate alone may be other than the template says, where the rotator has moved it since."""
    try:
        account.deploy(app, **({} if app else KEEPS_TABLE | context))
    except Unfaithful as unfaithful:
        (lie,) = unfaithful.lies
        assert (lie.logical_id, lie.what.partition(" is ")[0]) == ("WriteRole", "AssumeRolePolicyDocument")


@pytest.mark.deep
def test_deploying_over_the_previous_version_and_back_costs_less_than_a_tick(
    account: EmbeddedAccount, previous: Path
) -> None:
    deploy_over(account, old_app(account, previous))
    account.rotate()
    world = World(account)
    before = world.vendor().apply(world.open_bucket())
    assert {result.outcome for result in before.results} == {"fixed"}

    with Caller(world) as caller:
        deploy_over(account)
        caller.until_answered()
    assert caller.outage() < A_TICK, caller.refused
    assert caller.kinds <= {GateUnavailable, InternalError}, "code and settings of a function aren't changed at once"

    # What the previous version left is read: its control item, its windows, its records and receipts.
    assert world.vendor().get(before.id).results == before.results
    assert {one.outcome for one in world.operator().client().roll_back(before.id).results} == {"rolled_back"}
    world.order("freeze")
    world.order("unfreeze")
    world.edit_policy(findings_per_day=1_000)

    # What this version left is read by the previous one, and nothing of it is in its way.
    again = world.vendor().apply(world.open_bucket())
    with Caller(world) as caller:
        deploy_over(account, old_app(account, previous))
        caller.until_answered()
    assert caller.outage() < A_TICK, caller.refused
    assert caller.kinds <= {GateUnavailable, InternalError}, (
        "rights that only this version needs go before its code does"
    )
    assert world.vendor().get(again.id).results == again.results


@pytest.mark.deep
def test_deploying_what_leaves_the_write_role_itself_alone_turns_nobody_away(account: EmbeddedAccount) -> None:
    """Other fixes are other managed policies: the role isn't written, and with it the gate."""
    deploy_over(account)
    account.rotate()
    world = World(account)
    for changed in ({"vendor_rollback": "true"}, {"fixes": f"{BLOCK},aws.s3.require-tls"}):
        with Caller(world) as caller:
            deploy_over(account, None, **changed)
            caller.until_answered()
        assert caller.refused == [], changed
