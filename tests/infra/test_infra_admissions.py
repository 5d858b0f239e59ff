"""With manual delivery the vendor has no right on seeds; who admits, counts or clears has a few attributes each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from remediator.aws.admission_desk import TOUCHED_BY_DESK
from remediator.aws.admissions import TOUCHED, TOUCHED_BY_SWEEP
from tests.infra.deployed import KEY, SECRETS, STATE, Deployed

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.xdist_group("synth")

OURS = {
    "remediator": TOUCHED,
    "remediator-operator": TOUCHED_BY_DESK,
    "remediator-rotator": TOUCHED_BY_SWEEP,
}
WINDOW = {"dynamodb__LeadingKeys": ["window/5984850"]}
VIA_SECRETS = {"kms__ViaService": "secretsmanager.eu-west-1.amazonaws.com"}
SIDS = {"Admit", "RequireOpen", "CountAttempts", "ClearDeposits", "NoSeedRecords", "NoDecrypt"}


@pytest.fixture(scope="module")
def manual(deployed_with: Callable[..., Deployed]) -> Deployed:
    return deployed_with(delivery="manual")


def updates(found: Deployed, role: str, attributes: Any, **more: Any) -> bool:
    context = WINDOW | {"dynamodb__Attributes": list(attributes)} | more
    return found.asks(role, "dynamodb:UpdateItem", STATE, **context).allowed


@pytest.mark.parametrize("secret", SECRETS)
def test_with_manual_delivery_the_reader_has_no_right_on_a_seed_record(manual: Deployed, secret: str) -> None:
    for action in ("secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue"):
        refused = manual.asks("remediator-reader", action, secret)
        assert (refused.allowed, refused.explicit) == (False, True)
    refused = manual.asks("remediator-reader", "kms:Decrypt", KEY, **VIA_SECRETS)
    assert (refused.allowed, refused.explicit) == (False, True)


@pytest.mark.parametrize("secret", SECRETS)
def test_with_manual_delivery_the_operator_still_reads_them(manual: Deployed, secret: str) -> None:
    assert manual.asks("remediator-operator", "secretsmanager:GetSecretValue", secret).allowed
    assert manual.asks("remediator-operator", "kms:Decrypt", KEY, **VIA_SECRETS).allowed


@pytest.mark.parametrize(("role", "attributes"), OURS.items())
def test_each_may_change_an_admission_and_nothing_else_of_a_window(
    manual: Deployed, role: str, attributes: tuple[str, ...]
) -> None:
    assert updates(manual, role, attributes)
    for others in (["P"], ["c"], ["expires_at"], [*attributes, "P"], [*attributes, "c"]):
        assert not updates(manual, role, others)
    assert not manual.asks(role, "dynamodb:UpdateItem", STATE, **WINDOW).allowed, "an update that names nothing"
    assert not updates(manual, role, attributes, dynamodb__ReturnValues="ALL_NEW")
    assert not updates(manual, role, attributes, dynamodb__ReturnValues="ALL_OLD")


@pytest.mark.parametrize("role", OURS)
def test_whoever_may_not_change_its_dates_leaves_them(manual: Deployed, role: str) -> None:
    assert updates(manual, role, ["pk", "not_after"]) is (role == "remediator-operator")


@pytest.mark.parametrize("role", ["remediator", "remediator-operator", "remediator-reader"])
@pytest.mark.parametrize("action", ["dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem"])
def test_nobody_puts_or_deletes_a_window_for_it(manual: Deployed, role: str, action: str) -> None:
    for attributes in ({}, {"dynamodb__Attributes": ["pk", "opening"]}):
        assert not manual.asks(role, action, STATE, **WINDOW, **attributes).allowed


def test_the_operator_may_make_the_open_state_a_condition(manual: Deployed) -> None:
    action = "dynamodb:ConditionCheckItem"
    assert manual.asks("remediator-operator", action, STATE, dynamodb__LeadingKeys=["control"]).allowed
    assert not manual.asks("remediator-operator", action, STATE, dynamodb__LeadingKeys=["lease"]).allowed


@pytest.mark.parametrize("delivery", [None, "automatic"])
def test_with_automatic_delivery_nobody_has_any_of_it(
    deployed: Deployed, deployed_with: Callable[..., Deployed], delivery: str | None
) -> None:
    found = deployed_with(delivery=delivery) if delivery else deployed
    for role, attributes in OURS.items():
        assert not updates(found, role, attributes)
    assert not {one.get("Sid") for role in found.roles for one in found.statements(role)} & SIDS
    assert found.asks("remediator-reader", "secretsmanager:GetSecretValue", SECRETS[0]).allowed


@pytest.mark.parametrize("delivery", ["automatic", "manual"])
def test_functions_and_outputs_say_how_codes_are_delivered(
    deployed_with: Callable[..., Deployed], delivery: str
) -> None:
    found = deployed_with(delivery=delivery)
    functions = found.of_type("AWS::Lambda::Function").values()
    ours = [one["Environment"]["Variables"] for one in functions if "DEPLOYMENT" in str(one.get("Environment"))]
    assert [one["DELIVERY"] for one in ours] == [delivery, delivery]
    assert found.outputs["Delivery"] == delivery
