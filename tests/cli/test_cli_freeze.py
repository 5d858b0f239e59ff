"""The commands `freeze` and `unfreeze`, and what `status` shows of them."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.response import StreamingBody

from remediator.aws.staging import LEASE
from remediator.cli.exits import Exit
from remediator.operator import waiting
from remediator.operator.aws import freeze, office
from remediator.operator.aws.control import ControlItem
from remediator.operator.aws.rotator import InvokedRotator
from remediator.service.control import Order
from remediator.service.errors import FrozenAgain, NotDone
from tests.cli.conftest import document

if TYPE_CHECKING:
    from tests.cli.conftest import Deployed


class Functions:
    """Answer `invoke` as Lambda does: each call takes the next of the answers, the last one again and again."""

    class exceptions:  # noqa: N801 - as the SDK's clients have it
        class TooManyRequestsException(ClientError):  # noqa: N818 - as the SDK names it
            pass

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.calls = 0

    def invoke(self, FunctionName: str) -> dict[str, Any]:  # noqa: N803 - as the SDK names it
        assert FunctionName == "remediator-rotate"
        self.calls += 1
        answer = self.answers[min(self.calls, len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        raw = json.dumps(answer).encode()
        failed = {"FunctionError": "Unhandled"} if "errorMessage" in answer else {}
        return {"Payload": StreamingBody(io.BytesIO(raw), len(raw))} | failed


BUSY = Functions.exceptions.TooManyRequestsException({"Error": {"Code": "TooManyRequestsException"}}, "Invoke")
LEASED = {"errorMessage": "another run of the rotator is at work; the next one goes on"}
FOUND_FROZEN = {"staged": 0, "frozen": True, "wrote": True}
FOUND_OPEN = {"staged": 4, "frozen": False, "wrote": True}


@pytest.fixture
def lambdas(monkeypatch: pytest.MonkeyPatch) -> Functions:
    """Let the rotator answer what the state is, as a deployed one does."""
    functions = Functions(FOUND_FROZEN)
    real = InvokedRotator

    def invoked(_: Any, function: str, waits: Any) -> Any:
        return real(functions, function, waits)

    monkeypatch.setattr(freeze, "InvokedRotator", invoked)
    monkeypatch.setattr(office, "waits", lambda _: [None] * 3)
    return functions


def control(deployed: Deployed) -> dict[str, Any]:
    found = deployed.client("dynamodb").get_item(TableName="remediator-state", Key={"pk": {"S": "control"}})["Item"]
    return {name: next(iter(one.values())) for name, one in found.items()}


def deny(deployed: Deployed) -> dict[str, Any]:
    found = deployed.client("iam").get_role_policy(RoleName="remediator-write", PolicyName="frozen")
    (statement,) = found["PolicyDocument"]["Statement"]
    return dict(statement)


def test_freezing_never_asks_and_says_what_is_stopped(run: Any, deployed: Deployed, lambdas: Functions) -> None:
    result = run("freeze", "--reason", "a leaked key")
    assert result.exit_code == Exit.OK
    assert result.stdout.count("✓") == 3
    assert control(deployed)["state"] == "frozen"
    assert control(deployed)["why"] == "a leaked key"
    assert deny(deployed) == freeze.EVERYTHING
    assert lambdas.calls == 1


def test_json_is_one_document_with_every_step_and_the_order(run: Any, deployed: Deployed, lambdas: Functions) -> None:
    said = document(run("freeze", "--json", "--reason", "a drill"))
    assert (said["done"], [step["part"] for step in said["steps"]]) == (True, ["requests", "sessions", "gate"])
    assert (said["order"]["id"], said["order"]["by"]) == (control(deployed)["order"], control(deployed)["by"])
    assert lambdas.calls == 1


def test_status_shows_who_froze_it_when_and_why(run: Any, deployed: Deployed, lambdas: Functions) -> None:
    run("freeze", "--reason", "a leaked key")
    result = run("status")
    assert result.exit_code == Exit.NOT_NOW
    assert "a leaked key" in result.stdout
    assert control(deployed)["by"] in result.stdout
    assert "until `remediator unfreeze`" in result.stdout
    assert "minutes from now" not in result.stdout
    order = document(run("status", "--json"))["order"]
    assert (order["why"], order["at"]) == ("a leaked key", int(control(deployed)["at"]))
    assert lambdas.calls == 1


def test_unfreezing_asks_and_shows_the_order_first(run: Any, deployed: Deployed, lambdas: Functions) -> None:
    run("freeze", "--reason", "a leaked key")
    refused = run("unfreeze", stdin="n\n")
    assert refused.exit_code == Exit.USAGE
    assert "a leaked key" in refused.stdout
    assert control(deployed)["state"] == "frozen"
    lambdas.answers = [FOUND_OPEN]
    assert run("unfreeze", "--reason", "key replaced", stdin="y\n").exit_code == Exit.OK
    assert (control(deployed)["state"], control(deployed)["why"]) == ("open", "key replaced")
    assert list(deny(deployed)["Condition"]) == ["DateLessThan"]


def test_where_nobody_can_answer_nothing_is_unfrozen_and_it_is_said_how(
    run: Any, deployed: Deployed, lambdas: Functions
) -> None:
    run("freeze")
    assert lambdas.calls == 1
    asked = run("unfreeze", stdin="")
    assert (asked.exit_code, "--yes" in asked.stderr) == (Exit.USAGE, True)
    assert control(deployed)["state"] == "frozen"


def test_a_program_says_yes(run: Any, deployed: Deployed, lambdas: Functions) -> None:
    run("freeze")
    lambdas.answers = [FOUND_OPEN]
    assert run("unfreeze", "--json").exit_code == Exit.USAGE
    assert control(deployed)["state"] == "frozen"
    assert document(run("unfreeze", "--json", "--yes"))["done"] is True
    assert control(deployed)["state"] == "open"


def test_what_is_open_is_unfrozen_without_asking_and_keeps_its_sessions(
    run: Any, deployed: Deployed, lambdas: Functions
) -> None:
    lambdas.answers = [FOUND_OPEN]
    before = control(deployed)
    assert run("unfreeze").exit_code == Exit.OK
    assert control(deployed) == before
    assert deployed.client("iam").list_role_policies(RoleName="remediator-write")["PolicyNames"] == []


@pytest.mark.parametrize("busy", [BUSY, LEASED, EndpointConnectionError(endpoint_url="https://lambda")], ids=repr)
def test_a_busy_rotator_is_waited_for(run: Any, deployed: Deployed, lambdas: Functions, busy: Any) -> None:
    lambdas.answers = [busy, busy, FOUND_FROZEN]
    assert run("freeze").exit_code == Exit.OK
    assert lambdas.calls == 3
    assert control(deployed)["state"] == "frozen"


def test_a_rotator_that_stays_busy_is_told_with_what_holds(run: Any, deployed: Deployed, lambdas: Functions) -> None:
    lambdas.answers = [LEASED]
    result = run("freeze")
    assert result.exit_code == Exit.NOT_FIXED
    assert lambdas.calls == 4, "once, and after each wait"
    assert "the gate is NOT closed yet" in result.stdout
    assert "another run of the rotator is at work" in result.stdout
    assert "freeze` again" in result.stdout
    assert (control(deployed)["state"], deny(deployed)) == ("frozen", freeze.EVERYTHING)


def test_a_refused_call_is_told_by_its_name_and_code(run: Any, deployed: Deployed, lambdas: Functions) -> None:
    refused = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "Invoke")
    lambdas.answers = [refused]
    result = run("freeze", "--json")
    assert (result.exit_code, lambdas.calls) == (Exit.NOT_FIXED, 1)
    assert document(result)["steps"][-1] == {
        "part": "gate",
        "done": False,
        "note": "Invoke: AccessDeniedException: no",
    }
    assert control(deployed)["state"] == "frozen"


def test_an_unfreeze_that_finds_it_frozen_again_is_told(run: Any, deployed: Deployed, lambdas: Functions) -> None:
    run("freeze")
    lambdas.answers = [FOUND_FROZEN]
    result = run("unfreeze", "--yes")
    assert result.exit_code == Exit.NOT_FIXED
    assert "somebody froze it again" in result.stdout
    assert control(deployed)["state"] == "open", "this world's rotator says frozen whatever the state is"


# --- the control item -------------------------------------------------------------------------------------------------


def order(name: str) -> Order:
    return Order(name, "ada", 1_800_000_000, "why not")


def test_only_the_frozen_state_that_was_met_is_opened(deployed: Deployed) -> None:
    item = ControlItem(deployed.client("dynamodb"), "remediator-state")
    item.freeze(order("first"))
    met = item.read()
    assert (met.state, met.version, met.order) == ("frozen", "first", order("first"))
    item.freeze(order("second"))
    with pytest.raises(FrozenAgain):
        item.open(order("third"), met)
    assert item.read().version == "second"
    item.open(order("third"), item.read())
    assert (item.read().state, item.read().version) == ("open", "third")


def test_an_opening_that_is_sent_again_since_its_reply_was_lost_has_opened(deployed: Deployed) -> None:
    item = ControlItem(deployed.client("dynamodb"), "remediator-state")
    item.freeze(order("first"))
    met = item.read()
    for _ in range(2):
        item.open(order("second"), met)
    assert (item.read().state, item.read().version) == ("open", "second")
    with pytest.raises(FrozenAgain):
        item.open(order("third"), met)


def test_a_state_that_was_set_by_hand_can_be_opened_once_too(deployed: Deployed) -> None:
    item = ControlItem(deployed.client("dynamodb"), "remediator-state")
    deployed.put("remediator-state", pk="control", state="frozen")
    met = item.read()
    assert (met.state, met.order) == ("frozen", None)
    item.freeze(order("first"))
    with pytest.raises(FrozenAgain):
        item.open(order("second"), met)
    deployed.put("remediator-state", pk="control", state="frozen")
    item.open(order("second"), item.read())
    assert item.read().state == "open"


def test_what_was_open_when_met_is_left_as_it_is_unless_it_is_frozen_now(deployed: Deployed) -> None:
    item = ControlItem(deployed.client("dynamodb"), "remediator-state")
    met = item.read()
    item.open(order("first"), met)
    assert item.read() == met
    item.freeze(order("second"))
    with pytest.raises(FrozenAgain):
        item.open(order("third"), met)


def test_a_table_that_isn_t_there_is_a_step_that_wasn_t_done(deployed: Deployed) -> None:
    with pytest.raises(NotDone, match="ResourceNotFoundException"):
        ControlItem(deployed.client("dynamodb"), "another").freeze(order("first"))


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        ("arn:aws:iam::111122223333:user/ada", "ada"),
        ("arn:aws:sts::111122223333:assumed-role/security/ada@example.com", "ada@example.com"),
        ("arn:aws:iam::111122223333:root", "arn-aws-iam--111122223333-root"),
        ("arn:aws:iam::111122223333:user/a", "-a"),
        ("arn:aws:iam::111122223333:user/" + "a" * 64, "a" * 64),
    ],
)
def test_the_operator_s_session_is_named_after_who_signed_in(arn: str, name: str) -> None:
    assert office._session_name(arn) == name


def test_a_freeze_waits_longer_than_a_lease_and_a_run_may_last() -> None:
    assert freeze.LONGEST_RUN >= LEASE + 60
    waited: list[float] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.sleep", waited.append)
        list(waiting.waits(freeze.LONGEST_RUN))
    assert sum(waited) == freeze.LONGEST_RUN
