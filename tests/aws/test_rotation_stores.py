"""The rotator's adapters, each on the store it is for."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from remediator.aws.seed_ring import SecretsManagerRing
from remediator.aws.staging import StagingTable
from remediator.aws.trust_policy import TrustPolicyGate, closed_document, compact, open_document
from remediator.aws.verifiers import VerifierTable
from remediator.core.gate import gate_value, opening, verifier_of
from remediator.core.seeds import SeedRecord, new_seed, version_of
from remediator.core.windows import Window, staged_at
from remediator.service.errors import Frozen, LeaseTaken
from remediator.service.rotate import Rotator
from remediator.service.standing import Standing
from tests.aws.conftest import DEPLOYMENT, REMEDIATOR
from tests.service.world import Notebook

if TYPE_CHECKING:
    from remediator.core.gate import Opening
    from tests.aws.conftest import Account

NOW = 1_800_000_120
WINDOWS = staged_at(NOW)
SEED = new_seed(lambda length: bytes(range(length)))


def record(window: Window) -> SeedRecord:
    return SeedRecord(DEPLOYMENT, window, new_seed(os.urandom))


@pytest.fixture
def ring(account: Account) -> SecretsManagerRing:
    return SecretsManagerRing(account.client("secretsmanager"), DEPLOYMENT, account.slots)


@pytest.fixture
def table(account: Account) -> StagingTable:
    return StagingTable(account.client("dynamodb"), "remediator-state")


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


@pytest.fixture
def gate(account: Account, notebook: Notebook) -> TrustPolicyGate:
    return TrustPolicyGate(
        account.client("iam"),
        deployment=DEPLOYMENT,
        write_role="remediator-write",
        remediator_role=REMEDIATOR,
        monitor=notebook,
    )


def test_an_empty_ring_holds_nothing(ring: SecretsManagerRing) -> None:
    assert ring.held() == {}
    assert ring.read(WINDOWS[0]) is None


def test_the_ring_gives_back_what_it_keeps(ring: SecretsManagerRing) -> None:
    records = [record(window) for window in WINDOWS]
    assert [ring.keep(one) for one in records] == [one.seed for one in records]
    assert ring.held() == {one.window: one.seed for one in records}
    assert ring.read(WINDOWS[2]) == records[2].seed


def test_the_first_seed_of_a_window_is_the_one_that_stays(ring: SecretsManagerRing, account: Account) -> None:
    first, second = record(WINDOWS[0]), record(WINDOWS[0])
    ring.keep(first)
    assert ring.keep(second) == first.seed
    versions = account.client("secretsmanager").list_secret_version_ids(SecretId=account.slots[WINDOWS[0].number % 6])
    assert [one["VersionId"] for one in versions["Versions"]] == [version_of(DEPLOYMENT, WINDOWS[0])]


def test_an_error_of_the_store_isn_t_taken_for_an_answer(account: Account) -> None:
    ring = SecretsManagerRing(account.client("secretsmanager"), DEPLOYMENT, ("there-is-none",) * 6)
    with pytest.raises(ClientError):
        ring.keep(record(WINDOWS[0]))


def test_seeds_of_another_deployment_in_the_ring_aren_t_ours(ring: SecretsManagerRing, account: Account) -> None:
    other = SecretsManagerRing(account.client("secretsmanager"), "another-deployment", account.slots)
    other.keep(SeedRecord("another-deployment", WINDOWS[0], new_seed(os.urandom)))
    assert ring.held() == {}
    assert ring.read(WINDOWS[0]) is None


def test_before_the_first_run_nothing_stands(table: StagingTable) -> None:
    staging = table.look(WINDOWS)
    assert (staging.state, staging.windows, staging.gate) == (None, frozenset(), "")


def test_what_is_staged_is_what_the_remediator_reads(table: StagingTable, account: Account) -> None:
    verifiers = [verifier_of(DEPLOYMENT, window, new_seed(os.urandom)) for window in WINDOWS]
    table.take_lease("run", NOW)
    table.open_first()
    table.stage(verifiers, "run")
    table.give_lease_back("run", "fingerprint")
    staging = table.look(WINDOWS)
    assert (staging.state, staging.windows, staging.gate) == ("open", frozenset(WINDOWS), "fingerprint")
    reader = VerifierTable(account.client("dynamodb"), "remediator-state")
    assert reader.standing().state == "open"
    assert reader.standing(WINDOWS[1]) == Standing("open", verifier=verifiers[1])
    assert reader.standing(WINDOWS[3] + 1) == Standing("open")


def test_an_item_whose_dates_contradict_its_window_is_no_verifier(table: StagingTable, account: Account) -> None:
    table.take_lease("run", NOW)
    table.open_first()
    table.stage([verifier_of(DEPLOYMENT, WINDOWS[0], new_seed(os.urandom))], "run")
    account.client("dynamodb").update_item(
        TableName="remediator-state",
        Key={"pk": {"S": f"window/{WINDOWS[0]}"}},
        UpdateExpression="SET not_after = :later",
        ExpressionAttributeValues={":later": {"N": "9999999999"}},
    )
    reader = VerifierTable(account.client("dynamodb"), "remediator-state")
    assert reader.standing(WINDOWS[0]) == Standing("open")


def test_before_the_first_run_the_remediator_reads_no_state(account: Account) -> None:
    reader = VerifierTable(account.client("dynamodb"), "remediator-state")
    assert reader.standing().state is None
    assert reader.standing(WINDOWS[0]) == Standing(None)


def test_a_state_that_is_there_is_never_opened(table: StagingTable, account: Account) -> None:
    item = {"pk": {"S": "control"}, "state": {"S": "frozen"}}
    account.client("dynamodb").put_item(TableName="remediator-state", Item=item)
    table.open_first()
    assert table.look(WINDOWS).state == "frozen"


def test_a_verifier_is_inserted_once_and_never_replaced(table: StagingTable) -> None:
    table.take_lease("run", NOW)
    table.open_first()
    table.stage([verifier_of(DEPLOYMENT, WINDOWS[0], new_seed(os.urandom))], "run")
    with pytest.raises(LeaseTaken):
        table.stage([verifier_of(DEPLOYMENT, WINDOWS[0], new_seed(os.urandom))], "run")


def test_nothing_is_staged_while_frozen(table: StagingTable, account: Account) -> None:
    table.take_lease("run", NOW)
    item = {"pk": {"S": "control"}, "state": {"S": "frozen"}}
    account.client("dynamodb").put_item(TableName="remediator-state", Item=item)
    with pytest.raises(Frozen):
        table.stage([verifier_of(DEPLOYMENT, WINDOWS[0], new_seed(os.urandom))], "run")
    assert table.look(WINDOWS).windows == frozenset()


def test_a_lease_is_one_run_s_for_two_minutes(table: StagingTable) -> None:
    table.take_lease("one", NOW)
    table.take_lease("one", NOW)  # a reply was lost, and the call sent again
    with pytest.raises(LeaseTaken):
        table.take_lease("two", NOW + 119)
    table.take_lease("two", NOW + 120)
    with pytest.raises(LeaseTaken):
        table.give_lease_back("one", "")
    table.open_first()
    with pytest.raises(LeaseTaken):
        table.stage([verifier_of(DEPLOYMENT, WINDOWS[0], new_seed(os.urandom))], "one")
    table.give_lease_back("two", "")
    table.take_lease("three", NOW + 121)


def test_an_error_of_the_table_isn_t_taken_for_a_refusal(account: Account) -> None:
    table = StagingTable(account.client("dynamodb"), "there-is-none")
    with pytest.raises(ClientError):
        table.stage([verifier_of(DEPLOYMENT, WINDOWS[0], new_seed(os.urandom))], "run")


def test_the_gate_stands_as_it_was_set_and_not_otherwise(gate: TrustPolicyGate, account: Account) -> None:
    openings = {window: opening(DEPLOYMENT, window, new_seed(os.urandom)) for window in WINDOWS}
    fingerprint = gate.set(openings)
    assert gate.stands(WINDOWS, fingerprint)
    assert not gate.stands((*WINDOWS, WINDOWS[-1] + 1), fingerprint)
    assert not gate.stands(WINDOWS, "another fingerprint")
    account.client("iam").update_assume_role_policy(
        RoleName="remediator-write", PolicyDocument=compact(closed_document(REMEDIATOR))
    )
    assert not gate.stands(WINDOWS, fingerprint)


def test_each_window_has_one_statement_with_its_own_value_and_dates(gate: TrustPolicyGate, account: Account) -> None:
    opened = opening(DEPLOYMENT, WINDOWS[0], new_seed(os.urandom))
    gate.set({WINDOWS[0]: opened})
    trust = account.client("iam").get_role(RoleName="remediator-write")["Role"]["AssumeRolePolicyDocument"]
    assert trust["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"AWS": REMEDIATOR},
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": {"sts:ExternalId": gate_value(DEPLOYMENT, WINDOWS[0], opened).text()},
                "DateGreaterThanEquals": {"aws:CurrentTime": "2027-01-15T08:00:00Z"},
                "DateLessThan": {"aws:CurrentTime": "2027-01-15T08:06:00Z"},
            },
        }
    ]


def _openings(*windows: Window) -> dict[Window, Opening]:
    return {window: opening(DEPLOYMENT, window, SEED) for window in windows}


def _put(account: Account, *statements: dict[str, Any]) -> None:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    account.client("iam").update_assume_role_policy(RoleName="remediator-write", PolicyDocument=json.dumps(document))


def _statement_of(window: Window, value: str, principal: str = REMEDIATOR, **condition: Any) -> dict[str, Any]:
    (statement,) = open_document(principal, {window: value})["Statement"]
    statement["Condition"] |= condition
    return dict(statement)


def _value(window: Window) -> str:
    return gate_value(DEPLOYMENT, window, opening(DEPLOYMENT, window, SEED)).text()


def test_moving_the_gate_over_what_we_left_or_a_deployment_closed_is_quiet(
    gate: TrustPolicyGate, notebook: Notebook, account: Account
) -> None:
    """Also if the run that wrote it was killed, or IAM shows an older document still."""
    gate.set(_openings(*WINDOWS[:3]))
    gate.set(_openings(*WINDOWS[1:]))
    gate.close()
    gate.set(_openings(*WINDOWS[:2]))
    _put(account, *closed_document(REMEDIATOR)["Statement"])
    gate.set(_openings(*WINDOWS))
    assert notebook.metrics["GateChanged"] == 0


FOREIGN = {
    "a stranger in the window": _statement_of(WINDOWS[1], _value(WINDOWS[1]), "arn:aws:iam::999999999999:root"),
    "a value of a stranger's": _statement_of(WINDOWS[1], "f" * 64),
    "no value": _statement_of(WINDOWS[1], _value(WINDOWS[1]), StringEquals={}),
    "no end": _statement_of(WINDOWS[1], _value(WINDOWS[1]), DateLessThan={}),
    "another beginning": _statement_of(
        WINDOWS[1], _value(WINDOWS[1]), DateGreaterThanEquals={"aws:CurrentTime": "2020-01-01T00:00:00Z"}
    ),
    "a window that nobody staged": _statement_of(WINDOWS[3] + 9, "f" * 64),
    "nothing but a principal": {"Effect": "Allow", "Principal": {"AWS": REMEDIATOR}, "Action": "sts:AssumeRole"},
}


@pytest.mark.parametrize("foreign", FOREIGN.values(), ids=FOREIGN)
def test_moving_the_gate_over_what_somebody_else_wrote_rings_once_and_repairs(
    gate: TrustPolicyGate, notebook: Notebook, account: Account, foreign: dict[str, Any]
) -> None:
    gate.set(_openings(*WINDOWS))
    _put(account, _statement_of(WINDOWS[0], _value(WINDOWS[0])), foreign)
    gate.set(_openings(*WINDOWS))
    assert notebook.notes == [("somebody else changed whom the write role trusts", {"statements": 1})]
    assert notebook.metrics["GateChanged"] == 1
    gate.set(_openings(*WINDOWS))
    assert notebook.metrics["GateChanged"] == 1


def test_whatever_form_a_stranger_gives_the_policy_the_gate_is_repaired(
    gate: TrustPolicyGate, notebook: Notebook, account: Account
) -> None:
    odd = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": ["sts:AssumeRole"],
        "Condition": {"DateGreaterThanEquals": {"aws:CurrentTime": ["2020-01-01T00:00:00Z"]}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": odd})
    account.client("iam").update_assume_role_policy(RoleName="remediator-write", PolicyDocument=document)
    assert not gate.stands(WINDOWS, "any")
    left = gate.set(_openings(*WINDOWS))
    assert notebook.metrics["GateChanged"] == 1
    assert gate.stands(WINDOWS, left)


def test_closing_the_gate_over_a_stranger_rings(gate: TrustPolicyGate, notebook: Notebook, account: Account) -> None:
    gate.set(_openings(*WINDOWS))
    gate.close()
    assert notebook.metrics["GateChanged"] == 0
    _put(account, _statement_of(WINDOWS[1], _value(WINDOWS[1]), "arn:aws:iam::999999999999:root"))
    gate.close()
    assert notebook.metrics["GateChanged"] == 1


def test_the_closed_gate_opens_for_nobody_since_2000(gate: TrustPolicyGate, account: Account) -> None:
    gate.close()
    (statement,) = account.client("iam").get_role(RoleName="remediator-write")["Role"]["AssumeRolePolicyDocument"][
        "Statement"
    ]
    assert statement["Condition"]["DateLessThan"] == {"aws:CurrentTime": "2000-01-01T00:00:01Z"}


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_five_windows_fit_in_a_trust_policy(partition: str) -> None:
    document = open_document(
        f"arn:{partition}:iam::123456789012:role/remediator", {WINDOWS[0] + n: "f" * 64 for n in range(5)}
    )
    assert len(compact(document)) <= 2048


def test_a_rotation_takes_nine_calls_when_it_writes_and_two_when_all_is_in_place(account: Account) -> None:
    calls: list[str] = []
    clients: dict[str, Any] = {name: account.client(name) for name in ("secretsmanager", "dynamodb", "iam")}
    for client in clients.values():
        client.meta.events.register("before-call", lambda model, **_: calls.append(model.name))
    now = [float(NOW)]
    rotator = Rotator(
        DEPLOYMENT,
        SecretsManagerRing(clients["secretsmanager"], DEPLOYMENT, account.slots),
        StagingTable(clients["dynamodb"], "remediator-state"),
        TrustPolicyGate(clients["iam"], deployment=DEPLOYMENT, write_role="remediator-write",
                        remediator_role=REMEDIATOR, monitor=Notebook()),
        lambda: now[0],
        os.urandom,
    )  # fmt: skip
    assert rotator.run("run-1").wrote
    calls.clear()
    assert not rotator.run("run-2").wrote
    assert calls == ["BatchGetItem", "GetRole"]
    calls.clear()
    now[0] += 300
    assert rotator.run("run-3").wrote
    assert calls == [
        "BatchGetItem", "UpdateItem", "BatchGetItem", "BatchGetSecretValue", "PutSecretValue", "TransactWriteItems",
        "GetRole", "UpdateAssumeRolePolicy", "UpdateItem",
    ]  # fmt: skip
