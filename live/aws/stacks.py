"""Deploy the stack under a name of the live prefix as the README does, and destroy it with what it would leave."""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from botocore.exceptions import ClientError

from live.workshop import PREFIX, TAGS, Leftover
from remediator.local.deploy import CLI, NODE, ROOT, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

WRITE_ROLE: Final = "remediator-write"
DESTROYED_WITHIN: Final = 1_800.0
_GONE: Final = ("DELETE_COMPLETE", "")
_PENDING_DAYS: Final = 7
"""Days for which KMS keeps a key that is to be deleted: the fewest that it takes."""


class CdkFailed(Exception):  # noqa: N818 - errors are named for what is the case
    """Say what the CDK's command line said last."""


class Occupied(Exception):  # noqa: N818 - errors are named for what is the case
    """Say that the account has a deployment, whose names the demo's would have too."""


class StackStays(Exception):  # noqa: N818 - errors are named for what is the case
    """Say that CloudFormation couldn't delete a stack."""


class Until(Protocol):
    """Wait for something to hold, for so long at most."""

    def __call__(self, holds: Callable[[], bool], *, most: float, every: float) -> float:
        """Return the seconds that took, or raise `Slow`."""


@dataclass(frozen=True, slots=True)
class Cdk:
    """Hold how the CDK's command line is started: `environment` says as whom; `flags` are for what isn't AWS."""

    environment: Mapping[str, str]
    flags: tuple[str, ...] = ()

    @classmethod
    def as_profile(cls, profile: str, region: str) -> Cdk:
        """Run it as a person with a profile does."""
        path = os.pathsep.join((str(NODE.parent), os.environ.get("PATH", os.defpath)))
        return cls({**os.environ, "PATH": path, "AWS_PROFILE": profile, "AWS_REGION": region, "JSII_NODE": str(NODE)})

    def command(self, stack: str, parameters: Mapping[str, str], output: Path) -> list[str]:
        """Return the command that deploys."""
        context = [part for name, value in parameters.items() for part in ("-c", f"{name}={value}")]
        tags = [part for name, value in TAGS.items() for part in ("--tags", f"{name}={value}")]
        app = ["--app", f"{sys.executable} -m live.aws.app {stack}", "--output", str(output)]
        asks = ["--require-approval", "never", "--progress", "events", *self.flags]
        return [str(NODE), str(CLI), "deploy", stack, *app, *context, *tags, *asks]

    def deploy(self, stack: str, parameters: Mapping[str, str], say: Callable[[str], None]) -> None:
        """Synthesize and deploy; raise `CdkFailed` with the end of what was said."""
        if not CLI.exists():
            raise CdkFailed("the CDK's command line isn't installed: run `make setup`")
        with tempfile.TemporaryDirectory(prefix="cdk-") as folder:
            command = self.command(stack, parameters, Path(folder, "cdk.out"))
            code, lines = run(command, ROOT, self.environment, say)
        if code != 0:
            raise CdkFailed("cdk deploy failed: " + " / ".join(lines[-20:]))


def demand_room(iam: Any) -> None:  # noqa: ANN401 - an SDK client
    """Refuse to deploy beside a deployment: roles have fixed names, so that five windows fit into a trust policy."""
    try:
        iam.get_role(RoleName=WRITE_ROLE)
    except iam.exceptions.NoSuchEntityException:
        return
    raise Occupied(f"the account has a role {WRITE_ROLE}: tell the story through its deployment, with --stack")


def stacks(client: Callable[[str], Any], until: Until) -> Iterator[Leftover]:
    """Yield the stacks that any run deployed, whatever became of them."""
    for page in client("cloudformation").get_paginator("describe_stacks").paginate():
        for stack in page["Stacks"]:
            name = stack["StackName"]
            if name.startswith(PREFIX) and stack["StackStatus"] not in _GONE:
                yield Leftover("stack", name, partial(_destroy, client, name, until))


def _destroy(client: Callable[[str], Any], stack: str, until: Until) -> None:
    """Delete first what a stack keeps, while it still says what that is; then the stack. Run again, it goes on."""
    cloudformation = client("cloudformation")
    for one in cloudformation.describe_stack_resources(StackName=stack)["StackResources"]:
        if one["ResourceType"] == "AWS::DynamoDB::Table" and "receipts" in one["PhysicalResourceId"]:
            _delete_table(client("dynamodb"), one["PhysicalResourceId"], until)
        if one["ResourceType"] == "AWS::KMS::Key":
            _delete_key(client("kms"), one["PhysicalResourceId"])
    cloudformation.delete_stack(StackName=stack)
    until(lambda: _status(cloudformation, stack) in _GONE, most=DESTROYED_WITHIN, every=10.0)


def _status(cloudformation: Any, stack: str) -> str:  # noqa: ANN401 - an SDK client
    """Return a stack's state, empty if there is none; raise `StackStays` where CloudFormation gave up."""
    try:
        found = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return ""
    if found["StackStatus"] == "DELETE_FAILED":
        raise StackStays(f"{stack}: {found.get('StackStatusReason', 'no reason was given')}")
    return str(found["StackStatus"])


def _delete_table(dynamodb: Any, name: str, until: Until) -> None:  # noqa: ANN401 - an SDK client
    """Take a table's protection away, and the table; one that is gone is gone."""

    def is_active() -> bool:
        return str(dynamodb.describe_table(TableName=name)["Table"]["TableStatus"]) == "ACTIVE"

    try:
        dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
        until(is_active, most=300.0, every=5.0)
        dynamodb.delete_table(TableName=name)
    except dynamodb.exceptions.ResourceNotFoundException:
        return


def _delete_key(kms: Any, key: str) -> None:  # noqa: ANN401 - an SDK client
    try:
        state = kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]
    except kms.exceptions.NotFoundException:
        return
    if state != "PendingDeletion":
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=_PENDING_DAYS)
