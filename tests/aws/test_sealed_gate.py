"""A sealed gate on its stores: what the rotator lays, what an opening takes off, and what is left when."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from remediator.aws.external_ids import OfWindows, Unsealed
from remediator.aws.sealed_gate import AHEAD, BEHIND, SealedGate, StoredValue, paddings
from remediator.aws.seed_ring import SecretsManagerRing
from remediator.aws.sessions import StsSessions
from remediator.aws.staging import StagingTable
from remediator.catalogue import registry
from remediator.catalogue.spec import Home
from remediator.core.errors import Malformed
from remediator.core.gate import Opening, opening
from remediator.core.seeds import RING, SeedRecord, new_seed
from remediator.core.windows import PERIOD, Window, open_at, staged_at, window_at
from remediator.service.errors import Frozen, GateShut, LeaseTaken
from remediator.service.passage import Passage
from remediator.service.rotate import Rotator
from tests.aws.conftest import ACCOUNT, DEPLOYMENT

if TYPE_CHECKING:
    from tests.aws.conftest import Account

TABLE = "remediator-state"
NOW = 1_800_000_120.0
FIX = registry.load("aws.s3.block-public-access")
TARGETS = [FIX.target.parse({"arn": "arn:aws:s3:::one-bucket", "region": "eu-central-1"}, Home("aws", ACCOUNT))]


@dataclass
class Sealed:
    """A rotator with a sealed gate, the remediator's way to the value, and the time for both."""

    account: Account
    secret: str = ""
    now: float = NOW
    calls: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.roll()
        self.tables = self.account.client("dynamodb")
        self.secrets = self.account.client("secretsmanager")
        for client in (self.tables, self.secrets):
            client.meta.events.register("before-call", lambda model, **_: self.calls.append(model.name))

    def roll(self) -> None:
        """Put another value into another secret, as CloudFormation does."""
        made = self.account.client("secretsmanager").create_secret(
            Name=f"remediator/gate/{os.urandom(4).hex()}", SecretString=os.urandom(32).hex()
        )
        self.secret = made["ARN"]

    @property
    def value(self) -> str:
        return str(self.account.client("secretsmanager").get_secret_value(SecretId=self.secret)["SecretString"])

    @property
    def gate(self) -> SealedGate:
        value = StoredValue(self.secrets, self.secret)
        return SealedGate(self.tables, TABLE, value, deployment=DEPLOYMENT, clock=lambda: self.now)

    @property
    def staged(self) -> StagingTable:
        return StagingTable(self.tables, TABLE, paddings)

    @property
    def ring(self) -> SecretsManagerRing:
        return SecretsManagerRing(self.secrets, DEPLOYMENT, self.account.slots)

    def rotator(self, gate: SealedGate | None = None) -> Rotator:
        return Rotator(DEPLOYMENT, self.ring, self.staged, gate or self.gate, lambda: self.now, os.urandom)

    def rotate(self) -> bool:
        """Run the rotator; tell whether it wrote."""
        return self.rotator().run(os.urandom(8).hex()).wrote

    def set_state(self, state: str) -> None:
        self.account.client("dynamodb").put_item(TableName=TABLE, Item={"pk": {"S": "control"}, "state": {"S": state}})

    def items(self) -> dict[str, dict[str, Any]]:
        found = self.account.client("dynamodb").scan(TableName=TABLE)["Items"]
        return {item["pk"]["S"]: item for item in found}

    def padded(self) -> set[Window]:
        """Return the windows whose items have a pad."""
        return {Window(int(name.partition("/")[2])) for name, item in self.items().items() if "pad" in item}

    def opening(self, window: Window) -> Opening:
        seed = self.ring.read(window)
        assert seed is not None
        return opening(DEPLOYMENT, window, seed)

    def brings(self, window: Window, opened: Opening | None = None) -> str:
        """Return what an honest remediator takes to STS."""
        passage = Passage(window, opened or self.opening(window), "the-session-s-name", int(self.now) + 60)
        return Unsealed(self.tables, TABLE, DEPLOYMENT, lambda: self.now)(passage)


@pytest.fixture
def sealed(account: Account) -> Sealed:
    return Sealed(account)


def test_a_live_windows_opening_takes_the_pad_off(sealed: Sealed) -> None:
    assert sealed.rotate()
    assert sealed.padded() == set(staged_at(NOW))
    for window in staged_at(NOW):
        sealed.now = float(window.not_before)
        assert sealed.brings(window) == sealed.value


def test_another_opening_brings_something_else(sealed: Sealed) -> None:
    sealed.rotate()
    window = window_at(NOW)
    for other in (sealed.opening(window + 1), Opening(os.urandom(32))):
        assert sealed.brings(window, other) != sealed.value


def test_a_window_is_unsealed_in_its_time_and_its_grace_and_nothing_is_read_otherwise(sealed: Sealed) -> None:
    sealed.rotate()
    window = window_at(NOW)
    opened = sealed.opening(window)
    for now in (window.not_before, window.closes - 1):
        sealed.now = float(now)
        assert sealed.brings(window, opened) == sealed.value
    sealed.calls.clear()
    for now in (window.not_before - 1, window.closes, window.closes + 86_400):
        sealed.now = float(now)
        with pytest.raises(GateShut, match="isn't live"):
            sealed.brings(window, opened)
    assert sealed.calls == []


def test_a_dead_rotator_leaves_the_last_pads_and_the_clock_refuses_them(sealed: Sealed) -> None:
    sealed.rotate()
    last = staged_at(NOW)[-1]
    opened = sealed.opening(last)
    sealed.now = float(last.closes)
    assert last in sealed.padded()
    with pytest.raises(GateShut):
        sealed.brings(last, opened)


def test_what_is_over_loses_its_pad_and_keeps_its_verifier(sealed: Sealed) -> None:
    sealed.rotate()
    first = window_at(NOW)
    sealed.now = first.not_after + 10.0
    sealed.rotate()
    assert first in sealed.padded(), "its grace isn't over"
    sealed.now = first.closes + 1.0
    sealed.rotate()
    sealed.now += PERIOD
    sealed.rotate()
    assert sealed.padded() == set(open_at(sealed.now))
    assert {"P", "c"} <= set(sealed.items()[f"window/{first}"])


def test_a_pad_that_stands_is_left_alone(sealed: Sealed) -> None:
    sealed.rotate()
    sealed.now = window_at(NOW).closes + 1.0
    asked: list[Any] = []
    sealed.tables.meta.events.register(
        "provide-client-params.dynamodb.TransactWriteItems", lambda params, **_: asked.append(params["TransactItems"])
    )
    sealed.rotate()
    changed = [one["Update"]["Key"]["pk"]["S"] for one in asked[-1] if "Update" in one]
    assert sorted(changed) == [f"window/{window_at(NOW)}", f"window/{staged_at(sealed.now)[-1]}"]


@pytest.mark.parametrize("hours", [1, 7.5])
def test_a_rotator_that_comes_back_takes_what_it_had_left(sealed: Sealed, hours: float) -> None:
    sealed.rotate()
    sealed.now += hours * 3600
    sealed.rotate()
    assert sealed.padded() == set(open_at(sealed.now))


def test_while_frozen_every_run_takes_every_pad(sealed: Sealed) -> None:
    sealed.rotate()
    sealed.set_state("frozen")
    sealed.rotate()
    assert sealed.padded() == set()
    with pytest.raises(GateShut, match="nothing is sealed"):
        sealed.brings(window_at(NOW))
    sealed.now += PERIOD
    sealed.rotate()
    assert sealed.padded() == set()


def test_the_way_back_lays_them_again_also_where_the_closing_run_died_before_it_noted_anything(sealed: Sealed) -> None:
    sealed.rotate()
    sealed.set_state("frozen")
    sealed.gate.close()
    sealed.set_state("open")
    assert sealed.rotate()
    assert sealed.brings(window_at(NOW)) == sealed.value


def test_a_rotation_that_a_freeze_overtakes_lays_nothing(sealed: Sealed) -> None:
    sealed.rotate()
    sealed.gate.close()

    class Overtaken(SealedGate):
        def set(self, openings: Any) -> str:
            sealed.set_state("frozen")
            return super().set(openings)

    value = StoredValue(sealed.secrets, sealed.secret)
    gate = Overtaken(sealed.tables, TABLE, value, deployment=DEPLOYMENT, clock=lambda: NOW)
    with pytest.raises(Frozen):
        sealed.rotator(gate).run("run")
    assert sealed.padded() == set()


def test_after_a_roll_the_next_run_pads_the_new_value(sealed: Sealed) -> None:
    sealed.rotate()
    old = sealed.value
    sealed.roll()
    assert sealed.rotate()
    assert sealed.brings(window_at(NOW)) == sealed.value != old
    assert not sealed.rotate()


def test_a_pad_that_somebody_took_is_put_back(sealed: Sealed) -> None:
    sealed.rotate()
    sealed.account.client("dynamodb").update_item(
        TableName=TABLE,
        Key={"pk": {"S": f"window/{window_at(NOW)}"}},
        UpdateExpression="REMOVE #p, pad_of",
        ExpressionAttributeNames={"#p": "pad"},
    )
    assert sealed.rotate()
    assert sealed.padded() == set(staged_at(NOW))


def test_coming_from_a_gate_of_sts_the_first_run_seals(sealed: Sealed) -> None:
    """The windows stand, with a fingerprint noted that isn't ours."""
    table = StagingTable(sealed.tables, TABLE)
    table.take_lease("before", NOW - 10)
    table.give_lease_back("before", "a fingerprint of the trust policy")
    assert sealed.rotate()
    assert sealed.padded() == set(staged_at(NOW))


@pytest.mark.parametrize("dies_at", range(9))
def test_a_crash_at_any_call_is_repaired_by_the_next_run(sealed: Sealed, dies_at: int) -> None:
    sealed.rotate()
    sealed.now += PERIOD
    sealed.roll()
    sealed.calls.clear()

    def die(**_: Any) -> None:
        if len(sealed.calls) > dies_at:
            raise KeyboardInterrupt

    for client in (sealed.tables, sealed.secrets):
        client.meta.events.register_last("before-call", die)
    with pytest.raises(KeyboardInterrupt):
        sealed.rotate()
    for client in (sealed.tables, sealed.secrets):
        client.meta.events.unregister("before-call", die)
    sealed.now += 121
    sealed.rotate()
    assert sealed.padded() == set(open_at(sealed.now)) or sealed.padded() == set(staged_at(sealed.now))
    assert sealed.brings(window_at(sealed.now)) == sealed.value


def test_a_run_takes_ten_calls_when_it_writes_and_two_when_all_is_in_place(sealed: Sealed) -> None:
    sealed.rotate()
    sealed.calls.clear()
    assert not sealed.rotate()
    assert sealed.calls == ["BatchGetItem", "GetSecretValue"]
    sealed.calls.clear()
    sealed.now += PERIOD
    sealed.rotate()
    assert sealed.calls == [
        "BatchGetItem", "UpdateItem", "BatchGetItem", "BatchGetSecretValue", "PutSecretValue", "TransactWriteItems",
        "GetSecretValue", "BatchGetItem", "TransactWriteItems", "UpdateItem",
    ]  # fmt: skip


def test_as_many_items_are_looked_at_as_one_transaction_changes_with_the_state() -> None:
    assert BEHIND + 1 + AHEAD + 1 == 100


def test_a_busy_table_stops_the_run_and_nothing_is_taken_for_absent(
    sealed: Sealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed.rotate()
    busy = {"Responses": {TABLE: []}, "UnprocessedKeys": {TABLE: {"Keys": [{"pk": {"S": "window/1"}}]}}}
    monkeypatch.setattr(sealed.tables, "batch_get_item", lambda **_: busy)
    for act in (lambda: sealed.gate.set({}), sealed.gate.close):
        with pytest.raises(LeaseTaken):
            act()


def test_an_item_that_goes_meanwhile_leaves_the_rest_to_the_next_run(sealed: Sealed) -> None:
    sealed.rotate()
    real, client = sealed.tables.transact_write_items, sealed.account.client("dynamodb")

    class Gone:
        def __getattr__(self, name: str) -> Any:
            return getattr(sealed.tables, name)

        def transact_write_items(self, **given: Any) -> Any:
            client.delete_item(TableName=TABLE, Key={"pk": {"S": f"window/{window_at(NOW)}"}})
            return real(**given)

    value = StoredValue(sealed.secrets, sealed.secret)
    gate = SealedGate(Gone(), TABLE, value, deployment=DEPLOYMENT, clock=lambda: NOW)
    with pytest.raises(LeaseTaken):
        gate.close()
    assert f"window/{window_at(NOW)}" not in sealed.items()


def test_an_error_of_a_store_isn_t_taken_for_a_refusal(sealed: Sealed) -> None:
    sealed.rotate()
    sealed.account.client("secretsmanager").delete_secret(SecretId=sealed.secret, ForceDeleteWithoutRecovery=True)
    with pytest.raises(ClientError):
        sealed.gate.stands(staged_at(NOW), "")
    with pytest.raises(ClientError):
        sealed.gate.set({})


@pytest.mark.parametrize("text", ["", "F" * 64, "f" * 63, "not a value"])
def test_a_secret_that_isn_t_a_value_is_refused_and_not_quoted(sealed: Sealed, text: str) -> None:
    sealed.account.client("secretsmanager").put_secret_value(SecretId=sealed.secret, SecretString=text or " ")
    with pytest.raises(Malformed) as caught:
        StoredValue(sealed.secrets, sealed.secret).read()
    assert not text or text not in str(caught.value)


def test_sts_is_asked_with_the_value_and_a_spoilt_pad_or_a_busy_table_shuts_the_gate(sealed: Sealed) -> None:
    sealed.rotate()
    window = window_at(NOW)
    ids = Unsealed(sealed.tables, TABLE, DEPLOYMENT, lambda: NOW)
    sessions = StsSessions(
        sealed.account.session, external_ids=ids, write_role=f"arn:aws:iam::{ACCOUNT}:role/remediator-write"
    )
    asked: list[Any] = []
    sessions._sts.meta.events.register("provide-client-params.sts.AssumeRole", lambda params, **_: asked.append(params))
    doorway = sessions.at(Passage(window, sealed.opening(window), "the-session-s-name", int(NOW) + 60))
    with doorway.open(FIX, TARGETS, write=True):
        pass
    assert [params["ExternalId"] for params in asked] == [sealed.value]
    key = {"pk": {"S": f"window/{window}"}}
    sealed.account.client("dynamodb").update_item(
        TableName=TABLE,
        Key=key,
        UpdateExpression="SET #p = :p",
        ExpressionAttributeNames={"#p": "pad"},
        ExpressionAttributeValues={":p": {"B": b"short"}},
    )
    with pytest.raises(GateShut), doorway.open(FIX, TARGETS, write=True):
        pytest.fail("the gate opened")
    sealed.account.client("dynamodb").delete_table(TableName=TABLE)
    with pytest.raises(GateShut), doorway.open(FIX, TARGETS, write=True):
        pytest.fail("the gate opened")


def test_a_gate_of_sts_asks_no_store(account: Account) -> None:
    window, seed = window_at(NOW), new_seed(os.urandom)
    record = SeedRecord(DEPLOYMENT, window, seed)
    assert len(account.slots) == RING
    opened = opening(DEPLOYMENT, record.window, seed)
    assert len(OfWindows(DEPLOYMENT)(Passage(window, opened, "name-of-it", int(NOW)))) == 64
