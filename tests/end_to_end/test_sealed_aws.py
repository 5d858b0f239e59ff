"""A sealed gate, end to end: in an account whose organisation lets nobody but the deployer write to IAM."""

from __future__ import annotations

import base64
import json
import time
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from remediator.core.gate import keys_of
from remediator.core.seeds import parse_record, slot_of
from remediator.core.windows import PERIOD, staged_at, window_at
from remediator.local.account import EmbeddedAccount, RotationFailed
from remediator.local.emulator.identities import CUSTOMER_ACCOUNT
from remediator.local.emulator.sessions import service_session
from remediator.local.runtime.functions import Acting
from remediator.operator.aws.gate_roller import GateRoller, Rolled
from remediator.operator.aws.office import AwsOffice
from remediator.operator.errors import NotSealed
from remediator.service.control import Order
from remediator.service.freeze import Part
from remediator.vendor import Client, Deployment, Finding, errors
from remediator.vendor.aws_access import reader_access
from tests.end_to_end.conftest import IMPATIENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from remediator.core.gate import WindowKeys
    from remediator.core.windows import Window
    from remediator.service.freeze import Step

pytestmark = pytest.mark.xdist_group("embedded account")

WRITES = ("iam:Attach*", "iam:Create*", "iam:Delete*", "iam:Detach*", "iam:Put*", "iam:Update*")


def organisation(account: EmbeddedAccount) -> dict[str, Any]:
    """Return a service control policy that lets the administrator and the CDK's roles write to IAM, and nobody else."""
    deployers = [account.identities.admin.arn, f"arn:aws:iam::{CUSTOMER_ACCOUNT}:role/cdk-*"]
    others = {"ArnNotLike": {"aws:PrincipalArn": deployers}}
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": list(WRITES), "Resource": "*", "Condition": others},
        ],
    }


@pytest.fixture(scope="module")
def account() -> Iterator[EmbeddedAccount]:
    with EmbeddedAccount() as account:
        account.control(organisation(account))
        account.deploy(gate="sealed")
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


def vendor(account: EmbeddedAccount) -> Client:
    deployment = Deployment.from_outputs(account.outputs)
    access = reader_access(deployment, session(account, "vendor"), endpoint_url=account.endpoint)
    return Client(deployment, access, patience=IMPATIENT)


def office(account: EmbeddedAccount) -> AwsOffice:
    described = account.describe()
    return AwsOffice(session(account, "operator"), described["stack"], endpoint_url=described["aws_endpoint_url"])


def findings(account: EmbeddedAccount) -> list[Finding]:
    """Make a bucket in which nothing is blocked, and return what is wrong with it."""
    name = f"open-to-all-{uuid.uuid4().hex[:12]}"
    client: Any = account.client("s3")
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": account.region})
    target = {"arn": f"arn:aws:s3:::{name}", "region": account.region}
    return [Finding(fix="aws.s3.block-public-access", target=target)]


def outcomes(account: EmbeddedAccount) -> list[str]:
    return [one.outcome for one in vendor(account).apply(findings(account)).results]


def value(account: EmbeddedAccount) -> str:
    """Return what is secret: the external id for which the write role opens."""
    client: Any = account.client("iam")
    trust = client.get_role(RoleName="remediator-write")["Role"]["AssumeRolePolicyDocument"]
    (statement,) = trust["Statement"]
    return str(statement["Condition"]["StringEquals"]["sts:ExternalId"])


def knock(account: EmbeddedAccount, external_id: str | None, whose: Any = None) -> Any:
    """Assume the write role as the remediator's role in a stranger's hands would, or as somebody else."""
    own = service_session(Acting(account.outputs["RemediatorRoleArn"], "lambda.amazonaws.com"), "taken-over")
    sts: Any = account.client("sts", whose or own)
    given = {"ExternalId": external_id} if external_id else {}
    return sts.assume_role(RoleArn=account.outputs["WriteRoleArn"], RoleSessionName="taken-over", **given)


def keys(account: EmbeddedAccount, window: Window) -> WindowKeys:
    secret = account.outputs["SeedSecrets"].split(",")[slot_of(window)]
    client: Any = account.client("secretsmanager")
    return keys_of(parse_record(client.get_secret_value(SecretId=secret)["SecretString"]))


def padded(account: EmbeddedAccount) -> set[int]:
    client: Any = account.client("dynamodb")
    found = client.scan(TableName=account.outputs["StateTable"])["Items"]
    return {int(item["pk"]["S"].partition("/")[2]) for item in found if "pad" in item}


def staged() -> set[int]:
    return {window.number for window in staged_at(time.time())}


def roll(account: EmbeddedAccount, tell: Callable[[str], None] = lambda _: None) -> Rolled:
    described = account.describe()
    roller = GateRoller(
        session(account, "admin"),
        described["stack"],
        endpoint_url=described["aws_endpoint_url"],
        clock=time.time,
        waits=lambda: (),
        tell=tell,
    )
    return roller.roll()


def order(account: EmbeddedAccount, act: str) -> list[Step]:
    operator = office(account)
    given = Order(uuid.uuid4().hex, operator.who(), int(time.time()), "a drill")
    steps: list[Step] = getattr(operator.freezer(lambda _: None), act)(given)
    return steps


def test_a_request_passes_and_its_session_is_narrowed_though_nobody_wrote_to_iam(account: EmbeddedAccount) -> None:
    mark = account.calls.mark()
    assert outcomes(account) == ["fixed"]
    account.clock.shift(PERIOD)
    account.rotate()
    assert outcomes(account) == ["fixed"]
    rotations = account.calls.by("remediator-rotator", since=mark)
    assert rotations
    assert not [call.action for call in rotations if call.action.startswith(("iam:", "sts:"))]


@pytest.mark.deep
def test_the_organisation_would_let_nobody_move_a_trust_policy(account: EmbeddedAccount) -> None:
    """What makes the other tests worth something: with gate=sts the same account stays closed, and rings."""
    account.deploy(gate="sts")
    try:
        with pytest.raises(RotationFailed, match="AccessDenied"):
            account.rotate()
        with pytest.raises(errors.GateUnavailable):
            vendor(account).apply(findings(account))
        logs: Any = account.client("logs")
        group = f"/aws/lambda/{account.outputs['RemediateFunction']}"
        events = logs.filter_log_events(logGroupName=group)["events"]
        assert any('"GateUnavailable"' in event["message"] for event in events)
        with pytest.raises(NotSealed):
            roll(account)
    finally:
        account.deploy(gate="sealed")
    account.rotate()
    assert outcomes(account) == ["fixed"]


def test_without_the_value_the_remediators_role_passes_nothing_and_with_it_nobody_else_does(
    account: EmbeddedAccount,
) -> None:
    window = window_at(time.time())
    for wrong in (None, "closed", uuid.uuid4().hex * 2, keys(account, window).opening.hex()):
        with pytest.raises(ClientError, match="AccessDenied"):
            knock(account, wrong)
    for somebody in ("operator", "vendor"):
        with pytest.raises(ClientError, match="AccessDenied"):
            knock(account, value(account), getattr(account.identities, somebody).credentials)


def test_an_old_windows_keys_are_refused_by_the_clock(account: EmbeddedAccount) -> None:
    client = vendor(account)
    asked = findings(account)
    account.clock.shift(PERIOD + 61)
    with pytest.raises(errors.NotServed):
        client.told(keys(account, window_at(time.time()) + -1).code.reveal().decode()).apply(asked)
    account.clock.shift(4 * PERIOD)
    assert padded(account), "the rotator is dead, and its last pads are there"
    with pytest.raises(errors.NotServed):
        vendor(account).apply(asked)
    account.rotate()
    assert padded(account) == staged()


def test_what_a_remediator_remembers_passes_until_the_gate_is_rolled(account: EmbeddedAccount) -> None:
    """The weakness that the threat model names, and its end."""
    remembered = value(account)
    account.clock.shift(2 * 3600)
    assert knock(account, remembered)["Credentials"]
    rolled = roll(account)
    with pytest.raises(ClientError, match="AccessDenied"):
        knock(account, remembered)
    assert {window.number for window in rolled.windows} == staged() <= padded(account)
    assert value(account) != remembered
    assert outcomes(account) == ["fixed"]


@pytest.mark.parametrize("breaks_at", [0, 1])
def test_a_roll_that_breaks_off_is_put_right_by_the_next_tick_and_can_be_run_again(
    account: EmbeddedAccount, breaks_at: int
) -> None:
    before = value(account)
    said: list[str] = []

    def tell(text: str) -> None:
        said.append(text)
        if len(said) > breaks_at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        roll(account, tell)
    assert (value(account) == before) is (breaks_at == 0)
    if breaks_at:
        with pytest.raises(errors.GateUnavailable):
            vendor(account).apply(findings(account))
    account.rotate()
    assert outcomes(account) == ["fixed"]
    between = value(account)
    assert roll(account).windows
    assert value(account) not in (before, between)
    assert outcomes(account) == ["fixed"]


def test_the_old_secret_goes_with_its_generation(account: EmbeddedAccount) -> None:
    client: Any = account.client("secretsmanager")

    def named() -> set[str]:
        return {one["Name"] for one in client.list_secrets()["SecretList"] if one["Name"].startswith("remediator/gate")}

    (first,) = named()
    generation = roll(account).generation
    assert named() == {f"remediator/gate/{generation}"} != {first}


def test_a_freeze_takes_the_pads_and_says_that_sessions_live_on(account: EmbeddedAccount) -> None:
    look = stolen(account)
    look()
    steps = {step.part: step for step in order(account, "freeze")}
    assert {part: step.done for part, step in steps.items()} == {
        Part.REQUESTS: True, Part.SESSIONS: False, Part.GATE: True,
    }  # fmt: skip
    assert "PutRolePolicy: AccessDenied" in steps[Part.SESSIONS].note
    assert "an hour at most" in steps[Part.SESSIONS].note
    assert padded(account) == set()
    look()
    try:
        with pytest.raises(errors.Frozen):
            vendor(account).apply(findings(account))
        account.clock.shift(PERIOD)
        account.rotate()
        assert padded(account) == set()
        assert office(account).examine(time.time()).gate == "frozen"
        assert roll(account) == Rolled(generation(account), frozen=True, windows=())
    finally:
        assert all(step.done for step in order(account, "unfreeze"))
    assert padded(account) >= staged()
    assert outcomes(account) == ["fixed"]


def stolen(account: EmbeddedAccount) -> Callable[[], Any]:
    """Return a look at a bucket with a session of the write role, as a remediator in other hands gets it."""
    asked = findings(account)
    vendor(account).apply(asked)
    given = knock(account, value(account))["Credentials"]
    session = boto3.Session(
        given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], region_name=account.region
    )
    client = session.client("s3", endpoint_url=account.endpoint)
    return lambda: client.get_public_access_block(Bucket=asked[0].target["arn"].rpartition(":")[2])


def generation(account: EmbeddedAccount) -> int:
    client: Any = account.client("cloudformation")
    found = client.describe_stacks(StackName=account.stack_name)["Stacks"][0]["Parameters"]
    return next(int(one["ParameterValue"]) for one in found if one["ParameterKey"] == "GateGeneration")


def test_where_the_organisation_lets_it_a_freeze_denies_sessions_too(account: EmbeddedAccount) -> None:
    account.control(None)
    try:
        look = stolen(account)
        look()
        assert all(step.done for step in order(account, "freeze"))
        with pytest.raises(ClientError, match="AccessDenied"):
            look()
        account.clock.shift(1)
        assert all(step.done for step in order(account, "unfreeze"))
        account.clock.shift(1)
        assert outcomes(account) == ["fixed"]
    finally:
        account.control(organisation(account))


def test_status_says_that_it_is_sealed_and_for_which_windows(account: EmbeddedAccount) -> None:
    condition = office(account).examine(time.time())
    assert (condition.gate, condition.sealed, condition.foreign) == ("open", True, ())
    assert set(condition.opens or ()) >= staged()


@pytest.mark.deep
@pytest.mark.parametrize("sid", ["ReadGateValue", "LayPads"])
def test_neither_right_of_the_rotators_is_there_for_nothing(account: EmbeddedAccount, sid: str) -> None:
    account.clock.shift(PERIOD)
    with without(account, "remediator-rotator", sid), pytest.raises(RotationFailed):
        account.rotate()
    account.rotate()


@contextmanager
def without(account: EmbeddedAccount, role: str, sid: str) -> Iterator[None]:
    """Take one statement out of a role's inline policy, and put it back."""
    iam: Any = account.client("iam")
    [name] = iam.list_role_policies(RoleName=role)["PolicyNames"]
    whole = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    rest = [one for one in whole["Statement"] if one["Sid"] != sid]
    assert len(rest) == len(whole["Statement"]) - 1
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(whole | {"Statement": rest}))
    try:
        yield
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(whole))


def test_nothing_shows_the_value(account: EmbeddedAccount) -> None:
    outcomes(account)
    roll(account)
    outcomes(account)
    stacks: Any = account.client("cloudformation")
    name = {"StackName": account.stack_name}
    tables: Any = account.client("dynamodb")
    functions: Any = account.client("lambda")
    logs: Any = account.client("logs")
    shown: list[Any] = [
        account.outputs,
        stacks.describe_stacks(**name),
        stacks.describe_stack_events(**name),
        stacks.get_template(**name),
        functions.list_functions(),
        *(tables.scan(TableName=account.outputs[table])["Items"] for table in ("StateTable", "ReceiptsTable")),
        *(logs.filter_log_events(logGroupName=one["logGroupName"])["events"]
          for one in logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/")["logGroups"]),
    ]  # fmt: skip
    text = json.dumps(shown, default=lambda one: one.hex() if isinstance(one, bytes) else str(one))
    raw = bytes.fromhex(value(account))
    assert len(text) > 10_000
    for form in (raw.hex(), raw.hex().upper(), base64.b64encode(raw).decode(), base64.b32encode(raw).decode()):
        assert form.rstrip("=") not in text
