"""The command `roll-gate`, and what `status` and `freeze` say of a sealed gate."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from remediator.cli.exits import Exit
from remediator.operator.aws import freeze, gate_roller, office
from remediator.service.errors import NotDone
from tests.cli.conftest import REMEDIATOR, document
from tests.cli.test_cli_freeze import BUSY, FOUND_FROZEN, FOUND_OPEN, Functions

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Deployed

TABLE = "remediator-state"


class Stack:
    """A stack with a sealed gate, as CloudFormation shows it while an update goes through these states."""

    def __init__(self, deployed: Deployed, *states: str) -> None:
        self.deployed = deployed
        self.states = list(states)
        self.generation = 1
        self.updates: list[dict[str, Any]] = []
        self.updated: int | None = None

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 - as the SDK names it
        assert StackName == "Remediator"
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        parameters = {"GateGeneration": str(self.generation), "BootstrapVersion": "/cdk-bootstrap/version"}
        found = {
            "StackStatus": state,
            "CreationTime": 0,
            "StackStatusReason": "no such boundary",
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in self.deployed.outputs.items()],
        }
        return {"Stacks": [found | ({"LastUpdatedTime": self.updated} if self.updated else {})]}

    def describe_stack_resource(self, StackName: str, LogicalResourceId: str) -> dict[str, Any]:  # noqa: N803
        assert (StackName, LogicalResourceId) == ("Remediator", "GateSecret")
        return {"StackResourceDetail": {"PhysicalResourceId": f"remediator/gate/{self.generation}"}}

    def update_stack(self, **given: Any) -> None:
        self.updates.append(given)
        self.generation += 1
        self.updated = self.generation
        made = self.deployed.client("secretsmanager").create_secret(
            Name=f"remediator/gate/{self.generation}", SecretString="0" * 64
        )
        self.version = made["VersionId"]


class Rotator(Functions):
    """Lay pads for the secret that stands, unless it is frozen or told to leave one out."""

    def __init__(self, stack: Stack, *answers: Any, leaves_out: int = 0) -> None:
        super().__init__(*answers)
        self.stack = stack
        self.leaves_out = leaves_out

    def invoke(self, FunctionName: str) -> dict[str, Any]:  # noqa: N803 - as the SDK names it
        answer = super().invoke(FunctionName)
        if FOUND_FROZEN in self.answers:
            return answer
        for number, window in enumerate(self.stack.deployed.windows):
            version = "an old one" if number < self.leaves_out else self.stack.version
            self.stack.deployed.put(TABLE, pk=f"window/{window}", pad_of=version)
        return answer


@pytest.fixture
def sealed(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Stack, Rotator]]:
    deployed.outputs["Gate"] = "sealed"

    def made(*states: str, answers: Any = (FOUND_OPEN,), leaves_out: int = 0) -> tuple[Stack, Rotator]:
        stack = Stack(deployed, *(states or ("CREATE_COMPLETE", "UPDATE_COMPLETE")))
        rotator = Rotator(stack, *answers, leaves_out=leaves_out)
        real = gate_roller.GateRoller._client

        def client(self: Any, service: str) -> Any:
            return {"cloudformation": stack, "lambda": rotator}.get(service) or real(self, service)

        monkeypatch.setattr(gate_roller.GateRoller, "_client", client)
        monkeypatch.setattr(gate_roller, "outputs_of", lambda *_, **__: deployed.outputs)
        monkeypatch.setattr("remediator.cli.aws_place.waits", lambda _: [None] * 6)
        return stack, rotator

    return made


def test_rolling_updates_the_stack_with_its_own_template_and_one_parameter(run: Any, sealed: Any) -> None:
    stack, rotator = sealed("CREATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE")
    result = run("roll-gate", "--json")
    assert result.exit_code == Exit.OK, result.output
    assert stack.updates == [
        {
            "StackName": "Remediator",
            "UsePreviousTemplate": True,
            "Parameters": [
                {"ParameterKey": "BootstrapVersion", "UsePreviousValue": True},
                {"ParameterKey": "GateGeneration", "ParameterValue": "2"},
            ],
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
        }
    ]
    assert rotator.calls == 1
    said = document(result)
    assert (said["generation"], said["frozen"], len(said["sealed"])) == (2, False, 4)


def test_it_says_what_it_does_and_how_long_the_old_value_lives(run: Any, sealed: Any) -> None:
    sealed("CREATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE")
    said = run("roll-gate").output
    for words in ("generation 2", "CloudFormation: UPDATE_IN_PROGRESS", "the rotator seals it", "an hour at most"):
        assert words in said


def test_it_waits_for_what_is_under_way_and_for_what_it_began(run: Any, sealed: Any) -> None:
    stack, _ = sealed("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE", "UPDATE_COMPLETE")
    assert run("roll-gate").exit_code == Exit.OK
    assert len(stack.updates) == 1


def test_run_again_it_makes_another_one(run: Any, sealed: Any) -> None:
    sealed()
    assert document(run("roll-gate", "--json"))["generation"] == 2
    assert document(run("roll-gate", "--json"))["generation"] == 3


@pytest.mark.parametrize(
    ("states", "says"),
    [
        (("ROLLBACK_FAILED",), "put it right with CloudFormation first"),
        (("CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"), "the old external id stands"),
        (("CREATE_COMPLETE", "UPDATE_ROLLBACK_FAILED"), "put it right"),
        (("UPDATE_IN_PROGRESS",), "still at it"),
    ],
)
def test_what_cloudformation_doesn_t_do_is_said(run: Any, sealed: Any, states: tuple[str, ...], says: str) -> None:
    _, rotator = sealed(*states)
    result = run("roll-gate", "--json")
    assert (result.exit_code, rotator.calls) == (Exit.REFUSED, 0)
    assert says in document(result)["error"]["message"]


def test_a_window_that_isn_t_sealed_is_named(run: Any, sealed: Any) -> None:
    stack, _ = sealed(leaves_out=2)
    result = run("roll-gate", "--json")
    assert result.exit_code == Exit.REFUSED
    assert "isn't sealed for" in document(result)["error"]["message"]
    assert stack.generation == 2


def test_while_frozen_the_rotator_seals_later_and_it_says_so(run: Any, sealed: Any) -> None:
    sealed(answers=(BUSY, FOUND_FROZEN))
    result = run("roll-gate")
    assert result.exit_code == Exit.OK
    assert "`remediator unfreeze`" in result.output


def test_a_gate_of_sts_has_nothing_to_roll(run: Any, deployed: Deployed) -> None:
    assert deployed.outputs.get("Gate") is None
    result = run("roll-gate", "--json")
    assert result.exit_code == Exit.NOT_FOUND
    assert "isn't sealed" in document(result)["error"]["message"]


def test_azure_has_a_certificate_to_roll_instead(run: Any) -> None:
    result = run("roll-gate", "--cloud", "azure", "--subscription", "s", "--resource-group", "g", "--json")
    assert result.exit_code == Exit.USAGE
    assert "roll-credential" in document(result)["error"]["next"]


def test_status_says_that_the_gate_is_sealed_and_for_which_windows(
    run: Any, deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trust policy has no dates; what has a pad is what opens."""
    sealed = deployed.outputs | {"Gate": "sealed"}
    monkeypatch.setattr(office, "outputs_of", lambda *_, **__: sealed)
    trust = {"Effect": "Allow", "Principal": {"AWS": REMEDIATOR}, "Action": "sts:AssumeRole"}
    deployed.trust(trust | {"Condition": {"StringEquals": {"sts:ExternalId": "x"}}})
    assert document(run("status", "--json"))["gate"] == "closed"
    for window in deployed.windows:
        deployed.put(TABLE, pk=f"window/{window}", not_before=window.not_before, pad_of="a version")
    said = document(run("status", "--json"))
    assert (said["gate"], said["opens"]) == ("open", [window.number for window in deployed.windows])
    result = run("status")
    assert "sealed: one external id until `remediator roll-gate`" in result.output
    assert "STS opens" not in result.output


# --- freeze, where IAM may not be written -----------------------------------------------------------------------------


class Forbidden:
    """IAM as an organisation leaves it: it can be read."""

    def __init__(self, deployed: Deployed) -> None:
        self.real = deployed.client("iam")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def put_role_policy(self, **_: Any) -> None:
        error = {"Error": {"Code": "AccessDenied", "Message": "by a service control policy"}}
        raise self.real.exceptions.ClientError(error, "PutRolePolicy")


def test_a_deny_that_is_forbidden_is_told_with_what_it_means(deployed: Deployed) -> None:
    with pytest.raises(NotDone, match=r"PutRolePolicy: AccessDenied.*an hour at most"):
        freeze.DenyWherePermitted(Forbidden(deployed), "remediator-write").put_up()


def test_a_deny_that_never_stood_keeps_nobody_from_going_on(deployed: Deployed) -> None:
    freeze.DenyWherePermitted(Forbidden(deployed), "remediator-write").lower()


def test_a_deny_that_stands_isn_t_passed_over(deployed: Deployed) -> None:
    freeze.DenyPolicy(deployed.client("iam"), "remediator-write").put_up()
    with pytest.raises(NotDone):
        freeze.DenyWherePermitted(Forbidden(deployed), "remediator-write").lower()
    allowed = freeze.DenyWherePermitted(deployed.client("iam"), "remediator-write")
    allowed.lower()
    assert not allowed.stands()


def test_an_update_is_told_from_what_was_there_before(run: Any, sealed: Any) -> None:
    """CloudFormation may show the last state for a moment after an update was begun."""
    stack, _ = sealed("UPDATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE")
    stack.updated = 1
    begun = stack.update_stack

    def late(**given: Any) -> None:
        begun(**given)
        stack.updated = 1

    stack.update_stack = late
    result = run("roll-gate", "--json")
    assert result.exit_code == Exit.REFUSED, json.dumps(document(result))
