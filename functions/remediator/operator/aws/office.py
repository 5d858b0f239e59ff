"""Reach a deployment on AWS as its operator: assume the operator role, find the stack, work there."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal

import boto3
from botocore.exceptions import ClientError

from remediator.aws.admission_desk import AdmissionDesk
from remediator.catalogue.spec import Home
from remediator.operator.aws import condition, doctor, freeze
from remediator.operator.aws.archive import AwsArchive
from remediator.operator.aws.policy import PolicyItem
from remediator.operator.errors import NoDeployment
from remediator.operator.waiting import waits
from remediator.vendor import Client, Deployment
from remediator.vendor.aws_access import AwsAccess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from remediator.operator.condition import Condition
    from remediator.operator.doctor import Check
    from remediator.service.freeze import Freezer, Step
    from remediator.vendor import Finding

OPERATOR: Final = "remediator-operator"
OUTPUTS: Final = frozenset(
    (
        *("Delivery", "Deployment", "Endpoint", "ExternalId", "OperatorRoleArn", "ReaderRoleArn", "ReceiptsTable"),
        *("Region", "RemediateFunction", "RemediatorRoleArn", "RotateFunction", "SeedSecrets", "StateTable"),
        "WriteRoleArn",
    )
)
"""What some command takes from the stack's outputs."""


class AwsOffice:
    """Hold a session of the operator role: the session given is that of a principal which the role trusts, or its own.

    `endpoint_url` is for accounts that aren't AWS's.
    """

    cloud: Literal["aws"] = "aws"
    wanted_outputs = OUTPUTS

    def __init__(self, session: boto3.Session, stack: str, *, endpoint_url: str | None = None) -> None:
        self._endpoint_url = endpoint_url
        self._stack = stack
        self._session, self.operator = _as_operator(session, endpoint_url)

    @cached_property
    def outputs(self) -> Mapping[str, str]:
        """Return the stack's outputs."""
        return outputs_of(self._session, self._stack, endpoint_url=self._endpoint_url)

    @property
    def home(self) -> Home:
        """Return where the deployment lives: a partition and an account."""
        return Home(*self.outputs["WriteRoleArn"].split(":")[1:5:3])

    @property
    def write_role(self) -> str:
        """Return the write role's name."""
        return self.outputs["WriteRoleArn"].rpartition("/")[2]

    def who(self) -> str:
        """Return the ARN of the operator's session, which is named after who signed in."""
        return str(self.service("sts").get_caller_identity()["Arn"])

    def service(self, name: str) -> Any:  # noqa: ANN401 - an SDK client of any service
        """Return an SDK client with the operator's credentials."""
        session: Any = self._session
        return session.client(name, endpoint_url=self._endpoint_url)

    def client(self) -> Client:
        """Return a client of the protocol: the operator signs like any caller."""
        return Client(Deployment.from_outputs(self.outputs), self.access())

    def access(self) -> AwsAccess:
        """Return the way to the endpoint and to the seed ring."""
        deployment = Deployment.from_outputs(self.outputs)
        return AwsAccess(deployment, self._session, None, endpoint_url=self._endpoint_url)

    def archive(self, former: str | None = None) -> AwsArchive:
        """Return the deployment's archive, or that of a former one by its table's name."""
        return AwsArchive(self, former)

    def desk(self, clock: Callable[[], float]) -> AdmissionDesk:
        """Return where openings are left with the remediator."""
        return AdmissionDesk(self.service("dynamodb"), self.outputs["StateTable"], clock)

    def freezer(self, tell: Callable[[Step], None]) -> Freezer:
        """Return what freezes and unfreezes the deployment; `tell` is given each step as it ends."""
        return freeze.freezer(self, tell, lambda: waits(freeze.LONGEST_RUN))

    def policy_store(self) -> PolicyItem:
        """Return where the customer's policy is kept."""
        return PolicyItem(self.service("dynamodb"), self.outputs["StateTable"])

    def examine(self, now: float) -> Condition:
        """Look at everything that tells how the deployment is; reads only."""
        return condition.examine(self, now)

    def checks(self, condition: Condition) -> Iterator[Check]:
        """Yield the checks that only AWS has; reads only."""
        return doctor.checks(self, condition)

    def everybodys(self) -> Finding | None:
        """Return a finding on the account's own password policy, if that fix is enabled."""
        return doctor.everybodys(self)


def outputs_of(session: boto3.Session, stack: str, *, endpoint_url: str | None = None) -> Mapping[str, str]:
    """Return a stack's outputs, or raise `NoDeployment` saying where it was looked for."""
    try:
        stacks = session.client("cloudformation", endpoint_url=endpoint_url).describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "ValidationError":
            raise
        raise NoDeployment(
            f"there is no stack {stack} in {session.region_name}",
            next="Name its --region, --profile and --stack; or deploy it: see README.md.",
        ) from None
    return {one["OutputKey"]: one["OutputValue"] for one in stacks[0].get("Outputs", ())}


def _as_operator(session: boto3.Session, endpoint_url: str | None) -> tuple[boto3.Session, str]:
    """Return a session of the operator role and the role's unique id; a session that is one already stays."""
    sts = session.client("sts", endpoint_url=endpoint_url)
    caller = sts.get_caller_identity()
    if f":assumed-role/{OPERATOR}/" in caller["Arn"]:
        return session, caller["UserId"].partition(":")[0]
    partition = caller["Arn"].split(":")[1]
    role = f"arn:{partition}:iam::{caller['Account']}:role/{OPERATOR}"
    assumed = sts.assume_role(RoleArn=role, RoleSessionName=_session_name(caller["Arn"]))
    keys = assumed["Credentials"]
    mine = boto3.Session(
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
        region_name=session.region_name,
    )
    return mine, assumed["AssumedRoleUser"]["AssumedRoleId"].partition(":")[0]


def _session_name(arn: str) -> str:
    """Name the operator's session after who signed in, so that CloudTrail and the control item show a person."""
    return re.sub(r"[^\w+=,.@-]", "-", arn.rpartition("/")[2] or arn, flags=re.ASCII)[-64:].rjust(2, "-")
