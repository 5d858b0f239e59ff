"""Reach a deployment on AWS as its operator: assume the operator role, find the stack."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal

import boto3
from botocore.exceptions import ClientError

from remediator.operator.errors import NoDeployment
from remediator.vendor import Client, Deployment
from remediator.vendor.aws_access import AwsAccess

if TYPE_CHECKING:
    from collections.abc import Mapping

OPERATOR: Final = "remediator-operator"


class AwsOffice:
    """Hold a session of the operator role: the session given is that of a principal which the role trusts, or its own.

    `endpoint_url` is for accounts that aren't AWS's.
    """

    cloud: Literal["aws"] = "aws"

    def __init__(self, session: boto3.Session, stack: str, *, endpoint_url: str | None = None) -> None:
        self._endpoint_url = endpoint_url
        self._stack = stack
        self._session, self.operator = _as_operator(session, endpoint_url)

    @cached_property
    def outputs(self) -> Mapping[str, str]:
        """Return the stack's outputs."""
        return outputs_of(self._session, self._stack, endpoint_url=self._endpoint_url)

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
