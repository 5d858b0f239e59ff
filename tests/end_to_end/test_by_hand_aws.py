"""Manual delivery on AWS, end to end: deployed by the CDK, IAM enforced, the vendor left with nothing but a code."""

from __future__ import annotations

import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from remediator.cli.exits import Exit
from remediator.cli.main import app
from remediator.core.windows import PERIOD, window_at
from remediator.local.account import EmbeddedAccount
from remediator.operator.aws.office import AwsOffice
from remediator.operator.codes import CodeBook, code_book
from remediator.service.errors import Frozen, Spent
from remediator.vendor import Client, Deployment, Finding, errors
from remediator.vendor.aws_access import reader_access
from remediator.vendor.transport import HttpTransport, Unsigned
from tests.end_to_end.conftest import IMPATIENT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from remediator.operator.codes import LiveCode

pytestmark = pytest.mark.xdist_group("embedded account")


@pytest.fixture(scope="module")
def account() -> Iterator[EmbeddedAccount]:
    with EmbeddedAccount() as account:
        account.deploy(delivery="manual")
        account.rotate()
        yield account


@pytest.fixture(autouse=True)
def fresh(account: EmbeddedAccount) -> None:
    """Let each test have a window of its own, well before its end."""
    now = time.time()
    account.clock.shift(window_at(now).not_after + 5 - now)
    account.rotate()


def session(account: EmbeddedAccount, whose: str) -> Any:
    described = account.describe()
    return boto3.Session(**described[f"{whose}_credentials"], region_name=described["region"])


def vendor(account: EmbeddedAccount, code: str | None = None) -> Client:
    deployment = Deployment.from_outputs(account.outputs)
    access = reader_access(deployment, session(account, "vendor"), endpoint_url=account.endpoint)
    client = Client(deployment, access, patience=IMPATIENT)
    return client if code is None else client.told(code)


def office(account: EmbeddedAccount) -> AwsOffice:
    described = account.describe()
    return AwsOffice(session(account, "operator"), described["stack"], endpoint_url=described["aws_endpoint_url"])


def book(account: EmbeddedAccount) -> CodeBook:
    return code_book(office(account))


def digits(live: LiveCode) -> str:
    return live.code.reveal().decode()


def wrong(live: LiveCode, number: int = 1) -> str:
    return f"{(int(digits(live)) + number) % 1_000_000:06}"


def findings(account: EmbeddedAccount) -> list[Finding]:
    """Make a bucket in which nothing is blocked, and return what is wrong with it."""
    name = f"open-to-all-{uuid.uuid4().hex[:12]}"
    client: Any = account.client("s3")
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": account.region})
    target = {"arn": f"arn:aws:s3:::{name}", "region": account.region}
    return [Finding(fix="aws.s3.block-public-access", target=target)]


def item(account: EmbeddedAccount, number: int) -> dict[str, Any]:
    client: Any = account.client("dynamodb")
    found: dict[str, Any] = client.get_item(
        TableName=account.outputs["StateTable"], Key={"pk": {"S": f"window/{number}"}}
    )["Item"]
    return found


def test_the_vendors_client_reads_no_seed(account: EmbeddedAccount) -> None:
    with pytest.raises(errors.NoAccess) as caught:
        vendor(account).plan(findings(account))
    assert caught.value.code == "AccessDeniedException"


def test_an_admitted_code_plans_once_applies_once_and_no_more(account: EmbeddedAccount) -> None:
    asked = findings(account)
    live = book(account).live(admit=True)
    assert live.admitted
    told = vendor(account, digits(live))
    assert [one.outcome for one in told.plan(asked).results] == ["planned"]
    first = told.apply(asked)
    assert [one.outcome for one in first.results] == ["fixed"]
    assert told.apply(asked, key=first.id).results == first.results
    for ask in (told.plan, told.apply):
        with pytest.raises(errors.Unauthorized):
            ask(asked)
    with pytest.raises(errors.InvalidRequest):
        told.refresh(first.id)


def test_a_code_that_isnt_admitted_is_worth_nothing_and_costs_nothing(account: EmbeddedAccount) -> None:
    asked = findings(account)
    live = book(account).live()
    for code in (digits(live), *(wrong(live, number) for number in range(1, 5))):
        with pytest.raises(errors.Unauthorized):
            vendor(account, code).apply(asked)
    book(account).live(admit=True)
    assert vendor(account, digits(live)).apply(asked).results[0].outcome in ("fixed", "already_compliant")


def test_guesses_at_once_close_the_window_and_delete_what_was_left(account: EmbeddedAccount) -> None:
    asked = findings(account)
    live = book(account).live(admit=True)
    assert "opening" in item(account, live.window.number)

    def guess(number: int) -> type[Exception] | None:
        try:
            vendor(account, wrong(live, number)).apply(asked)
        except errors.NotServed as error:
            return type(error)
        return None

    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(guess, range(1, 7))) == {errors.Unauthorized}
    left = item(account, live.window.number)
    assert left["tries"] == {"N": "3"}
    assert "opening" not in left
    with pytest.raises(errors.Unauthorized):
        vendor(account, digits(live)).apply(asked)
    with pytest.raises(Spent):
        book(account).live(admit=True)


def test_what_was_left_is_gone_with_the_first_rotation_after_its_window(account: EmbeddedAccount) -> None:
    live = book(account).live(admit=True)
    account.clock.shift(PERIOD)
    assert "opening" in item(account, live.window.number)
    account.rotate()
    assert "opening" not in item(account, live.window.number)
    with pytest.raises(errors.Unauthorized):
        vendor(account, digits(live)).apply(findings(account))


def test_while_frozen_no_code_is_admitted_and_none_honoured(account: EmbeddedAccount) -> None:
    live = book(account).live(admit=True)
    client: Any = account.client("dynamodb")
    control = {"TableName": account.outputs["StateTable"], "Key": {"pk": {"S": "control"}}}
    change = {"UpdateExpression": "SET #s = :s", "ExpressionAttributeNames": {"#s": "state"}}
    client.update_item(**control, **change, ExpressionAttributeValues={":s": {"S": "frozen"}})
    try:
        with pytest.raises(errors.Frozen):
            vendor(account, digits(live)).apply(findings(account))
        with pytest.raises(Frozen):
            book(account).live(admit=True)
    finally:
        client.update_item(**control, **change, ExpressionAttributeValues={":s": {"S": "open"}})


def test_a_key_that_the_vendors_signature_leaves_out_is_refused(account: EmbeddedAccount) -> None:
    live = book(account).live(admit=True)
    deployment = Deployment.from_outputs(account.outputs)
    access = reader_access(deployment, session(account, "vendor"), endpoint_url=account.endpoint)
    apart = {"idempotency-key": str(uuid.uuid4()), "remediation-code": digits(live)}
    body = json.dumps({"mode": "plan", "findings": [one.document() for one in findings(account)]}).encode()
    call = Unsigned("POST", deployment.url("/v1/remediations"), {"content-type": "application/json"}, apart, body)
    reply = HttpTransport().send(access.authorize(call, time.time()))
    assert (reply.status, b"among the signed headers" in reply.body) == (400, True)
    assert item(account, live.window.number)["tries"] == {"N": "0"}


def test_both_sides_have_a_command_for_it(account: EmbeddedAccount, tmp_path: Path) -> None:
    file = tmp_path / "account.json"
    file.write_text(json.dumps(account.describe()))
    file.chmod(0o600)

    def run(*words: str) -> Any:
        return CliRunner().invoke(app, [*words, "--account", str(file), "--json"])

    live = json.loads(run("code", "--admit").stdout)
    assert live["admitted"] is True
    [asked] = findings(account)
    named = ("--fix", str(asked.fix), "--target", asked.target["arn"], "--target-region", account.region)
    planned = run("vendor", "plan", *named, "--code", live["code"])
    assert json.loads(planned.stdout)["results"][0]["outcome"] == "planned", planned.output
    assert json.loads(run("vendor", "apply", *named, "--code", live["code"]).stdout)["results"][0]["outcome"] == "fixed"
    assert run("vendor", "apply", *named, "--code", live["code"]).exit_code == Exit.REFUSED
    assert run("vendor", "apply", *named).exit_code == Exit.REFUSED


@contextmanager
def without(account: EmbeddedAccount, role: str, sid: str) -> Iterator[None]:
    """Take one statement out of a role's inline policy, and put it back."""
    iam: Any = account.client("iam")
    [name] = iam.list_role_policies(RoleName=role)["PolicyNames"]
    whole = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    rest = [one for one in whole["Statement"] if one.get("Sid") != sid]
    assert len(rest) == len(whole["Statement"]) - 1
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(whole | {"Statement": rest}))
    try:
        yield
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(whole))


@pytest.mark.parametrize("sid", ["Admit", "RequireOpen"])
def test_without_either_of_its_statements_the_operator_admits_nothing(account: EmbeddedAccount, sid: str) -> None:
    with without(account, "remediator-operator", sid), pytest.raises(ClientError) as caught:
        book(account).live(admit=True)
    assert "AccessDenied" in str(caught.value)
    assert book(account).live(admit=True).admitted


def test_without_its_statement_the_remediator_compares_nothing(account: EmbeddedAccount) -> None:
    live, asked = book(account).live(admit=True), findings(account)
    with without(account, "remediator", "CountAttempts"), pytest.raises(errors.InternalError):
        vendor(account, digits(live)).apply(asked)
    assert vendor(account, digits(live)).apply(asked).results[0].outcome == "fixed"


def test_without_its_statement_the_rotator_fails_where_something_was_left(account: EmbeddedAccount) -> None:
    live = book(account).live(admit=True)
    account.clock.shift(PERIOD)
    client: Any = account.client("lambda")
    with without(account, "remediator-rotator", "ClearDeposits"):
        assert "FunctionError" in client.invoke(FunctionName=account.outputs["RotateFunction"])
    assert "FunctionError" not in client.invoke(FunctionName=account.outputs["RotateFunction"])
    assert "opening" not in item(account, live.window.number)


def test_the_operator_may_not_touch_a_verifier_by_what_admitting_takes(account: EmbeddedAccount) -> None:
    window = window_at(time.time())
    with pytest.raises(ClientError) as caught:
        office(account).service("dynamodb").update_item(
            TableName=account.outputs["StateTable"],
            Key={"pk": {"S": f"window/{window}"}},
            UpdateExpression="SET P = :p",
            ExpressionAttributeValues={":p": {"B": b"x" * 32}},
        )
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
