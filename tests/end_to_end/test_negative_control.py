"""Take any one statement away from any of our roles, and something fails: no permission is there for nothing.

A run that passes proves little if the account doesn't mind. So every statement that allows something is taken out by
itself, the work of its role is done, and the work must fail; what isn't missed must be listed here with its reason.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from remediator.local.account import RotationFailed
from remediator.service.errors import NotDone
from remediator.vendor.errors import NotServed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.end_to_end.world import World

pytestmark = pytest.mark.xdist_group("embedded account")

NOT_MISSED = {
    ("remediator-rotator", "GiveUp"): "used when every retry has failed",
    ("remediator-rotator", "UseQueueKey"): "used when every retry has failed",
    ("remediator-scheduler", "GiveUp"): "used when the function can't be started at all",
    ("remediator-scheduler", "UseQueueKey"): "used when the function can't be started at all",
    ("remediator-operator", "WriteEncryptedState"): "the embedded DynamoDB asks for the key's Decrypt alone",
    ("remediator", "PassGate"): "a trust policy that names a role of its own account is enough for STS by itself",
    ("remediator", "Announce"): "what isn't announced stops nothing; it rings",
}
"""Statements whose work only begins when something else has failed, or that say what another policy says too."""


def works(world: World, role: str) -> None:
    """Do all the work of a role; raise if any of it fails."""
    work: dict[str, Callable[[World], None]] = {
        "remediator-rotator": _rotate,
        "remediator-scheduler": _fire,
        "remediator-reader": _remediate,
        "remediator": _remediate,
        "remediator-write": _remediate,
        "remediator-operator": _operate,
    }
    work[role](world)


def _rotate(world: World) -> None:
    logs = world.admin("logs")
    group = f"/aws/lambda/{world.account.outputs['RotateFunction']}"
    world.rotate_next()
    began = int((_now(world) - 30) * 1000)
    events = logs.filter_log_events(logGroupName=group, startTime=began)["events"]
    assert any("Rotated" in event["message"] for event in events), "the run left no log"


def _fire(world: World) -> None:
    world.account.rotate()


def _remediate(world: World) -> None:
    world.rotate_next()
    answer = world.apply_all()
    assert {result.outcome for result in answer.results} == {"fixed"}, [result.reason for result in answer.results]
    assert world.vendor().get(answer.id).results == answer.results
    assert world.operator().client().roll_back(answer.id).results[0].outcome == "rolled_back"
    _exclude_by_tag(world)
    group = f"/aws/lambda/{world.account.outputs['RemediateFunction']}"
    began = int((_now(world) - 30) * 1000)
    events = world.admin("logs").filter_log_events(logGroupName=group, startTime=began)["events"]
    assert any("Fixed" in event["message"] for event in events), "the request left no log"


def _exclude_by_tag(world: World) -> None:
    world.edit_policy(exclude_tags=["untouchable"], findings_per_day=1_000)
    try:
        answer = world.vendor().apply([one for one in world.findings() if one.target["arn"].startswith("arn:aws:s3:")])
    finally:
        world.edit_policy()
    assert {result.outcome for result in answer.results} == {"fixed"}, [result.reason for result in answer.results]


def _operate(world: World) -> None:
    world.rotate_next()
    world.look_after(world.apply_all().id)


def _both_look(world: World) -> None:
    world.vendor().health()
    world.operator().client().health()


def _now(world: World) -> float:
    return float(world.account.clock.now())


@contextmanager
def without(world: World, role: str, policy: str, statement: int) -> Iterator[None]:
    """Take one statement out of a role's inline policy, and put it back."""
    iam = world.admin("iam")
    whole = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    rest = [one for number, one in enumerate(whole["Statement"]) if number != statement]
    iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(whole | {"Statement": rest}))
    try:
        yield
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(whole))


@contextmanager
def without_managed(world: World, arn: str, statement: int) -> Iterator[None]:
    """Take one statement out of a managed policy, and put it back."""
    iam = world.admin("iam")
    before = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    whole = iam.get_policy_version(PolicyArn=arn, VersionId=before)["PolicyVersion"]["Document"]
    rest = [one for number, one in enumerate(whole["Statement"]) if number != statement]
    made = iam.create_policy_version(
        PolicyArn=arn, PolicyDocument=json.dumps(whole | {"Statement": rest}), SetAsDefault=True
    )
    try:
        yield
    finally:
        iam.set_default_policy_version(PolicyArn=arn, VersionId=before)
        iam.delete_policy_version(PolicyArn=arn, VersionId=made["PolicyVersion"]["VersionId"])


def statements(world: World, role: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield each statement of a role that allows something, with how to do without it."""
    iam = world.admin("iam")
    for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
        for number, one in enumerate(document["Statement"]):
            if one["Effect"] == "Allow":
                yield one.get("Sid", f"{policy}/{number}"), _later(without, world, role, policy, number)
    for attached in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        if ":aws:policy/" in attached["PolicyArn"]:
            continue
        version = iam.get_policy(PolicyArn=attached["PolicyArn"])["Policy"]["DefaultVersionId"]
        policy = iam.get_policy_version(PolicyArn=attached["PolicyArn"], VersionId=version)["PolicyVersion"]
        for number, one in enumerate(policy["Document"]["Statement"]):
            if one["Effect"] == "Allow":
                yield ",".join(one["Action"]), _later(without_managed, world, attached["PolicyArn"], number)


@contextmanager
def without_permission(world: World, statement: str) -> Iterator[None]:
    """Take one grant out of the endpoint's resource policy, and put it back."""
    functions, name = world.admin("lambda"), world.account.outputs["RemediateFunction"]
    policy = json.loads(functions.get_policy(FunctionName=name)["Policy"])
    (one,) = [grant for grant in policy["Statement"] if grant["Sid"] == statement]
    functions.remove_permission(FunctionName=name, StatementId=statement)
    try:
        yield
    finally:
        conditions = {key: value for block in one.get("Condition", {}).values() for key, value in block.items()}
        by_url = {"InvokedViaFunctionUrl": True} if "lambda:InvokedViaFunctionUrl" in conditions else {}
        signed = {"FunctionUrlAuthType": "AWS_IAM"} if "lambda:FunctionUrlAuthType" in conditions else {}
        functions.add_permission(
            FunctionName=name,
            StatementId=statement,
            Action=one["Action"],
            Principal=one["Principal"]["AWS"],
            **by_url,
            **signed,
        )


def _later(taking: Callable[..., Any], *arguments: Any) -> Callable[[], Any]:
    return lambda: taking(*arguments)


def test_no_grant_of_the_endpoint_is_there_for_nothing(world: World) -> None:
    name = world.account.outputs["RemediateFunction"]
    policy = json.loads(world.admin("lambda").get_policy(FunctionName=name)["Policy"])
    grants = [one["Sid"] for one in policy["Statement"]]
    for grant in grants:
        with without_permission(world, grant), pytest.raises(NotServed):
            _both_look(world)
    assert len(grants) == 4
    _both_look(world)


@pytest.mark.parametrize(
    "role",
    [
        "remediator-rotator",
        "remediator-scheduler",
        "remediator-reader",
        pytest.param("remediator-operator", marks=pytest.mark.deep),
        "remediator",
        pytest.param("remediator-write", marks=pytest.mark.deep),
    ],
)
def test_no_statement_is_there_for_nothing(world: World, role: str) -> None:
    works(world, role)
    missed, not_missed = [], []
    for name, taking in statements(world, role):
        with taking():
            try:
                works(world, role)
            except (AssertionError, ClientError, NotDone, NotServed, RotationFailed):
                missed.append(name)
            else:
                not_missed.append(name)
        world.order("unfreeze")
    assert missed
    assert {(role, name) for name in not_missed} == {one for one in NOT_MISSED if one[0] == role}
    works(world, role)
