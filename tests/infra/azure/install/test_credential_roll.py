"""Rolling the credential: the old certificate goes when nothing can be sealed with it any more, and never before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from remediator.azure_install.credential import Phase, last_use_of_older
from remediator.azure_install.directory import REMEDIATOR
from remediator.core.windows import open_at
from tests.infra.azure.install.fake_azure import Crash
from tests.infra.azure.install.test_installation import registration, secret

if TYPE_CHECKING:
    from remediator.azure_install.credential import CredentialKeeper
    from tests.infra.azure.install.conftest import Administrator


def keeper(admin: Administrator) -> CredentialKeeper:
    cloud = admin.cloud()
    return cloud.keeper(cloud.installed())


def registered(admin: Administrator) -> list[str]:
    return [one["displayName"].split()[1] for one in registration(admin.azure, REMEDIATOR)["keyCredentials"]]


def stored(admin: Administrator) -> str:
    return str(secret(admin.azure)["tags"]["thumbprint"][:8])


@pytest.fixture
def installed(admin: Administrator) -> Administrator:
    admin.install()
    admin.now += 86_400
    return admin


def test_both_certificates_are_good_while_windows_are_sealed_with_the_old_one(installed: Administrator) -> None:
    old = stored(installed)
    rolled = keeper(installed).roll(at_once=False)
    assert (rolled.phase, rolled.begun) == (Phase.WAITING, True)
    assert registered(installed) == [old, stored(installed)]
    assert stored(installed) != old


def test_the_old_certificate_goes_when_its_last_window_has_passed(installed: Administrator) -> None:
    rolled = keeper(installed).roll(at_once=False)
    installed.now = rolled.due - 1
    assert keeper(installed).roll(at_once=False).phase is Phase.WAITING
    assert len(registered(installed)) == 2
    installed.now = rolled.due
    finished = keeper(installed).roll(at_once=False)
    assert (finished.phase, finished.begun) == (Phase.FINISHED, False)
    assert registered(installed) == [stored(installed)]


def test_no_window_that_was_sealed_before_is_honoured_when_the_old_certificate_goes() -> None:
    for since in range(1_800_000_000, 1_800_000_600, 7):
        for run in range(61):
            last = max(window.closes for window in open_at(since + run))
            assert last <= last_use_of_older(since) <= since + 26 * 60


def test_running_again_goes_on_and_begins_no_second_roll(installed: Administrator) -> None:
    keeper(installed).roll(at_once=False)
    new = stored(installed)
    installed.now += 60
    assert keeper(installed).roll(at_once=False).begun is False
    assert stored(installed) == new


def test_when_a_roll_is_finished_the_next_one_begins_anew(installed: Administrator) -> None:
    first = stored(installed)
    for _ in range(2):
        due = keeper(installed).roll(at_once=False).due
        installed.now = max(installed.now, due)
    second = stored(installed)
    installed.now += 60
    assert keeper(installed).roll(at_once=False).begun is True
    assert len({first, second, stored(installed)}) == 3


def roll_through(admin: Administrator) -> None:
    """Roll, and come back when the old certificate can go."""
    rolled = keeper(admin).roll(at_once=False)
    assert stored(admin) in registered(admin)
    admin.now = max(admin.now, rolled.due)
    if rolled.phase is Phase.WAITING:
        keeper(admin).roll(at_once=False)


@pytest.mark.parametrize("step", range(4))
def test_a_crash_after_any_step_is_repaired_by_running_again(step: int, installed: Administrator) -> None:
    """The steps: register, store, forget the record, remove the old certificate."""
    old = stored(installed)
    installed.azure.writes.clear()
    installed.azure.crash_after = step
    with pytest.raises(Crash):
        roll_through(installed)
    installed.azure.crash_after = None
    installed.now += 60
    roll_through(installed)
    assert registered(installed) == [stored(installed)]
    assert stored(installed) != old


def test_a_stolen_key_is_worth_nothing_at_once(installed: Administrator) -> None:
    rolled = keeper(installed).roll(at_once=True)
    assert (rolled.phase, rolled.begun) == (Phase.FINISHED, True)
    assert registered(installed) == [stored(installed)]


def test_a_stolen_key_that_is_the_newest_of_a_roll_under_way_is_worth_nothing_at_once(
    installed: Administrator,
) -> None:
    first = stored(installed)
    keeper(installed).roll(at_once=False)
    stolen = stored(installed)
    installed.now += 60
    rolled = keeper(installed).roll(at_once=True)
    assert (rolled.phase, rolled.begun) == (Phase.FINISHED, True)
    assert registered(installed) == [stored(installed)]
    assert stored(installed) not in (first, stolen)


@pytest.mark.parametrize("under_way", [False, True])
@pytest.mark.parametrize("step", range(4))
def test_a_crash_after_any_step_leaves_no_stolen_key_when_it_is_run_again(
    step: int, installed: Administrator, *, under_way: bool
) -> None:
    """The steps: register, store, forget the record, remove every other certificate."""
    if under_way:
        keeper(installed).roll(at_once=False)
        installed.now += 60
    known = registered(installed)
    installed.azure.writes.clear()
    installed.azure.crash_after = step
    with pytest.raises(Crash):
        keeper(installed).roll(at_once=True)
    installed.azure.crash_after = None
    assert stored(installed) in registered(installed)
    installed.now += 60
    assert keeper(installed).roll(at_once=True).phase is Phase.FINISHED
    assert registered(installed) == [stored(installed)]
    assert stored(installed) not in known


def test_a_roll_that_waits_takes_up_what_a_crash_of_one_at_once_left(installed: Administrator) -> None:
    old = stored(installed)
    installed.azure.writes.clear()
    installed.azure.crash_after = 1
    with pytest.raises(Crash):
        keeper(installed).roll(at_once=True)
    installed.azure.crash_after = None
    installed.now += 60
    roll_through(installed)
    assert registered(installed) == [stored(installed)]
    assert stored(installed) != old


def test_installing_again_does_not_cut_a_roll_short(installed: Administrator) -> None:
    keeper(installed).roll(at_once=False)
    installed.now += 60
    installed.install()
    assert len(registered(installed)) == 2
    installed.now += 3_600
    installed.install()
    assert registered(installed) == [stored(installed)]
