"""Manual delivery on AWS, end to end: deployed by the CDK, IAM enforced, the vendor left with nothing but a code."""

from __future__ import annotations

import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from remediator.cli.exits import Exit
from remediator.cli.main import app
from remediator.core.windows import PERIOD, window_at
from remediator.service.errors import Frozen, Spent
from remediator.vendor import Deployment, errors
from remediator.vendor.transport import HttpTransport, Unsigned
from tests.end_to_end.world import BY_HAND

if TYPE_CHECKING:
    from pathlib import Path

    from remediator.operator.codes import LiveCode
    from tests.end_to_end.world import Standing, World

pytestmark = pytest.mark.xdist_group("embedded account, by hand")


@pytest.fixture(scope="module")
def hand(standing: Standing) -> World:
    return standing.world(BY_HAND)


@pytest.fixture(autouse=True)
def fresh(hand: World) -> None:
    """Let each test have a window of its own, well before its end."""
    hand.fresh_window()


def digits(live: LiveCode) -> str:
    return live.code.reveal().decode()


def wrong(live: LiveCode, number: int = 1) -> str:
    return f"{(int(digits(live)) + number) % 1_000_000:06}"


def item(hand: World, number: int) -> dict[str, Any]:
    client: Any = hand.admin("dynamodb")
    found: dict[str, Any] = client.get_item(
        TableName=hand.account.outputs["StateTable"], Key={"pk": {"S": f"window/{number}"}}
    )["Item"]
    return found


def test_the_vendors_client_reads_no_seed(hand: World) -> None:
    with pytest.raises(errors.NoAccess) as caught:
        hand.vendor().plan(hand.open_bucket())
    assert caught.value.code == "AccessDeniedException"


def test_an_admitted_code_plans_once_applies_once_and_no_more(hand: World) -> None:
    asked = hand.open_bucket()
    live = hand.book().live(admit=True)
    assert live.admitted
    told = hand.vendor(digits(live))
    assert [one.outcome for one in told.plan(asked).results] == ["planned"]
    first = told.apply(asked)
    assert [one.outcome for one in first.results] == ["fixed"]
    assert told.apply(asked, key=first.id).results == first.results
    for ask in (told.plan, told.apply):
        with pytest.raises(errors.Unauthorized):
            ask(asked)
    with pytest.raises(errors.InvalidRequest):
        told.refresh(first.id)


def test_a_code_that_isnt_admitted_is_worth_nothing_and_costs_nothing(hand: World) -> None:
    asked = hand.open_bucket()
    live = hand.book().live()
    for code in (digits(live), *(wrong(live, number) for number in range(1, 5))):
        with pytest.raises(errors.Unauthorized):
            hand.vendor(code).apply(asked)
    hand.book().live(admit=True)
    assert hand.vendor(digits(live)).apply(asked).results[0].outcome in ("fixed", "already_compliant")


def test_guesses_at_once_close_the_window_and_delete_what_was_left(hand: World) -> None:
    asked = hand.open_bucket()
    live = hand.book().live(admit=True)
    assert "opening" in item(hand, live.window.number)

    def guess(number: int) -> type[Exception] | None:
        try:
            hand.vendor(wrong(live, number)).apply(asked)
        except errors.NotServed as error:
            return type(error)
        return None

    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(guess, range(1, 7))) == {errors.Unauthorized}
    left = item(hand, live.window.number)
    assert left["tries"] == {"N": "3"}
    assert "opening" not in left
    with pytest.raises(errors.Unauthorized):
        hand.vendor(digits(live)).apply(asked)
    with pytest.raises(Spent):
        hand.book().live(admit=True)


def test_what_was_left_is_gone_with_the_first_rotation_after_its_window(hand: World) -> None:
    live = hand.book().live(admit=True)
    hand.account.clock.shift(PERIOD)
    assert "opening" in item(hand, live.window.number)
    hand.account.rotate()
    assert "opening" not in item(hand, live.window.number)
    with pytest.raises(errors.Unauthorized):
        hand.vendor(digits(live)).apply(hand.open_bucket())


def test_while_frozen_no_code_is_admitted_and_none_honoured(hand: World) -> None:
    live = hand.book().live(admit=True)
    client: Any = hand.admin("dynamodb")
    control = {"TableName": hand.account.outputs["StateTable"], "Key": {"pk": {"S": "control"}}}
    change = {"UpdateExpression": "SET #s = :s", "ExpressionAttributeNames": {"#s": "state"}}
    client.update_item(**control, **change, ExpressionAttributeValues={":s": {"S": "frozen"}})
    try:
        with pytest.raises(errors.Frozen):
            hand.vendor(digits(live)).apply(hand.open_bucket())
        with pytest.raises(Frozen):
            hand.book().live(admit=True)
    finally:
        client.update_item(**control, **change, ExpressionAttributeValues={":s": {"S": "open"}})


def test_a_key_that_the_vendors_signature_leaves_out_is_refused(hand: World) -> None:
    live = hand.book().live(admit=True)
    deployment = Deployment.from_outputs(hand.account.outputs)
    apart = {"idempotency-key": str(uuid.uuid4()), "remediation-code": digits(live)}
    body = json.dumps({"mode": "plan", "findings": [one.document() for one in hand.open_bucket()]}).encode()
    call = Unsigned("POST", deployment.url("/v1/remediations"), {"content-type": "application/json"}, apart, body)
    reply = HttpTransport().send(hand.access().authorize(call, time.time()))
    assert (reply.status, b"among the signed headers" in reply.body) == (400, True)
    assert item(hand, live.window.number)["tries"] == {"N": "0"}


def test_both_sides_have_a_command_for_it(hand: World, tmp_path: Path) -> None:
    file = tmp_path / "account.json"
    file.write_text(json.dumps(hand.account.describe()))
    file.chmod(0o600)

    def run(*words: str) -> Any:
        return CliRunner().invoke(app, [*words, "--account", str(file), "--json"])

    live = json.loads(run("code", "--admit").stdout)
    assert live["admitted"] is True
    [asked] = hand.open_bucket()
    named = ("--fix", str(asked.fix), "--target", asked.target["arn"], "--target-region", hand.account.region)
    planned = run("vendor", "plan", *named, "--code", live["code"])
    assert json.loads(planned.stdout)["results"][0]["outcome"] == "planned", planned.output
    assert json.loads(run("vendor", "apply", *named, "--code", live["code"]).stdout)["results"][0]["outcome"] == "fixed"
    assert run("vendor", "apply", *named, "--code", live["code"]).exit_code == Exit.REFUSED
    assert run("vendor", "apply", *named).exit_code == Exit.REFUSED


@pytest.mark.parametrize("sid", ["Admit", "RequireOpen"])
def test_without_either_of_its_statements_the_operator_admits_nothing(hand: World, sid: str) -> None:
    with hand.without("remediator-operator", sid), pytest.raises(ClientError) as caught:
        hand.book().live(admit=True)
    assert "AccessDenied" in str(caught.value)
    assert hand.book().live(admit=True).admitted


def test_without_its_statement_the_remediator_compares_nothing(hand: World) -> None:
    live, asked = hand.book().live(admit=True), hand.open_bucket()
    with hand.without("remediator", "CountAttempts"), pytest.raises(errors.InternalError):
        hand.vendor(digits(live)).apply(asked)
    assert hand.vendor(digits(live)).apply(asked).results[0].outcome == "fixed"


def test_without_its_statement_the_rotator_fails_where_something_was_left(hand: World) -> None:
    live = hand.book().live(admit=True)
    hand.account.clock.shift(PERIOD)
    client: Any = hand.admin("lambda")
    with hand.without("remediator-rotator", "ClearDeposits"):
        assert "FunctionError" in client.invoke(FunctionName=hand.account.outputs["RotateFunction"])
    assert "FunctionError" not in client.invoke(FunctionName=hand.account.outputs["RotateFunction"])
    assert "opening" not in item(hand, live.window.number)


def test_the_operator_may_not_touch_a_verifier_by_what_admitting_takes(hand: World) -> None:
    window = window_at(time.time())
    with pytest.raises(ClientError) as caught:
        hand.operator().service("dynamodb").update_item(
            TableName=hand.account.outputs["StateTable"],
            Key={"pk": {"S": f"window/{window}"}},
            UpdateExpression="SET P = :p",
            ExpressionAttributeValues={":p": {"B": b"x" * 32}},
        )
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
