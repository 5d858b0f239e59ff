"""How a stack is carried out: order, failures, rollback, updates, what is left alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from remediator.local.cloudformation.resource import Missing
from remediator.local.cloudformation.types.sqs import Queue
from tests.local.stacks import allows, deploy, resource, trusts

if TYPE_CHECKING:
    from remediator.local.account import EmbeddedAccount

LAMBDA = trusts("lambda.amazonaws.com")


def queue(**properties: Any) -> dict[str, Any]:
    return resource("AWS::SQS::Queue", **properties)


def role(**properties: Any) -> dict[str, Any]:
    return resource("AWS::IAM::Role", AssumeRolePolicyDocument=LAMBDA, **properties)


def exists(embedded: EmbeddedAccount, url: str) -> bool:
    client: Any = embedded.client("sqs")
    try:
        client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    except ClientError:
        return False
    return True


def test_outputs_and_references_are_what_was_made(embedded: EmbeddedAccount) -> None:
    resources = {"Q": queue(), "R": role()}
    outputs = {"Url": {"Value": {"Ref": "Q"}}, "Role": {"Value": {"Fn::GetAtt": ["R", "RoleId"]}}}
    stack = deploy(embedded, resources, Outputs=outputs)
    assert stack.status == "CREATE_COMPLETE"
    assert stack.outputs["Url"] == stack.physical_id("Q")
    assert stack.outputs["Role"].startswith("AROA")


def test_names_that_the_template_leaves_open_are_made_of_stack_and_logical_id(embedded: EmbeddedAccount) -> None:
    stack = deploy(embedded, {"Q": queue()})
    assert f"/{stack.name}-Q-" in stack.physical_id("Q")


def test_a_failed_creation_is_rolled_back_with_the_reason(embedded: EmbeddedAccount) -> None:
    broken = resource("AWS::IAM::Policy", PolicyName="p", PolicyDocument=allows("s3:*"), Roles=["no-such-role"])
    stack = deploy(embedded, {"Q": queue(), "P": {**broken, "DependsOn": "Q"}})
    assert stack.status == "ROLLBACK_COMPLETE"
    assert "[P]" in stack.reason
    assert "no-such-role" in stack.reason
    states = dict(stack.events)
    assert (states["Q"], states["P"]) == ("DELETE_COMPLETE", "CREATE_FAILED")
    assert stack.physical_ids == {}


def test_a_failed_creation_leaves_nothing_whatever_its_deletion_policy(embedded: EmbeddedAccount) -> None:
    kept = {**queue(QueueName="kept-after-failure"), "DeletionPolicy": "Retain"}
    broken = {**resource("AWS::KMS::Alias", AliasName="alias/x", TargetKeyId="nothing"), "DependsOn": "Q"}
    assert deploy(embedded, {"Q": kept, "A": broken}).status == "ROLLBACK_COMPLETE"
    assert not exists(embedded, f"{embedded.endpoint}/{embedded.identities.admin.arn.split(':')[4]}/kept-after-failure")


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (resource("AWS::EC2::Instance"), "AWS::EC2::Instance isn't supported"),
        (resource("AWS::SQS::Queue", Imagined=1), "unsupported property Imagined"),
        (resource("AWS::IAM::Role"), "required key [AssumeRolePolicyDocument] not found"),
        (resource("AWS::SQS::Queue", QueueName={"Fn::GetAtt": ["Good", "Imagined"]}), "attribute Imagined"),
        (resource("AWS::SQS::Queue", QueueName="not allowed!"), "InvalidParameterValue"),
        (role(MaxSessionDuration="soon"), "MaxSessionDuration"),
        (resource("AWS::Lambda::Url", TargetFunctionArn="x", AuthType="NONE", InvokeMode="RESPONSE_STREAM"), "stream"),
    ],
)
def test_what_isnt_understood_fails_and_says_why(embedded: EmbeddedAccount, broken: Any, says: str) -> None:
    stack = deploy(embedded, {"Good": queue(), "Broken": broken})
    assert stack.status == "ROLLBACK_COMPLETE"
    assert says in stack.reason


def test_an_invalid_template_makes_no_stack(embedded: EmbeddedAccount) -> None:
    client: Any = embedded.client("cloudformation")
    body = json.dumps({"Resources": {"Q": queue()}, "Transform": "AWS::Include"})
    with pytest.raises(ClientError, match="Transform"):
        client.create_stack(StackName="invalid", TemplateBody=body)
    assert "invalid" not in [stack["StackName"] for stack in client.describe_stacks()["Stacks"]]


def test_an_update_touches_only_what_changed(embedded: EmbeddedAccount) -> None:
    stack = deploy(embedded, {"A": queue(VisibilityTimeout=10), "B": queue(VisibilityTimeout=10)})
    before = stack.physical_ids
    mark = len(stack.events)
    calls = embedded.calls.mark()
    assert stack.update({"A": queue(VisibilityTimeout=10), "B": queue(VisibilityTimeout=20)}) == "UPDATE_COMPLETE"
    assert stack.physical_ids == before
    assert {name for name, _ in stack.events[mark:]} == {"B", stack.name}
    written = [call.resource for call in embedded.calls.since(calls) if call.operation == "SetQueueAttributes"]
    assert len(written) == 1


def test_an_update_adds_and_removes(embedded: EmbeddedAccount) -> None:
    stack = deploy(embedded, {"A": queue()})
    gone = stack.physical_id("A")
    assert stack.update({"B": queue()}) == "UPDATE_COMPLETE"
    assert list(stack.physical_ids) == ["B"]
    assert not exists(embedded, gone)


def test_a_property_that_cannot_change_replaces_the_resource(embedded: EmbeddedAccount) -> None:
    resources = {"A": queue(QueueName="first"), "P": resource("AWS::SQS::QueuePolicy")}
    resources["P"]["Properties"] = {"Queues": [{"Ref": "A"}], "PolicyDocument": allows("sqs:SendMessage")}
    stack = deploy(embedded, resources)
    before = stack.physical_id("A")
    resources["A"] = queue(QueueName="second")
    assert stack.update(resources) == "UPDATE_COMPLETE"
    assert stack.physical_id("A").endswith("/second")
    assert not exists(embedded, before)
    client: Any = embedded.client("sqs")
    moved = client.get_queue_attributes(QueueUrl=stack.physical_id("A"), AttributeNames=["Policy"])["Attributes"]
    assert json.loads(moved["Policy"]) == allows("sqs:SendMessage")


def test_a_failed_update_goes_back_to_what_it_was(embedded: EmbeddedAccount) -> None:
    old = {"A": queue(VisibilityTimeout=10), "R": role(Description="old")}
    stack = deploy(embedded, old)
    broken = {**resource("AWS::KMS::Alias", AliasName="alias/x", TargetKeyId="nothing"), "DependsOn": ["A", "N", "R"]}
    changed = {"A": queue(VisibilityTimeout=20), "R": role(Description="new"), "N": queue(), "Broken": broken}
    assert stack.update(changed) == "UPDATE_ROLLBACK_COMPLETE"
    assert sorted(stack.physical_ids) == ["A", "R"]
    assert ("Broken", "CREATE_FAILED") in stack.events
    sqs, iam = stack.client("sqs"), stack.client("iam")
    attributes = sqs.get_queue_attributes(QueueUrl=stack.physical_id("A"), AttributeNames=["VisibilityTimeout"])
    assert attributes["Attributes"]["VisibilityTimeout"] == "10"
    assert iam.get_role(RoleName=stack.physical_id("R"))["Role"]["Description"] == "old"
    assert stack.client("cloudformation").get_template(StackName=stack.name)["TemplateBody"] == {"Resources": old}
    assert stack.update({**old, "More": queue()}) == "UPDATE_COMPLETE"


def test_an_update_without_changes_is_refused(embedded: EmbeddedAccount) -> None:
    stack = deploy(embedded, {"A": queue()})
    with pytest.raises(ClientError, match="No updates are to be performed"):
        stack.update({"A": queue()})


def test_what_is_retained_stays_when_the_stack_goes(embedded: EmbeddedAccount) -> None:
    stack = deploy(embedded, {"Kept": {**queue(), "DeletionPolicy": "Retain"}, "Gone": queue()})
    kept, gone = stack.physical_id("Kept"), stack.physical_id("Gone")
    stack.delete()
    assert exists(embedded, kept)
    assert not exists(embedded, gone)
    with pytest.raises(ClientError, match=stack.name):
        assert stack.status


def test_a_deletion_that_fails_says_what_is_left(embedded: EmbeddedAccount) -> None:
    stack = deploy(embedded, {"B": resource("AWS::S3::Bucket", BucketName="not-empty-bucket"), "Q": queue()})
    s3 = stack.client("s3")
    s3.put_object(Bucket="not-empty-bucket", Key="x", Body=b"x")
    stack.delete()
    assert stack.status == "DELETE_FAILED"
    assert "[B]" in stack.reason
    s3.delete_object(Bucket="not-empty-bucket", Key="x")
    stack.delete()
    with pytest.raises(ClientError):
        assert stack.status


def test_a_new_stack_of_the_same_name_has_a_new_id(embedded: EmbeddedAccount) -> None:
    stack = deploy(embedded, {"Q": queue()})
    first = stack.described["StackId"]
    stack.delete()
    body = json.dumps({"Resources": {"Q": queue()}})
    again = stack.client("cloudformation").create_stack(StackName=stack.name, TemplateBody=body)["StackId"]
    assert again != first
    assert again.rpartition("/")[0] == first.rpartition("/")[0]


def test_termination_protection_protects(embedded: EmbeddedAccount) -> None:
    client: Any = embedded.client("cloudformation")
    body = json.dumps({"Resources": {"Q": queue()}})
    client.create_stack(StackName="protected", TemplateBody=body, EnableTerminationProtection=True)
    with pytest.raises(ClientError, match="TerminationProtection"):
        client.delete_stack(StackName="protected")


def test_a_stack_acts_with_the_rights_of_its_role(embedded: EmbeddedAccount) -> None:
    document = allows("sqs:*", resource="arn:aws:sqs:*:*:allowed-*")
    inline = [{"PolicyName": "own", "PolicyDocument": document}]
    trusting = resource("AWS::IAM::Role", AssumeRolePolicyDocument=trusts("cloudformation.amazonaws.com"))
    trusting["Properties"]["Policies"] = inline
    arn = deploy(embedded, {"R": trusting}, Outputs={"Arn": {"Value": {"Fn::GetAtt": ["R", "Arn"]}}}).outputs["Arn"]
    assert deploy(embedded, {"Q": queue(QueueName="allowed-1")}, RoleARN=arn).status == "CREATE_COMPLETE"
    refused = deploy(embedded, {"Q": queue(QueueName="other-1")}, RoleARN=arn)
    assert refused.status == "ROLLBACK_COMPLETE"
    assert "not authorized" in refused.reason


def test_a_stacks_tags_reach_its_resources(embedded: EmbeddedAccount) -> None:
    tags = [{"Key": "team", "Value": "security"}, {"Key": "own", "Value": "overridden"}]
    stack = deploy(embedded, {"Q": queue(Tags=[{"Key": "own", "Value": "kept"}])}, Tags=tags)
    found = stack.client("sqs").list_queue_tags(QueueUrl=stack.physical_id("Q"))["Tags"]
    assert found == {"team": "security", "own": "kept"}


def test_a_role_edited_behind_the_stack_is_left_alone_until_the_stack_touches_it(embedded: EmbeddedAccount) -> None:
    resources = {"R": role(Description="one"), "Q": queue(VisibilityTimeout=1)}
    stack = deploy(embedded, resources)
    name, iam = stack.physical_id("R"), stack.client("iam")
    edited = trusts("events.amazonaws.com")
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(edited))
    stack.update({**resources, "Q": queue(VisibilityTimeout=2)})
    assert iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"] == edited
    stack.update({"R": role(Description="two"), "Q": queue(VisibilityTimeout=2)})
    assert iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"] == LAMBDA


def test_change_sets_carry_out_what_they_describe(embedded: EmbeddedAccount) -> None:
    client: Any = embedded.client("cloudformation")

    def change(kind: str, resources: dict[str, Any]) -> Any:
        body = json.dumps({"Resources": resources, "Outputs": {"Url": {"Value": {"Ref": "Q"}}}})
        client.create_change_set(StackName="changing", ChangeSetName="set", ChangeSetType=kind, TemplateBody=body)
        described = client.describe_change_set(StackName="changing", ChangeSetName="set")
        if described["ExecutionStatus"] == "AVAILABLE":
            client.execute_change_set(StackName="changing", ChangeSetName="set")
        client.delete_change_set(StackName="changing", ChangeSetName="set")
        return described

    created = change("CREATE", {"Q": queue()})
    assert [one["ResourceChange"]["Action"] for one in created["Changes"]] == ["Add"]
    assert client.describe_stacks(StackName="changing")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
    assert client.describe_stacks(StackName="changing")["Stacks"][0]["Outputs"][0]["OutputKey"] == "Url"
    changed = change("UPDATE", {"Q": queue(VisibilityTimeout=3), "P": queue()})
    assert sorted(one["ResourceChange"]["Action"] for one in changed["Changes"]) == ["Add", "Modify"]
    assert client.describe_stacks(StackName="changing")["Stacks"][0]["StackStatus"] == "UPDATE_COMPLETE"
    nothing = change("UPDATE", {"Q": queue(VisibilityTimeout=3), "P": queue()})
    assert (nothing["Status"], nothing["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")


def test_a_read_of_what_isnt_there_is_missing(embedded: EmbeddedAccount) -> None:
    stack = deploy(embedded, {"Q": queue()})
    with pytest.raises(Missing):
        Queue().read(stack.services, stack.physical_id("Q") + "-not", {})
