"""The rotator on Key Vault and Table Storage, with its own rights: what it writes, and what a crash leaves."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.data.tables import UpdateMode
from azure.identity import ManagedIdentityCredential

from remediator.azure import remediate_function, rotate_function
from remediator.azure.rotate_function import RotationFailed
from remediator.azure.seal import Credential
from remediator.azure.seed_ring import EPOCH, KeyVaultRing, name_of
from remediator.azure.stored_credential import SECRET
from remediator.azure.tables import table as table_at
from remediator.azure.verifiers import VerifierTables
from remediator.azure.windows_table import CONTROL, CONTROL_TABLE, LEASE, PARTITION, WINDOWS_TABLE, row_of
from remediator.core.gate import opening, verifier_of
from remediator.core.seeds import SeedRecord, new_seed
from remediator.core.windows import PERIOD, Window, open_at, staged_at, window_at
from remediator.local.azure.vault.secrets import new_id
from remediator.service.errors import Frozen, GateShut, LeaseTaken
from tests.service.world import Crash

if TYPE_CHECKING:
    from remediator.azure.seal import Seal
    from remediator.azure.staging import StagingTables
    from tests.azure.azure_house import House

pytestmark = pytest.mark.xdist_group("azure rotation")

IN_PLACE = ["tables GET remediatorwindows", "tables GET remediatorcontrol", "vault GET remediator-credential"]
WRITING = [
    "tables GET remediatorwindows", "tables GET remediatorcontrol",  # look
    "tables GET remediatorwindows", "tables PUT remediatorwindows",  # take the lease
    "tables GET remediatorwindows", "tables GET remediatorcontrol",  # look again
    *["vault GET seed"] * 4, "vault PUT seed",  # the seeds there are, and the one that isn't
    "tables GET remediatorcontrol", "tables GET remediatorwindows", "tables POST $batch",  # stage
    "vault GET remediator-credential", "tables GET remediatorwindows", "tables POST $batch",  # seal
    "tables GET remediatorwindows", "tables PUT remediatorwindows",  # give the lease back
]  # fmt: skip


@pytest.fixture
def staged(house: House) -> House:
    """A deployment whose rotator has run once, a window ago."""
    house.rotate()
    house.pass_time(PERIOD)
    return house


def seal() -> Seal:
    """Return what the rotator seals with."""
    gate: Any = rotate_function._rotator().gate
    found: Seal = gate._seal
    return found


def staging() -> StagingTables:
    """Return the rotator's own store."""
    stage: Any = rotate_function._rotator().staged
    found: StagingTables = stage
    return found


def reader() -> VerifierTables:
    """Return what the remediator reads with."""
    settings = remediate_function._settings()
    identity = ManagedIdentityCredential(client_id=settings.identity)
    return VerifierTables(
        table_at(settings.tables, CONTROL_TABLE, identity), table_at(settings.tables, WINDOWS_TABLE, identity)
    )


def require_whole(house: House) -> None:
    """Everything that must stand at this moment does, and agrees: seed, verifier, sealed credential."""
    credential = Credential(house.credentials.secret(SECRET).current.value.encode())
    for window in staged_at(time.time()):
        seed = house.seed(window)
        standing = reader().standing(window)
        assert standing.state == "open"
        assert standing.verifier == verifier_of(house.deployment, window, seed)
        sealed = reader().sealed(window)
        assert sealed is not None
        assert seal().unseal(sealed, window, opening(house.deployment, window, seed)) == credential


def set_state(house: House, state: str) -> None:
    house.table(CONTROL_TABLE).upsert_entity(
        {"PartitionKey": CONTROL, "RowKey": CONTROL, "state": state}, mode=UpdateMode.MERGE
    )


def test_the_first_run_opens_a_deployment_that_starts_closed(house: House) -> None:
    assert reader().standing().state is None
    house.rotate()
    require_whole(house)


def test_a_run_that_finds_everything_in_place_takes_three_requests_and_writes_nothing(house: House) -> None:
    house.rotate()
    before = house.entities(WINDOWS_TABLE)
    with house.wire.counting() as taken:
        house.rotate()
    assert taken == IN_PLACE
    assert house.entities(WINDOWS_TABLE) == before


def test_the_next_window_s_run_takes_nineteen_requests_and_writes_one_seed(staged: House) -> None:
    with staged.wire.counting() as taken:
        staged.rotate()
    assert taken == WRITING
    require_whole(staged)


def test_a_window_s_entity_goes_when_its_grace_is_over(staged: House) -> None:
    gone = window_at(time.time()) + -1
    staged.rotate()
    assert set(staged.entities(WINDOWS_TABLE)) == {LEASE, *(row_of(one) for one in staged_at(time.time()))}
    assert reader().standing(gone).verifier is None
    assert reader().sealed(gone) is None


@pytest.mark.parametrize("moment", ["crash_before", "crash_after"])
@pytest.mark.parametrize("at", range(1, len(WRITING) + 1))
def test_a_crash_at_any_request_is_repaired_by_the_next_run(staged: House, moment: str, at: int) -> None:
    first = window_at(time.time()) + 3
    with pytest.raises(Crash), staged.wire.counting(**{moment: at}):
        staged.rotate()
    staged.pass_time(PERIOD)
    staged.rotate()
    require_whole(staged)
    assert staged.versions(first) == 1


@pytest.mark.parametrize("moment", ["crash_before", "crash_after"])
@pytest.mark.parametrize("at", [2, 4, 7, 10, 13, 16, 19, 22, 25])
def test_a_crash_of_the_very_first_run_is_repaired_once_its_lease_is_over(house: House, moment: str, at: int) -> None:
    with house.wire.counting(**{moment: at}), suppress(Crash):
        house.rotate()
    house.pass_time(121)
    house.rotate()
    require_whole(house)
    assert {house.versions(window) for window in staged_at(time.time())} == {1}


@pytest.mark.parametrize("at", range(1, len(WRITING) + 1))
def test_two_runs_at_once_write_one_seed_and_leave_everything_whole(staged: House, at: int) -> None:
    ends: list[str] = []

    def other() -> None:
        try:
            staged.rotate()
        except RotationFailed as failed:
            ends.append(str(failed))
        else:
            ends.append("done")

    with staged.wire.counting(meanwhile_at=at, meanwhile=other):
        other()
    assert "done" in ends
    require_whole(staged)
    assert staged.versions(window_at(time.time()) + 3) == 1
    assert staged.entities(WINDOWS_TABLE)[LEASE]["until"] == 0


def overtaken(house: House, at: int) -> None:
    """Let a run stall for longer than its lease, while another one takes over; the platform ends a run after 60 s."""

    def overtake() -> None:
        house.pass_time(130)
        house.rotate()

    with house.wire.counting(meanwhile_at=at, meanwhile=overtake), suppress(RotationFailed):
        house.rotate()


SEED = WRITING.index("vault PUT seed") + 1


@pytest.mark.parametrize("at", [at for at in range(5, len(WRITING) + 1) if at != SEED])
def test_a_run_whose_lease_is_over_undoes_nothing_of_the_one_that_took_it(staged: House, at: int) -> None:
    overtaken(staged, at)
    require_whole(staged)


def test_a_seed_that_a_stalled_run_writes_over_another_fails_closed(staged: House) -> None:
    """The vault knows no compare-and-set: decision 0010. The verifier stays the first seed's, so nothing opens."""
    window = window_at(time.time()) + 3
    overtaken(staged, SEED)
    assert staged.versions(window) == 2
    seed = staged.seed(window)
    assert reader().standing(window).verifier != verifier_of(staged.deployment, window, seed)
    sealed = reader().sealed(window)
    assert sealed is not None
    with pytest.raises(GateShut):
        seal().unseal(sealed, window, opening(staged.deployment, window, seed))


@pytest.mark.parametrize("late", [1, 59, 179, 479, 779, 86_400, 10 * 86_400])
def test_a_late_run_serves_the_windows_that_live_then(staged: House, late: int) -> None:
    staged.pass_time(late)
    staged.rotate()
    require_whole(staged)
    rows = set(staged.entities(WINDOWS_TABLE)) - {LEASE}
    assert rows <= {row_of(one) for one in open_at(time.time())}


def test_a_run_that_is_past_due_and_the_one_on_time_rotate_once(staged: House) -> None:
    staged.rotate()
    before = staged.entities(WINDOWS_TABLE)
    staged.rotate()
    assert staged.entities(WINDOWS_TABLE) == before


def test_a_killed_run_s_lease_stops_others_for_two_minutes_and_no_longer(staged: House) -> None:
    with pytest.raises(Crash), staged.wire.counting(crash_before=5):
        staged.rotate()
    staged.pass_time(100)
    with pytest.raises(RotationFailed, match="another run"):
        staged.rotate()
    staged.pass_time(21)
    staged.rotate()
    require_whole(staged)


def test_the_lease_is_no_obstacle_where_nothing_is_to_be_written(house: House) -> None:
    house.rotate()
    staging().take_lease("another run", time.time())
    house.rotate()


def test_every_run_while_frozen_takes_the_sealed_credentials_away_and_stages_nothing(staged: House) -> None:
    set_state(staged, "frozen")
    for _ in range(2):
        staged.rotate()
        rows = [row for name, row in staged.entities(WINDOWS_TABLE).items() if name != LEASE]
        assert rows
        assert not [row for row in rows if "sealed" in row or "credential" in row]
        assert row_of(window_at(time.time()) + 3) not in staged.entities(WINDOWS_TABLE)
        staged.pass_time(PERIOD)
    set_state(staged, "open")
    staged.rotate()
    require_whole(staged)


@pytest.mark.parametrize("at", range(7, 13))
def test_a_freeze_at_any_request_before_the_stage_stages_nothing(staged: House, at: int) -> None:
    with staged.wire.counting(meanwhile_at=at, meanwhile=lambda: set_state(staged, "frozen")):
        staged.rotate()
    rows = staged.entities(WINDOWS_TABLE)
    assert not [name for name, row in rows.items() if "sealed" in row]
    assert row_of(window_at(time.time()) + 3) not in rows


def test_a_state_that_is_there_is_never_opened(house: House) -> None:
    set_state(house, "frozen")
    staging().open_first()
    assert reader().standing().state == "frozen"


def test_a_verifier_is_inserted_once_and_never_replaced(house: House) -> None:
    house.rotate()
    window = window_at(time.time())
    before = reader().standing(window).verifier
    stage = staging()
    stage.take_lease("run", time.time())
    with pytest.raises(LeaseTaken):
        stage.stage([verifier_of(house.deployment, window, new_seed(os.urandom))], "run")
    assert reader().standing(window).verifier == before


def test_nothing_is_staged_while_frozen_or_without_the_lease(house: House) -> None:
    stage, verifier = staging(), verifier_of(house.deployment, window_at(time.time()), new_seed(os.urandom))
    set_state(house, "open")
    with pytest.raises(LeaseTaken):
        stage.stage([verifier], "run")
    stage.take_lease("run", time.time())
    set_state(house, "frozen")
    with pytest.raises(Frozen):
        stage.stage([verifier], "run")
    assert set(house.entities(WINDOWS_TABLE)) == {LEASE}


def test_a_lease_is_one_run_s_for_two_minutes(house: House) -> None:
    stage, now = staging(), int(time.time())
    set_state(house, "open")
    stage.take_lease("one", now)
    with pytest.raises(LeaseTaken):
        stage.take_lease("two", now + 119)
    stage.take_lease("two", now + 120)
    with pytest.raises(LeaseTaken):
        stage.give_lease_back("one", "")
    with pytest.raises(LeaseTaken):
        stage.stage([verifier_of(house.deployment, window_at(now), new_seed(os.urandom))], "one")
    stage.give_lease_back("two", "")
    stage.take_lease("three", now + 121)


def test_a_lease_that_is_taken_just_before_the_transaction_stages_nothing(house: House) -> None:
    stage, now, window = staging(), int(time.time()), window_at(time.time())
    set_state(house, "open")
    stage.take_lease("one", now)
    with (
        house.wire.counting(meanwhile_at=3, meanwhile=lambda: stage.take_lease("two", now + 120)) as taken,
        pytest.raises(LeaseTaken, match="faster"),
    ):
        stage.stage([verifier_of(house.deployment, window, new_seed(os.urandom))], "one")
    assert taken[-1] == "tables POST $batch"
    assert set(house.entities(WINDOWS_TABLE)) == {LEASE}


def test_an_entity_whose_dates_contradict_its_window_is_no_verifier(house: House) -> None:
    house.rotate()
    window = window_at(time.time())
    later = {"PartitionKey": PARTITION, "RowKey": row_of(window), "not_after": 2_000_000_000}
    house.table(WINDOWS_TABLE).update_entity(later, mode=UpdateMode.MERGE)
    assert reader().standing(window).verifier is None


def test_what_the_remediator_reads_before_both_locks_has_nothing_sealed_in_it(house: House) -> None:
    house.rotate()
    seen: list[bytes] = []
    house.cloud.reception.on_exchange.append(lambda _, answer: seen.append(answer.body))
    try:
        reader().standing(window_at(time.time()))
        assert b'"P"' in b"".join(seen)
        assert b'"sealed"' not in b"".join(seen)
        reader().sealed(window_at(time.time()))
        assert b'"sealed"' in b"".join(seen)
    finally:
        house.cloud.reception.on_exchange.pop()


@pytest.mark.parametrize("gone", [("sealed",), ("credential",), ("sealed", "credential")])
def test_a_sealed_credential_that_somebody_took_away_is_sealed_anew(house: House, gone: tuple[str, ...]) -> None:
    house.rotate()
    row = house.entities(WINDOWS_TABLE)[row_of(window_at(time.time()) + 1)]
    left = {name: value for name, value in row.items() if name not in gone}
    house.table(WINDOWS_TABLE).update_entity(left, mode=UpdateMode.REPLACE)
    house.rotate()
    require_whole(house)


def test_a_credential_that_was_rolled_is_sealed_for_every_window_by_the_next_run(house: House) -> None:
    house.rotate()
    old = house.credentials.secret(SECRET).current
    house.credentials.put(SECRET, replace(old, id=new_id(), value=f"{old.value}\n"))
    house.rotate()
    require_whole(house)


def test_another_window_s_or_deployment_s_opening_unseals_nothing(house: House) -> None:
    house.rotate()
    window = window_at(time.time())
    sealed = reader().sealed(window)
    assert sealed is not None
    seed, next_seed = house.seed(window), house.seed(window + 1)
    for wrong in (
        opening(house.deployment, window + 1, next_seed),
        opening(house.deployment, window, next_seed),
        opening("another-deployment", window, seed),
        opening(house.deployment, window + 1, seed),
    ):
        with pytest.raises(GateShut):
            seal().unseal(sealed, window, wrong)
        with pytest.raises(GateShut):
            seal().unseal(sealed, window + 1, wrong)


def ring() -> KeyVaultRing:
    return rotate_function._ring()


def record(window: Window) -> SeedRecord:
    return SeedRecord(rotate_function._settings().deployment, window, new_seed(os.urandom))


def test_the_ring_gives_back_what_it_keeps_and_the_first_seed_stays(house: House) -> None:
    first = record(window_at(time.time()))
    assert ring().read(first.window) is None
    assert ring().keep(first) == first.seed
    assert ring().keep(record(first.window)) == first.seed
    assert ring().read(first.window) == first.seed
    assert house.versions(first.window) == 1


def test_what_a_slot_holds_of_another_window_or_deployment_isn_t_ours(house: House) -> None:
    window = window_at(time.time())
    ring().keep(record(window))
    assert ring().read(window + 6) is None
    other = KeyVaultRing(rotate_function._vault(house.cloud.outputs["SeedVault"]), "another-deployment")
    assert other.read(window) is None


def test_an_error_of_the_vault_isn_t_taken_for_an_answer(house: House) -> None:
    wrong = KeyVaultRing(rotate_function._vault(house.cloud.outputs["CredentialVault"]), house.deployment)
    with pytest.raises(HttpResponseError, match="Forbidden"):
        wrong.keep(record(window_at(time.time())))


def test_a_day_writes_no_secret_a_hundred_times_even_if_every_write_happens_twice(house: House) -> None:
    """Each write's reply is lost once after it took effect, so the SDK, or the next run, writes again."""
    begin = window_at(time.time())
    begin = Window((begin.number // EPOCH + 1) * EPOCH)
    for number in range(begin.number, begin.number + 288):
        stored = record(Window(number))
        ring().keep(stored)
        rotate_function._vault(house.cloud.outputs["SeedVault"]).set_secret(name_of(stored.window), stored.to_json())
    written = [house.versions(begin + slot) for slot in range(6)]
    assert written == [96] * 6
    assert all(4 * one <= 500 for one in written)


def test_an_epoch_s_names_never_come_again_and_a_slot_has_192_windows_of_it() -> None:
    names = [name_of(Window(number)) for number in range(3 * EPOCH)]
    assert {names.count(name) for name in set(names[:EPOCH])} == {192}
    assert set(names[:EPOCH]).isdisjoint(names[EPOCH:])
    assert 2 * 192 <= 500


@pytest.mark.parametrize("day", range(4))
def test_a_day_s_first_run_deletes_what_is_over_and_nothing_that_lives(house: House, day: int) -> None:
    """Four chances in an epoch: each alone is enough."""
    now = time.time()
    turn = Window((window_at(now).number // EPOCH + 1) * EPOCH)
    house.pass_time(turn.not_before - PERIOD + 100 - now)
    house.rotate()
    house.pass_time(turn.not_before + day * 86_400 + 100 - time.time())
    assert {one.name.split("-")[1] for one in house.seeds.all()} == {str(turn.number // EPOCH + n) for n in (-1, 0)}
    house.rotate()
    assert {one.name.split("-")[1] for one in house.seeds.all()} == {str(turn.number // EPOCH)}
    require_whole(house)
