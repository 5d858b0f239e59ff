"""The witness against an account that was changed behind the stack's back: every lie is listed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from remediator.local.cloudformation.registry import TYPES
from remediator.local.emulator.cloudformation_service import hosted
from remediator.local.emulator.identities import CUSTOMER_ACCOUNT
from remediator.local.witness import Unfaithful, confirm
from tests.local.hosting import packed
from tests.local.stacks import Deployed, allows, deploy, function_resources, resource, trusts

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.local.account import EmbeddedAccount

RESOURCES: dict[str, Any] = {
    **function_resources("def handler(event, context): return 1", MemorySize=256),
    "Url": resource("AWS::Lambda::Url", TargetFunctionArn={"Fn::GetAtt": ["Function", "Arn"]}, AuthType="AWS_IAM"),
    "Let": resource(
        "AWS::Lambda::Permission",
        FunctionName={"Ref": "Function"},
        Action="lambda:InvokeFunction",
        Principal="*",
        InvokedViaFunctionUrl=True,
    ),
    "Policy": resource("AWS::IAM::Policy", PolicyName="more", PolicyDocument=allows("s3:*"), Roles=[{"Ref": "Role"}]),
    "Queue": resource("AWS::SQS::Queue", MessageRetentionPeriod=600),
    "Secret": resource("AWS::SecretsManager::Secret", Description="as it was"),
}


def _detach(stack: Deployed) -> None:
    stack.client("iam").delete_role_policy(RoleName=stack.physical_id("Role"), PolicyName="more")


def _rewrite_trust(stack: Deployed) -> None:
    document = json.dumps(trusts("ec2.amazonaws.com"))
    stack.client("iam").update_assume_role_policy(RoleName=stack.physical_id("Role"), PolicyDocument=document)


def _widen(stack: Deployed) -> None:
    iam = stack.client("iam")
    iam.put_role_policy(RoleName=stack.physical_id("Role"), PolicyName="own", PolicyDocument=json.dumps(allows("*")))


def _open_url(stack: Deployed) -> None:
    stack.client("lambda").update_function_url_config(FunctionName=stack.physical_id("Function"), AuthType="NONE")


def _remove_permission(stack: Deployed) -> None:
    function = stack.physical_id("Function")
    stack.client("lambda").remove_permission(FunctionName=function, StatementId=stack.physical_id("Let"))


def _replace_code(stack: Deployed) -> None:
    function = stack.physical_id("Function")
    stack.client("lambda").update_function_code(
        FunctionName=function, ZipFile=packed("def handler(event, context): return 2")
    )


def _shrink(stack: Deployed) -> None:
    function = stack.physical_id("Function")
    stack.client("lambda").update_function_configuration(FunctionName=function, MemorySize=128)


def _retain_less(stack: Deployed) -> None:
    url = stack.physical_id("Queue")
    stack.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"MessageRetentionPeriod": "60"})


def _delete_queue(stack: Deployed) -> None:
    stack.client("sqs").delete_queue(QueueUrl=stack.physical_id("Queue"))


def _describe_otherwise(stack: Deployed) -> None:
    stack.client("secretsmanager").update_secret(SecretId=stack.physical_id("Secret"), Description="otherwise")


@pytest.mark.parametrize(
    ("tamper", "lies"),
    [
        (_detach, [("Policy", "can't be read back")]),
        (_rewrite_trust, [("Role", "AssumeRolePolicyDocument is")]),
        (_widen, [("Role", "Policies is")]),
        (_open_url, [("Url", "AuthType is 'NONE'")]),
        (_remove_permission, [("Let", "can't be read back")]),
        (_replace_code, [("Function", "Code is")]),
        (_shrink, [("Function", "MemorySize is 128")]),
        (_retain_less, [("Queue", "MessageRetentionPeriod is '60'")]),
        (_delete_queue, [("Queue", "can't be read back")]),
        (_describe_otherwise, [("Secret", "Description is 'otherwise'")]),
    ],
)
def test_what_was_changed_behind_the_stacks_back_is_a_lie(
    embedded: EmbeddedAccount, tamper: Callable[[Deployed], None], lies: list[tuple[str, str]]
) -> None:
    stack = deploy(embedded, RESOURCES)
    assert confirm(stack.services, stack.name) > 10
    tamper(stack)
    with pytest.raises(Unfaithful) as unfaithful:
        confirm(stack.services, stack.name)
    assert [lie.logical_id for lie in unfaithful.value.lies] == [name for name, _ in lies]
    assert all(what in str(unfaithful.value) for _, what in lies)


def test_all_lies_are_listed_at_once(embedded: EmbeddedAccount) -> None:
    stack = deploy(embedded, RESOURCES)
    for tamper in (_open_url, _shrink, _describe_otherwise, _delete_queue):
        tamper(stack)
    with pytest.raises(Unfaithful) as unfaithful:
        confirm(stack.services, stack.name)
    assert {lie.logical_id for lie in unfaithful.value.lies} == {"Url", "Function", "Secret", "Queue"}


def test_a_type_that_nobody_knows_is_a_lie(embedded: EmbeddedAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = deploy(embedded, {"Queue": RESOURCES["Queue"], "Secret": RESOURCES["Secret"]})
    monkeypatch.delitem(TYPES, "AWS::SQS::Queue")
    with pytest.raises(Unfaithful, match="nobody here knows this type"):
        confirm(stack.services, stack.name)


def test_a_property_that_nobody_reads_is_a_lie(embedded: EmbeddedAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = deploy(embedded, {"Queue": RESOURCES["Queue"]})
    kind = type(TYPES["AWS::SQS::Queue"])
    read = kind.read

    def forgetful(*arguments: Any) -> Any:
        live = read(*arguments)
        properties = {name: value for name, value in live.properties.items() if name != "MessageRetentionPeriod"}
        return type(live)(properties, live.attributes)

    monkeypatch.setattr(kind, "read", forgetful)
    with pytest.raises(Unfaithful, match="MessageRetentionPeriod can't be read back"):
        confirm(stack.services, stack.name)


def test_a_resource_that_the_stack_lost_is_a_lie(embedded: EmbeddedAccount) -> None:
    stack = deploy(embedded, {"Queue": RESOURCES["Queue"], "Secret": RESOURCES["Secret"]})
    del hosted(CUSTOMER_ACCOUNT, embedded.region, stack.name).engine.resources["Secret"]
    with pytest.raises(Unfaithful, match="the stack doesn't have it"):
        confirm(stack.services, stack.name)
