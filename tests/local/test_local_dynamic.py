"""Dynamic references: put in at the last moment, with the stack's own rights, and shown nowhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from remediator.local.clients import Clients, ServiceClients
from remediator.local.emulator.identities import CUSTOMER_ACCOUNT
from remediator.local.witness import Unfaithful, confirm
from tests.local.stacks import Deployed, allows, deploy, resource, trusts

if TYPE_CHECKING:
    from remediator.local.account import EmbeddedAccount
    from tests.local.stacks import Template

DRAWN = {
    "PasswordLength": 64,
    "ExcludeCharacters": "ghijklmnopqrstuvwxyz",
    "ExcludeUppercase": True,
    "ExcludePunctuation": True,
    "RequireEachIncludedType": False,
}


def trusting(reference: Any) -> dict[str, Any]:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": reference}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def reference() -> Any:
    return {"Fn::Join": ["", ["{{resolve:secretsmanager:", {"Ref": "S"}, ":SecretString}}"]]}


def drawn(**how: Any) -> Template:
    return {
        "S": resource("AWS::SecretsManager::Secret", GenerateSecretString=DRAWN | how),
        "R": resource("AWS::IAM::Role", AssumeRolePolicyDocument=trusting(reference())),
    }


def external_id(stack: Deployed) -> str:
    role = stack.client("iam").get_role(RoleName=stack.physical_id("R"))["Role"]
    return str(role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"])


def value(stack: Deployed) -> str:
    return str(stack.client("secretsmanager").get_secret_value(SecretId=stack.physical_id("S"))["SecretString"])


def seen_of(stack: Deployed) -> str:
    client = stack.client("cloudformation")
    listed = client.describe_stack_events(StackName=stack.name)["StackEvents"]
    template = client.get_template(StackName=stack.name)["TemplateBody"]
    return json.dumps([stack.described, listed, template], default=str)


def confirmed(embedded: EmbeddedAccount, stack: Deployed) -> int:
    admin = Clients(embedded.endpoint, embedded.region, embedded.identities.admin.credentials)
    return confirm(ServiceClients(admin, CUSTOMER_ACCOUNT), stack.name)


def test_a_drawn_secret_is_put_into_a_trust_policy_and_shown_by_nothing_of_the_stack(embedded: EmbeddedAccount) -> None:
    stack = deploy(embedded, drawn())
    assert stack.status == "CREATE_COMPLETE", stack.reason
    assert external_id(stack) == value(stack)
    assert (len(value(stack)), set(value(stack)) <= set("0123456789abcdef")) == (64, True)
    assert value(stack) not in seen_of(stack)
    assert confirmed(embedded, stack) > 1


def test_two_stacks_draw_two_values(embedded: EmbeddedAccount) -> None:
    assert value(deploy(embedded, drawn())) != value(deploy(embedded, drawn()))


def test_a_value_that_changed_behind_the_stack_is_no_change_of_the_stack(embedded: EmbeddedAccount) -> None:
    stack = deploy(embedded, drawn())
    before = external_id(stack)
    stack.client("secretsmanager").put_secret_value(SecretId=stack.physical_id("S"), SecretString="0" * 64)
    stack.update({**drawn(), "Q": resource("AWS::SQS::Queue")})
    assert external_id(stack) == before


def test_the_witness_sees_that_they_differ_and_shows_neither(embedded: EmbeddedAccount) -> None:
    stack = deploy(embedded, drawn())
    stack.client("secretsmanager").put_secret_value(SecretId=stack.physical_id("S"), SecretString="0" * 64)
    with pytest.raises(Unfaithful, match="AssumeRolePolicyDocument differs; it holds a secret") as caught:
        confirmed(embedded, stack)
    assert external_id(stack) not in str(caught.value)
    assert "0" * 64 not in str(caught.value)


def test_a_value_that_cant_have_been_drawn_so_is_seen(embedded: EmbeddedAccount) -> None:
    stack = deploy(embedded, drawn())
    stack.client("secretsmanager").put_secret_value(SecretId=stack.physical_id("S"), SecretString="G" * 64)
    with pytest.raises(Unfaithful, match="GenerateSecretString can't be read back"):
        confirmed(embedded, stack)


def test_a_replaced_secret_brings_its_value_with_it_and_the_old_one_goes(embedded: EmbeddedAccount) -> None:
    def named(name: str) -> Template:
        made = drawn()
        made["S"]["Properties"]["Name"] = name
        return made

    stack = deploy(embedded, named("one"))
    before, old = external_id(stack), stack.physical_id("S")
    assert stack.update(named("two")) == "UPDATE_COMPLETE"
    assert external_id(stack) == value(stack) != before
    with pytest.raises(ClientError, match="ResourceNotFound"):
        stack.client("secretsmanager").describe_secret(SecretId=old)


def test_an_update_that_fails_brings_the_old_value_back(embedded: EmbeddedAccount) -> None:
    stack = deploy(embedded, drawn())
    before = external_id(stack)
    made = drawn()
    made["S"]["Properties"]["Name"] = "other"
    broken = resource("AWS::IAM::Policy", PolicyName="p", PolicyDocument=allows("s3:*"), Roles=["no-such-role"])
    assert stack.update({**made, "P": {**broken, "DependsOn": "R"}}) == "UPDATE_ROLLBACK_COMPLETE"
    assert external_id(stack) == before == value(stack)


def test_the_stack_reads_it_with_the_rights_of_its_role(embedded: EmbeddedAccount) -> None:
    acting = resource(
        "AWS::IAM::Role",
        AssumeRolePolicyDocument=trusts("cloudformation.amazonaws.com"),
        Policies=[{"PolicyName": "p", "PolicyDocument": allows("iam:*", "secretsmanager:CreateSecret",
                                                               "secretsmanager:GetRandomPassword",
                                                               "secretsmanager:DeleteSecret")}],
    )  # fmt: skip
    own = deploy(embedded, {"Acting": acting})
    arn = own.client("iam").get_role(RoleName=own.physical_id("Acting"))["Role"]["Arn"]
    stack = deploy(embedded, drawn(), RoleARN=arn)
    assert stack.status == "ROLLBACK_COMPLETE"
    assert "GetSecretValue" in stack.reason


def test_an_update_goes_on_with_the_role_that_the_stack_was_given(embedded: EmbeddedAccount) -> None:
    policy = {"PolicyName": "p", "PolicyDocument": allows("sqs:*")}
    acting = resource(
        "AWS::IAM::Role", AssumeRolePolicyDocument=trusts("cloudformation.amazonaws.com"), Policies=[policy]
    )
    own = deploy(embedded, {"Acting": acting})
    arn = own.client("iam").get_role(RoleName=own.physical_id("Acting"))["Role"]["Arn"]
    stack = deploy(embedded, {"Q": resource("AWS::SQS::Queue")}, RoleARN=arn)
    assert stack.update({"Q": resource("AWS::SQS::Queue"), **drawn()}) == "UPDATE_ROLLBACK_COMPLETE"
    assert "AccessDenied" in stack.reason


@pytest.mark.parametrize(
    "broken",
    [
        "{{resolve:ssm:parameter}}",
        "{{resolve:ssm-secure:parameter:1}}",
        "{{resolve:secretsmanager:one:SecretString:key}}",
        "{{resolve:secretsmanager:one:SecretBinary}}",
    ],
)
def test_references_of_another_kind_are_refused(embedded: EmbeddedAccount, broken: str) -> None:
    stack = deploy(embedded, {"R": resource("AWS::IAM::Role", AssumeRolePolicyDocument=trusting(broken))})
    assert stack.status == "ROLLBACK_COMPLETE"
    assert "dynamic references" in stack.reason


def test_an_output_holds_no_dynamic_reference(embedded: EmbeddedAccount) -> None:
    stack = deploy(embedded, drawn(), Outputs={"X": {"Value": reference()}})
    assert stack.status == "ROLLBACK_COMPLETE"
    assert "output X" in stack.reason
