"""Who reads the customer's policy and who writes it, and who may read tags."""

from __future__ import annotations

from typing import Any

import pytest

from infra.aws import uses
from remediator.operator.aws import policy
from tests.infra.deployed import STATE, Deployed, role_arn

pytestmark = pytest.mark.xdist_group("synth")

POLICY: dict[str, Any] = {"dynamodb__LeadingKeys": ["policy"]}
WRITES = (
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteItem",
    "dynamodb:PartiQLDelete",
    "dynamodb:PartiQLInsert",
    "dynamodb:PartiQLUpdate",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
)


def test_nobody_but_the_operator_writes_the_policy_and_nobody_deletes_it(deployed: Deployed) -> None:
    may = {
        (role, action)
        for role in deployed.roles
        for action in WRITES
        if deployed.asks(role, action, STATE, **POLICY).allowed
    }
    assert may == {("remediator-operator", action) for action in policy.USES_STATE}
    assert set(policy.USES_STATE) == {"dynamodb:PutItem"}


@pytest.mark.parametrize("key", ["control", "lease", "window/5000", "count/AROA/5000", "count/2026-11-28", "policy/x"])
def test_what_puts_the_policy_puts_no_other_item(deployed: Deployed, key: str) -> None:
    asked = {"dynamodb__LeadingKeys": [key]}
    assert not deployed.asks("remediator-operator", "dynamodb:PutItem", STATE, **asked).allowed
    both = {"dynamodb__LeadingKeys": ["policy", key]}
    assert not deployed.asks("remediator-operator", "dynamodb:PutItem", STATE, **both).allowed


def test_a_put_that_names_no_key_is_refused(deployed: Deployed) -> None:
    assert not deployed.asks("remediator-operator", "dynamodb:PutItem", STATE).allowed


def test_the_remediator_reads_the_policy_with_the_control_item_and_the_rotator_never(deployed: Deployed) -> None:
    keys = {"dynamodb__LeadingKeys": ["control", "policy", "window/5000"]}
    assert deployed.asks("remediator", "dynamodb:BatchGetItem", STATE, **keys).allowed
    assert "policy" not in {key for items in uses.ROTATOR_STATE.values() for key in items}
    for action in ("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"):
        assert not deployed.asks("remediator-rotator", action, STATE, **POLICY).allowed


def test_the_write_role_alone_reads_tags_and_only_in_the_regions(deployed: Deployed) -> None:
    here, elsewhere = {"aws__RequestedRegion": "eu-west-1"}, {"aws__RequestedRegion": "sa-east-1"}
    may = {role for role in deployed.roles if deployed.asks(role, "tag:GetResources", "*", **here).allowed}
    assert may == {"remediator-write"}
    assert not deployed.asks("remediator-write", "tag:GetResources", "*", **elsewhere).allowed
    for action in ("tag:TagResources", "tag:UntagResources", "tag:GetTagKeys"):
        assert not deployed.asks("remediator-write", action, role_arn("any"), **here).allowed
