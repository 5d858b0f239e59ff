"""Make on AWS what a probe needs, in the customer's account, and find what any run left there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

from botocore.exceptions import BotoCoreError, ClientError

from live.aws.stacks import CdkFailed, Occupied, StackStays, stacks
from live.workshop import PREFIX, TAGS, Leftover, Workshop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

PATH: Final = "/remediator-live/"


@dataclass(frozen=True, slots=True)
class Account:
    """Hold one account as the person who runs this has it: its SDK clients by service, and who is signed in."""

    client: Callable[[str], Any]
    id: str
    principal: str

    @classmethod
    def of(cls, client: Callable[[str], Any]) -> Account:
        """Look up who is signed in."""
        caller = client("sts").get_caller_identity()
        return cls(client, caller["Account"], _trusted_as(client, caller["Arn"]))


def _trusted_as(client: Callable[[str], Any], arn: str) -> str:
    """Return the ARN that a trust policy takes; a role's path is looked up, if who is signed in may."""
    found = role_of(arn)
    if found == arn:
        return arn
    try:
        return str(client("iam").get_role(RoleName=found.rpartition("/")[2])["Role"]["Arn"])
    except ClientError:
        return found


def role_of(arn: str) -> str:
    """Return the ARN of a session's role, without the path, which a session's doesn't tell; others are as they are."""
    head, assumed, rest = arn.partition(":assumed-role/")
    if not assumed:
        return arn
    return f"{head.replace(':sts:', ':iam:')}:role/{rest.partition('/')[0]}"


@dataclass(kw_only=True)
class AwsWorkshop(Workshop):
    """Hold both accounts."""

    refusals: ClassVar = (ClientError, BotoCoreError, CdkFailed, Occupied, StackStays)

    customer: Account
    vendor: Account
    sdk_session: Callable[[Mapping[str, str]], Callable[[str], Any]]
    """Return SDK clients, in the customer's region, of whoever holds temporary credentials."""
    pace: float = 300.0
    """Seconds between two versions of a secret."""

    @property
    def region(self) -> str:
        """Return the customer's region."""
        return str(self.customer.client("lambda").meta.region_name)

    def role(self, what: str, statements: Sequence[Mapping[str, Any]]) -> str:
        """Make a role with this trust policy; return its ARN."""
        self.say(f"creating role {self.name(what)}")
        made = self.customer.client("iam").create_role(
            RoleName=self.name(what),
            Path=PATH,
            AssumeRolePolicyDocument=document(statements),
            MaxSessionDuration=3600,
            Tags=[{"Key": key, "Value": value} for key, value in TAGS.items()],
        )
        return str(made["Role"]["Arn"])

    def trusted(self, *, external_id: str | None = None, **dates: Mapping[str, str]) -> dict[str, Any]:
        """Return a statement of a trust policy that lets the vendor in under conditions."""
        conditions: dict[str, Any] = dict(dates)
        if external_id is not None:
            conditions["StringEquals"] = {"sts:ExternalId": external_id}
        return {
            "Effect": "Allow",
            "Principal": {"AWS": self.vendor.principal},
            "Action": "sts:AssumeRole",
            **({"Condition": conditions} if conditions else {}),
        }

    def assumed(self, role: str, **more: Any) -> dict[str, Any] | None:  # noqa: ANN401 - parameters of AssumeRole
        """Return STS's answer to the vendor, or None where it refuses."""
        try:
            answer: dict[str, Any] = self.vendor.client("sts").assume_role(
                RoleArn=role, RoleSessionName="probe", **more
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "AccessDenied":
                raise
            return None
        return answer

    def leftovers(self) -> Iterator[Leftover]:
        """Yield everything that any run made and hasn't removed, in the order of removal."""
        yield from stacks(self.customer.client, self.until)
        yield from leftovers(self.customer)


def document(statements: Sequence[Mapping[str, Any]]) -> str:
    """Return a policy."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def leftovers(account: Account) -> Iterator[Leftover]:
    """Yield what any run's probes made in an account and haven't removed."""
    functions, secrets, iam, s3 = (account.client(one) for one in ("lambda", "secretsmanager", "iam", "s3"))
    for name in _ours(s3.list_buckets()["Buckets"], "Name"):
        yield Leftover("bucket", name, _later(s3.delete_bucket, Bucket=name))
    for name in _ours(_all(functions, "list_functions", "Functions"), "FunctionName"):
        yield Leftover("function", name, _later(functions.delete_function, FunctionName=name))
    for name in _ours(_all(secrets, "list_secrets", "SecretList"), "Name"):
        remove = _later(secrets.delete_secret, SecretId=name, ForceDeleteWithoutRecovery=True)
        yield Leftover("secret", name, remove)
    for one in _all(iam, "list_roles", "Roles", PathPrefix=PATH):
        yield Leftover("role", one["RoleName"], _later(_remove_role, iam, one["RoleName"]))


def _all(client: Any, operation: str, member: str, **more: str) -> Iterator[Mapping[str, Any]]:  # noqa: ANN401 - an SDK client
    for page in client.get_paginator(operation).paginate(**more):
        yield from page[member]


def _ours(found: Iterable[Mapping[str, Any]], named: str) -> list[str]:
    return [one[named] for one in found if one[named].startswith(PREFIX)]


def _later(act: Callable[..., Any], *arguments: Any, **named: Any) -> Callable[[], None]:  # noqa: ANN401 - any call's
    def run() -> None:
        act(*arguments, **named)

    return run


def _remove_role(iam: Any, name: str) -> None:  # noqa: ANN401 - an SDK client
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    iam.delete_role(RoleName=name)
