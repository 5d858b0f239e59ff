"""Find a deployment, and reach it as its operator or as its vendor."""

# ruff: noqa: PLC0415 - the SDK is imported when a deployment is looked for, so that --help is instant

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from remediator.cli.exits import Exit
from remediator.cli.failures import Failed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import boto3

    from remediator.vendor import Client

OPERATOR = "remediator-operator"


@dataclass(frozen=True)
class Place:
    """Say where to look: an AWS profile, region and stack, or the file of an embedded account."""

    profile: str | None = None
    region: str | None = None
    stack: str = "Remediator"
    account: Path | None = None

    def operator(self) -> Operator:
        """Reach the deployment as its operator: the session's principal is one that the operator role trusts."""
        return Operator(self._session("operator_credentials"), self.endpoint_url, self.stack)

    def vendor(self, outputs: Path | None = None) -> Client:
        """Reach the deployment as its vendor, through outputs that the customer gave or those of the stack."""
        from remediator.vendor import Client, Deployment, reader_access

        session = self._session("vendor_credentials")
        given = read_json(outputs) if outputs else self._file and self._file["outputs"]
        deployment = Deployment.from_outputs(_flat(given or outputs_of(session, self.endpoint_url, self.stack)))
        return Client(deployment, reader_access(deployment, session, endpoint_url=self.endpoint_url))

    def session(self) -> boto3.Session:
        """Return a session with the administrator's own credentials."""
        return self._session("admin_credentials")

    @property
    def endpoint_url(self) -> str | None:
        """Return where the cloud answers, if that isn't AWS."""
        return self._file["aws_endpoint_url"] if self._file else None

    @cached_property
    def _file(self) -> dict[str, Any] | None:
        return read_json(self.account) if self.account else None

    def _session(self, whose: str) -> boto3.Session:
        import boto3

        if self._file is None:
            return boto3.Session(profile_name=self.profile, region_name=self.region)
        try:
            return boto3.Session(**self._file[whose], region_name=self._file["region"])
        except (KeyError, TypeError):
            raise Failed(
                f"{self.account} has no {whose}",
                exit=Exit.USAGE,
                next="Let `remediator local up --json FILE` write it.",
            ) from None


class Operator:
    """Hold a session of the operator role, and what the stack says of the deployment."""

    def __init__(self, session: boto3.Session, endpoint_url: str | None, stack: str) -> None:
        self._endpoint_url = endpoint_url
        self._stack = stack
        self._session, self.id = _as_operator(session, endpoint_url)

    @cached_property
    def outputs(self) -> Mapping[str, str]:
        """Return the stack's outputs."""
        return outputs_of(self._session, self._endpoint_url, self._stack)

    def service(self, name: str) -> Any:  # noqa: ANN401 - an SDK client of any service
        """Return an SDK client with the operator's credentials."""
        session: Any = self._session
        return session.client(name, endpoint_url=self._endpoint_url)

    def client(self) -> Client:
        """Return a client of the protocol: the operator signs like any caller."""
        from remediator.vendor import Client, Deployment
        from remediator.vendor.aws_access import AwsAccess

        deployment = Deployment.from_outputs(self.outputs)
        access = AwsAccess(deployment, self._session, None, endpoint_url=self._endpoint_url)
        return Client(deployment, access)


def outputs_of(session: boto3.Session, endpoint_url: str | None, stack: str) -> Mapping[str, str]:
    """Return a stack's outputs, or raise `Failed` saying where it was looked for."""
    from botocore.exceptions import ClientError

    try:
        stacks = session.client("cloudformation", endpoint_url=endpoint_url).describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "ValidationError":
            raise
        raise Failed(
            f"there is no stack {stack} in {session.region_name}",
            exit=Exit.NOT_FOUND,
            next="Name its --region, --profile and --stack; or deploy it: see README.md.",
        ) from None
    return {one["OutputKey"]: one["OutputValue"] for one in stacks[0].get("Outputs", ())}


def read_json(path: Path) -> Any:  # noqa: ANN401 - any JSON value
    """Read a JSON file, or raise `Failed`; what is in it is never quoted."""
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise Failed(f"{path} can't be read: {error.strerror}", exit=Exit.USAGE, next="Check the path.") from None
    except ValueError:
        raise Failed(f"{path} isn't JSON", exit=Exit.USAGE, next="Check that it is the right file.") from None


def _flat(outputs: Any) -> Mapping[str, str]:  # noqa: ANN401 - as the file has it
    """Take outputs as they are, or as `cdk deploy --outputs-file` writes them: under the stack's name."""
    if isinstance(outputs, dict) and len(outputs) == 1:
        (inner,) = outputs.values()
        return inner if isinstance(inner, dict) else outputs
    if not isinstance(outputs, dict):
        raise Failed("the outputs aren't an object", exit=Exit.USAGE, next="`cdk deploy --outputs-file` writes them.")
    return outputs


def _as_operator(session: boto3.Session, endpoint_url: str | None) -> tuple[boto3.Session, str]:
    """Return a session of the operator role and the role's unique id; a session that is one already stays."""
    import boto3

    sts = session.client("sts", endpoint_url=endpoint_url)
    caller = sts.get_caller_identity()
    if f":assumed-role/{OPERATOR}/" in caller["Arn"]:
        return session, caller["UserId"].partition(":")[0]
    partition = caller["Arn"].split(":")[1]
    role = f"arn:{partition}:iam::{caller['Account']}:role/{OPERATOR}"
    assumed = sts.assume_role(RoleArn=role, RoleSessionName="remediator-cli")
    keys = assumed["Credentials"]
    mine = boto3.Session(
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
        region_name=session.region_name,
    )
    return mine, assumed["AssumedRoleUser"]["AssumedRoleId"].partition(":")[0]
