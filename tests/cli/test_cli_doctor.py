from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from remediator.cli.exits import Exit
from tests.cli.conftest import document, gate_statement

if TYPE_CHECKING:
    from tests.cli.conftest import Deployed
    from tests.vendor.speaking import Speaker


def given(deployed: Deployed, *missing: str) -> None:
    """Let the stack have all outputs but these."""
    outputs = {"Delivery": "automatic", **deployed.outputs}
    rest = {name: {"Value": one} for name, one in outputs.items() if name not in missing}
    template = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}, "Outputs": rest}
    deployed.client("cloudformation").update_stack(StackName="Remediator", TemplateBody=json.dumps(template))


@pytest.fixture(autouse=True)
def complete(deployed: Deployed) -> None:
    given(deployed)


def checks(result: Any) -> dict[str, dict[str, Any]]:
    return {one["about"]: one for one in document(result)["checks"]}


def test_what_is_wrong_ends_with_1_and_says_what_to_do(run: Any) -> None:
    result = run("doctor", "--json")
    found = checks(result)
    assert (found["gate"]["fine"], found["state"]["fine"], found["outputs"]["fine"]) == (True, True, True)
    assert result.exit_code == Exit.NOT_FIXED
    for one in found.values():
        assert bool(one["next"]) is (one["fine"] is not True), one


def test_a_check_that_is_refused_is_not_fine_and_the_others_are_made_all_the_same(run: Any) -> None:
    found = checks(run("doctor", "--json"))
    assert found["functions"]["said"].startswith("refused: ")
    assert found["endpoint's clock"]["fine"]


def test_a_closed_gate_ends_with_5(run: Any, deployed: Deployed) -> None:
    deployed.trust(gate_statement(0, 300))
    result = run("doctor", "--json")
    assert result.exit_code == Exit.NOT_NOW
    assert not checks(result)["gate"]["fine"]


def test_a_frozen_deployment_ends_with_5(run: Any, deployed: Deployed) -> None:
    deployed.put("remediator-state", pk="control", state="frozen", order="o", by="alice", at=1, why="a leak")
    result = run("doctor", "--json")
    assert result.exit_code == Exit.NOT_NOW
    assert checks(result)["state"]["said"] == "frozen by alice: every request is refused"


def test_while_frozen_nothing_is_planned_and_nobody_is_told_to_rotate(
    run: Any, deployed: Deployed, speaker: Speaker
) -> None:
    deployed.put("remediator-state", pk="control", state="frozen", order="o", by="alice", at=1, why="a leak")
    deployed.trust(gate_statement(0, 300))
    result = run("doctor", "--fix", "aws.s3.block-public-access", "--target", "arn:aws:s3:::b")
    assert "· plan: not tried" in result.stdout
    assert "Rotate now" not in result.stdout
    assert "remediator unfreeze" in result.stdout
    assert [one for one in speaker.received if one.path == "/v1/remediations"] == []


def test_outputs_that_are_incomplete_are_named_and_nothing_else_is_looked_at(run: Any, deployed: Deployed) -> None:
    given(deployed, "StateTable", "WriteRoleArn")
    found = checks(run("doctor", "--json"))
    assert found.keys() == {"outputs"}
    assert found["outputs"]["said"] == "lack StateTable, WriteRoleArn"


def test_clocks_a_minute_apart_are_found(run: Any, speaker: Speaker) -> None:
    speaker.lie_about_time = 90.0
    found = checks(run("doctor", "--json"))["endpoint's clock"]
    assert not found["fine"]
    assert "s ahead of this machine's" in found["said"]


def test_a_person_sees_a_mark_and_what_to_do_next(run: Any, deployed: Deployed) -> None:
    deployed.trust(gate_statement(0, 300))
    shown = run("doctor").stdout
    assert "✓ outputs: complete" in shown
    assert "✗ gate: closed" in shown
    assert "Rotate now" in shown


def test_what_is_planned_can_be_named_and_a_target_needs_a_fix(run: Any) -> None:
    bucket = ("--target", "arn:aws:s3:::example-bucket", "--target-region", "eu-west-1")
    found = checks(run("doctor", "--json", "--fix", "aws.s3.block-public-access", *bucket))
    assert found["plan"]["said"].startswith("aws.s3.block-public-access: ")
    assert run("doctor", *bucket).exit_code == Exit.USAGE
