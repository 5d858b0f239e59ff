"""Tell the demo's story on the embedded account: deployed with the CDK's command line, played, and gone again."""

from __future__ import annotations

import argparse
import json
import time
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from live.__main__ import attempt, main
from live.aws import cloud, stacks
from live.aws.bucket import FIX, Bucket
from live.aws.stacks import Cdk, CdkFailed
from live.aws.workshop import Account, AwsWorkshop
from live.demo import NOTHING, perform
from live.listing import cost
from live.running import Unclean
from remediator.cli.aws_place import AwsPlace
from remediator.local.deploy import Target, _environment, bootstrap
from remediator.local.emulator.identities import CUSTOMER_ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from live.story import Stage
    from remediator.local.account import EmbeddedAccount

pytestmark = pytest.mark.xdist_group("an account of its own")

KEPT = json.dumps(
    {
        "Resources": {
            "Key": {"Type": "AWS::KMS::Key", "DeletionPolicy": "Retain", "Properties": {"KeyPolicy": {}}},
            "Receipts": {
                "Type": "AWS::DynamoDB::Table",
                "DeletionPolicy": "Retain",
                "Properties": {
                    "TableName": "remediator-receipts-of-the-demo",
                    "BillingMode": "PAY_PER_REQUEST",
                    "DeletionProtectionEnabled": True,
                    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                },
            },
        }
    }
)
"""What of the stack stays when it is deleted, alone."""


@pytest.fixture
def shop(account: EmbeddedAccount) -> Iterator[AwsWorkshop]:
    """A workshop of whoever is the operator and may do everything."""
    vendor = account.identities.vendor.credentials
    made = AwsWorkshop(
        customer=Account(account.client, CUSTOMER_ACCOUNT, account.identities.operator.arn),
        vendor=Account.of(lambda service: account.client(service, vendor)),
        run=uuid.uuid4().hex[:8],
        now=time.time,
        pause=account.clock.shift,
        sdk_session=_nobody,
    )
    before = traces(account)
    yield made
    assert traces(account) == before


def _nobody(_: Any) -> NoReturn:
    raise AssertionError


def target(account: EmbeddedAccount) -> Target:
    return Target(account.endpoint, CUSTOMER_ACCOUNT, account.region, account.identities.admin.credentials)


def cdk(account: EmbeddedAccount) -> Cdk:
    """The CDK's command line as it speaks to the embedded account."""
    flags = ("--method=direct", "--no-previous-parameters", "--no-notices", "--no-color", "--ci")
    return Cdk(_environment(target(account)), flags)


def traces(account: EmbeddedAccount) -> set[str]:
    """Return what a deployment is made of, looked for past what the cleaning looks at; a key's deletion takes days."""
    admin: Any = account.client
    functions, tables = admin("lambda").list_functions()["Functions"], admin("dynamodb").list_tables()["TableNames"]
    keys = [one["KeyId"] for one in admin("kms").list_keys()["Keys"]]
    states = {key: admin("kms").describe_key(KeyId=key)["KeyMetadata"]["KeyState"] for key in keys}
    return {
        *(one["StackName"] for one in admin("cloudformation").describe_stacks()["Stacks"]),
        *(one["FunctionName"] for one in functions),
        *tables,
        *(one["RoleName"] for one in admin("iam").list_roles()["Roles"]),
        *(one["Name"] for one in admin("secretsmanager").list_secrets()["SecretList"]),
        *(one["Name"] for one in admin("s3").list_buckets()["Buckets"]),
        *(key for key, state in states.items() if state != "PendingDeletion"),
    }


@pytest.fixture
def profiles(account: EmbeddedAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let both profiles lead to the embedded account: the place tells them apart by whose credentials it takes."""

    def place(_: str, __: str, stack: str, ___: None) -> AwsPlace:
        return AwsPlace(None, None, stack, {**account.describe(), "outputs": {}})

    monkeypatch.setattr(cloud, "AwsPlace", place)
    monkeypatch.setattr(Cdk, "as_profile", lambda *_: cdk(account))


def asked(stack: str | None = None) -> argparse.Namespace:
    return argparse.Namespace(customer_profile="me", vendor_profile="other", region="eu-west-1", stack=stack)


@contextmanager
def half_deployed(shop: AwsWorkshop, end: BaseException) -> Iterator[Stage]:
    """Deploy what stays alone, and end so."""
    shop.customer.client("cloudformation").create_stack(StackName=shop.name("stack"), TemplateBody=KEPT)
    raise end
    yield


@pytest.mark.usefixtures("profiles")
def test_deployed_played_and_gone_with_what_a_destroyed_stack_would_leave(
    account: EmbeddedAccount, shop: AwsWorkshop, capsys: pytest.CaptureFixture[str]
) -> None:
    bootstrap(target(account), lambda _: None)
    before = traces(account)
    said: list[str] = []
    shop.say = said.append
    assert attempt(shop, [], as_json=True, stage=cloud.stage(shop, asked())) == 0
    told = {one["step"]: one["got"] for one in json.loads(capsys.readouterr().out)}
    assert (told["apply"], told["roll back"], told["what is left"]) == ("fixed", "rolled_back", NOTHING)
    assert f"removing stack {shop.name('stack')}" in said
    assert traces(account) == before
    unbootstrap(account)


@pytest.mark.deep
@pytest.mark.usefixtures("profiles")
def test_a_deployment_that_stands_is_told_through_and_left_alone(account: EmbeddedAccount, shop: AwsWorkshop) -> None:
    account._bootstrapped = False
    account.deploy(fixes=FIX)
    before = traces(account)
    lines = perform(shop, cloud.stage(shop, asked("Remediator")))
    assert all(line.right for line in lines), lines
    assert traces(account) == before
    beside = perform(shop, cloud.stage(shop, asked()))
    assert "Occupied: the account has a role remediator-write" in beside[0].got
    assert traces(account) == before
    stacks._destroy(account.client, "Remediator", shop.until)
    unbootstrap(account)


def unbootstrap(account: EmbeddedAccount) -> None:
    """Take the CDK's own stack away, with the bucket that it keeps."""
    admin: Any = account.client
    admin("cloudformation").delete_stack(StackName="CDKToolkit")
    s3 = admin("s3")
    for bucket in [one["Name"] for one in s3.list_buckets()["Buckets"]]:
        for one in s3.list_object_versions(Bucket=bucket).get("Versions", ()):
            s3.delete_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])
        s3.delete_bucket(Bucket=bucket)


@pytest.mark.parametrize("end", [CdkFailed("cdk deploy failed"), KeyboardInterrupt()])
def test_a_deployment_that_ends_in_the_middle_leaves_nothing(shop: AwsWorkshop, end: BaseException) -> None:
    if isinstance(end, KeyboardInterrupt):
        with pytest.raises(KeyboardInterrupt):
            perform(shop, half_deployed(shop, end))
        return
    lines = perform(shop, half_deployed(shop, end))
    assert [str(line) for line in lines] == [
        "WRONG     deploying and telling: CdkFailed: cdk deploy failed",
        "as wanted what is left: nothing",
    ]


def test_a_stack_that_was_left_keeps_a_run_from_beginning_and_is_cleaned_up_even_if_half_is_gone(
    account: EmbeddedAccount, shop: AwsWorkshop
) -> None:
    admin: Any = account.client
    admin("cloudformation").create_stack(StackName=shop.name("stack"), TemplateBody=KEPT)
    with pytest.raises(Unclean, match=f"stack {shop.name('stack')}"):
        perform(shop, cloud.stage(shop, asked()))
    table = "remediator-receipts-of-the-demo"
    admin("dynamodb").update_table(TableName=table, DeletionProtectionEnabled=False)
    admin("dynamodb").delete_table(TableName=table)
    assert shop.clean() == [f"stack {shop.name('stack')}"]


def test_what_the_cdk_says_last_is_told(account: EmbeddedAccount, shop: AwsWorkshop) -> None:
    wrong = {"vendor_principal_arn": "nobody", "operator_principal_arn": "nobody", "external_id": "short"}
    with pytest.raises(CdkFailed, match="vendor_principal_arn: 'nobody' isn't one role or user"):
        cdk(account).deploy(shop.name("stack"), wrong, lambda _: None)


def test_the_bucket_of_the_story_is_removed_whatever_comes_of_it(shop: AwsWorkshop) -> None:
    bucket = Bucket(shop)
    bucket.make()
    assert bucket.setting() == "as it was"
    shop.customer.client("s3").put_public_access_block(
        Bucket=shop.name("bucket"), PublicAccessBlockConfiguration={"BlockPublicAcls": True}
    )
    assert bucket.setting() not in {"as it was", "closed"}
    bucket.remove()
    bucket.remove()


def test_the_command_deploys_as_the_profile_under_the_live_prefix_with_tags() -> None:
    made = Cdk.as_profile("me", "eu-west-1")
    command = made.command("remediator-live-1-stack", {"external_id": "abc"}, Path("out"))
    assert (made.environment["AWS_PROFILE"], made.environment["AWS_REGION"]) == ("me", "eu-west-1")
    assert command[2:4] == ["deploy", "remediator-live-1-stack"]
    assert command[command.index("-c") + 1] == "external_id=abc"
    assert command[command.index("--tags") + 1] == "made-by=remediator-live"
    assert command[command.index("--require-approval") + 1] == "never"


def test_the_demo_is_listed_with_its_cost_before_anything_is_made(
    account: EmbeddedAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    mark = account.calls.mark()
    assert main(["--demo"]) == 0
    told = capsys.readouterr().out
    assert "--demo" in told
    assert "6 secrets, 1 key, 2 tables" in told
    assert "kept by KMS, unusable and free, for seven days" in told
    assert 0 < cost(cloud.demo.makes) < 0.05
    assert main(["--json", "--demo", "dates"]) == 0
    assert ["demo" in one for one in json.loads(capsys.readouterr().out)] == [False, True]
    assert not account.calls.since(mark)
