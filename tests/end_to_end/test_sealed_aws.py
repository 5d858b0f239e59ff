"""A sealed gate, end to end: in an account whose organisation lets nobody but the deployer write to IAM."""

from __future__ import annotations

import base64
import json
import time
import uuid
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from remediator.core.windows import PERIOD, staged_at, window_at
from remediator.local.account import RotationFailed
from remediator.local.emulator.sessions import service_session
from remediator.local.runtime.functions import Acting
from remediator.operator.aws.gate_roller import GateRoller, Rolled
from remediator.operator.errors import NotSealed
from remediator.service.freeze import Part
from remediator.vendor import errors
from tests.end_to_end.world import SEALED

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.end_to_end.world import Standing, World

pytestmark = pytest.mark.xdist_group("embedded account, sealed")


@pytest.fixture(scope="module")
def sealed(standing: Standing) -> World:
    """An account whose organisation lets the administrator and the CDK's roles write to IAM, and nobody else."""
    return standing.world(SEALED)


@pytest.fixture(autouse=True)
def fresh(sealed: World) -> None:
    """Let each test have a window of its own, well before its end."""
    sealed.fresh_window()


def outcomes(sealed: World) -> list[str]:
    return [one.outcome for one in sealed.vendor().apply(sealed.open_bucket()).results]


def value(sealed: World) -> str:
    """Return what is secret: the external id for which the write role opens."""
    client: Any = sealed.admin("iam")
    trust = client.get_role(RoleName="remediator-write")["Role"]["AssumeRolePolicyDocument"]
    (statement,) = trust["Statement"]
    return str(statement["Condition"]["StringEquals"]["sts:ExternalId"])


def knock(sealed: World, external_id: str | None, whose: Any = None) -> Any:
    """Assume the write role as the remediator's role in a stranger's hands would, or as somebody else."""
    own = service_session(Acting(sealed.account.outputs["RemediatorRoleArn"], "lambda.amazonaws.com"), "taken-over")
    sts: Any = sealed.account.client("sts", whose or own)
    given = {"ExternalId": external_id} if external_id else {}
    return sts.assume_role(RoleArn=sealed.account.outputs["WriteRoleArn"], RoleSessionName="taken-over", **given)


def padded(sealed: World) -> set[int]:
    client: Any = sealed.admin("dynamodb")
    found = client.scan(TableName=sealed.account.outputs["StateTable"])["Items"]
    return {int(item["pk"]["S"].partition("/")[2]) for item in found if "pad" in item}


def staged() -> set[int]:
    return {window.number for window in staged_at(time.time())}


def roll(sealed: World, tell: Callable[[str], None] = lambda _: None) -> Rolled:
    described = sealed.account.describe()
    roller = GateRoller(
        sealed.session("admin"),
        described["stack"],
        endpoint_url=described["aws_endpoint_url"],
        clock=time.time,
        waits=lambda: (),
        tell=tell,
    )
    return roller.roll()


def test_a_request_passes_and_its_session_is_narrowed_though_nobody_wrote_to_iam(sealed: World) -> None:
    mark = sealed.account.calls.mark()
    assert outcomes(sealed) == ["fixed"]
    sealed.account.clock.shift(PERIOD)
    sealed.account.rotate()
    assert outcomes(sealed) == ["fixed"]
    rotations = sealed.account.calls.by("remediator-rotator", since=mark)
    assert rotations
    assert not [call.action for call in rotations if call.action.startswith(("iam:", "sts:"))]


@pytest.mark.deep
def test_the_organisation_would_let_nobody_move_a_trust_policy(sealed: World) -> None:
    """What makes the other tests worth something: with gate=sts the same account stays closed, and rings."""
    sealed.account.deploy(gate="sts")
    try:
        with pytest.raises(RotationFailed, match="AccessDenied"):
            sealed.account.rotate()
        with pytest.raises(errors.GateUnavailable):
            sealed.vendor().apply(sealed.open_bucket())
        logs: Any = sealed.admin("logs")
        group = f"/aws/lambda/{sealed.account.outputs['RemediateFunction']}"
        events = logs.filter_log_events(logGroupName=group)["events"]
        assert any('"GateUnavailable"' in event["message"] for event in events)
        with pytest.raises(NotSealed):
            roll(sealed)
    finally:
        sealed.account.deploy(gate="sealed")
    sealed.account.rotate()
    assert outcomes(sealed) == ["fixed"]


def test_without_the_value_the_remediators_role_passes_nothing_and_with_it_nobody_else_does(
    sealed: World,
) -> None:
    window = window_at(time.time())
    for wrong in (None, "closed", uuid.uuid4().hex * 2, sealed.keys(window).opening.hex()):
        with pytest.raises(ClientError, match="AccessDenied"):
            knock(sealed, wrong)
    for somebody in ("operator", "vendor"):
        with pytest.raises(ClientError, match="AccessDenied"):
            knock(sealed, value(sealed), getattr(sealed.account.identities, somebody).credentials)


def test_an_old_windows_keys_are_refused_by_the_clock(sealed: World) -> None:
    client = sealed.vendor()
    asked = sealed.open_bucket()
    sealed.account.clock.shift(PERIOD + 61)
    with pytest.raises(errors.NotServed):
        client.told(sealed.keys(window_at(time.time()) + -1).code.reveal().decode()).apply(asked)
    sealed.account.clock.shift(4 * PERIOD)
    assert padded(sealed), "the rotator is dead, and its last pads are there"
    with pytest.raises(errors.NotServed):
        sealed.vendor().apply(asked)
    sealed.account.rotate()
    assert padded(sealed) == staged()


def test_what_a_remediator_remembers_passes_until_the_gate_is_rolled(sealed: World) -> None:
    """The weakness that the threat model names, and its end."""
    remembered = value(sealed)
    sealed.account.clock.shift(2 * 3600)
    assert knock(sealed, remembered)["Credentials"]
    rolled = roll(sealed)
    with pytest.raises(ClientError, match="AccessDenied"):
        knock(sealed, remembered)
    assert {window.number for window in rolled.windows} == staged() <= padded(sealed)
    assert value(sealed) != remembered
    assert outcomes(sealed) == ["fixed"]


@pytest.mark.parametrize("breaks_at", [0, 1])
def test_a_roll_that_breaks_off_is_put_right_by_the_next_tick_and_can_be_run_again(
    sealed: World, breaks_at: int
) -> None:
    before = value(sealed)
    said: list[str] = []

    def tell(text: str) -> None:
        said.append(text)
        if len(said) > breaks_at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        roll(sealed, tell)
    assert (value(sealed) == before) is (breaks_at == 0)
    if breaks_at:
        with pytest.raises(errors.GateUnavailable):
            sealed.vendor().apply(sealed.open_bucket())
    sealed.account.rotate()
    assert outcomes(sealed) == ["fixed"]
    between = value(sealed)
    assert roll(sealed).windows
    assert value(sealed) not in (before, between)
    assert outcomes(sealed) == ["fixed"]


def test_the_old_secret_goes_with_its_generation(sealed: World) -> None:
    client: Any = sealed.admin("secretsmanager")

    def named() -> set[str]:
        return {one["Name"] for one in client.list_secrets()["SecretList"] if one["Name"].startswith("remediator/gate")}

    (first,) = named()
    generation = roll(sealed).generation
    assert named() == {f"remediator/gate/{generation}"} != {first}


def test_a_freeze_takes_the_pads_and_says_that_sessions_live_on(sealed: World) -> None:
    look = stolen(sealed)
    look()
    steps = {step.part: step for step in sealed.ordered("freeze")}
    assert {part: step.done for part, step in steps.items()} == {
        Part.REQUESTS: True, Part.SESSIONS: False, Part.GATE: True,
    }  # fmt: skip
    assert "PutRolePolicy: AccessDenied" in steps[Part.SESSIONS].note
    assert "an hour at most" in steps[Part.SESSIONS].note
    assert padded(sealed) == set()
    look()
    try:
        with pytest.raises(errors.Frozen):
            sealed.vendor().apply(sealed.open_bucket())
        sealed.account.clock.shift(PERIOD)
        sealed.account.rotate()
        assert padded(sealed) == set()
        assert sealed.operator().examine(time.time()).gate == "frozen"
        assert roll(sealed) == Rolled(generation(sealed), frozen=True, windows=())
    finally:
        assert all(step.done for step in sealed.ordered("unfreeze"))
    assert padded(sealed) >= staged()
    assert outcomes(sealed) == ["fixed"]


def stolen(sealed: World) -> Callable[[], Any]:
    """Return a look at a bucket with a session of the write role, as a remediator in other hands gets it."""
    asked = sealed.open_bucket()
    sealed.vendor().apply(asked)
    given = knock(sealed, value(sealed))["Credentials"]
    session = boto3.Session(
        given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], region_name=sealed.account.region
    )
    client = session.client("s3", endpoint_url=sealed.account.endpoint)
    return lambda: client.get_public_access_block(Bucket=asked[0].target["arn"].rpartition(":")[2])


def generation(sealed: World) -> int:
    client: Any = sealed.admin("cloudformation")
    found = client.describe_stacks(StackName=sealed.account.stack_name)["Stacks"][0]["Parameters"]
    return next(int(one["ParameterValue"]) for one in found if one["ParameterKey"] == "GateGeneration")


def test_where_the_organisation_lets_it_a_freeze_denies_sessions_too(sealed: World) -> None:
    sealed.account.control(None)
    try:
        look = stolen(sealed)
        look()
        assert all(step.done for step in sealed.ordered("freeze"))
        with pytest.raises(ClientError, match="AccessDenied"):
            look()
        sealed.account.clock.shift(1)
        assert all(step.done for step in sealed.ordered("unfreeze"))
        sealed.account.clock.shift(1)
        assert outcomes(sealed) == ["fixed"]
    finally:
        sealed.forbid_writes()


def test_status_says_that_it_is_sealed_and_for_which_windows(sealed: World) -> None:
    condition = sealed.operator().examine(time.time())
    assert (condition.gate, condition.sealed, condition.foreign) == ("open", True, ())
    assert set(condition.opens or ()) >= staged()


@pytest.mark.deep
@pytest.mark.parametrize("sid", ["ReadGateValue", "LayPads"])
def test_neither_right_of_the_rotators_is_there_for_nothing(sealed: World, sid: str) -> None:
    sealed.account.clock.shift(PERIOD)
    with sealed.without("remediator-rotator", sid), pytest.raises(RotationFailed):
        sealed.account.rotate()
    sealed.account.rotate()


def test_nothing_shows_the_value(sealed: World) -> None:
    outcomes(sealed)
    roll(sealed)
    outcomes(sealed)
    stacks: Any = sealed.admin("cloudformation")
    name = {"StackName": sealed.account.stack_name}
    tables: Any = sealed.admin("dynamodb")
    functions: Any = sealed.admin("lambda")
    logs: Any = sealed.admin("logs")
    shown: list[Any] = [
        sealed.account.outputs,
        stacks.describe_stacks(**name),
        stacks.describe_stack_events(**name),
        stacks.get_template(**name),
        functions.list_functions(),
        *(tables.scan(TableName=sealed.account.outputs[table])["Items"] for table in ("StateTable", "ReceiptsTable")),
        *(logs.filter_log_events(logGroupName=one["logGroupName"])["events"]
          for one in logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/")["logGroups"]),
    ]  # fmt: skip
    text = json.dumps(shown, default=lambda one: one.hex() if isinstance(one, bytes) else str(one))
    raw = bytes.fromhex(value(sealed))
    assert len(text) > 10_000
    for form in (raw.hex(), raw.hex().upper(), base64.b64encode(raw).decode(), base64.b32encode(raw).decode()):
        assert form.rstrip("=") not in text
