"""One moto server with IAM enforced for each test module, and people to call it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import requests
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.moto_api._internal.models import moto_api_backend
from moto.server import ThreadedMotoServer

from remediator.local.iam import enforcement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediator.local.faults import Faults

ACCOUNT = DEFAULT_ACCOUNT_ID
REGION = "eu-west-1"


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action: str | list[str], resource: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: str | list[str], resource: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def trust(principal: Any, **more: Any) -> dict[str, Any]:
    return document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more})


@dataclass(frozen=True)
class Keys:
    """An access key, and who it belongs to."""

    arn: str
    access_key: str
    secret: str
    token: str | None = None

    @classmethod
    def of_session(cls, reply: Any) -> Keys:
        given = reply["Credentials"]
        arn = reply["AssumedRoleUser"]["Arn"]
        return cls(arn, given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


@dataclass
class Account:
    """The embedded account as these tests use it: an administrator who prepares, everybody else is judged."""

    url: str
    installation: enforcement.Installation
    admin: Keys
    numbers: Iterator[int] = field(default_factory=count)
    clients: dict[Any, Any] = field(default_factory=dict)

    def client(self, service: str, keys: Keys | None = None, **config: Any) -> Any:
        """A client without retries; made once, since that takes longer than many calls."""
        keys = keys or self.admin
        known = (service, keys, tuple(sorted(config.items())))
        sdk: Any = boto3
        if known not in self.clients:
            self.clients[known] = sdk.client(
                service,
                region_name=REGION,
                endpoint_url=self.url,
                aws_access_key_id=keys.access_key,
                aws_secret_access_key=keys.secret,
                aws_session_token=keys.token,
                config=Config(retries={"max_attempts": 0}, **config),
            )
        return self.clients[known]

    def send(self, keys: Keys, method: str, path: str, service: str, **more: Any) -> requests.Response:
        """A request that is signed by the SDK's own signer and changed (`tamper`) before it is sent."""
        tamper = more.pop("tamper", lambda _: None)
        signer = more.pop("signer", S3SigV4Auth if service == "s3" else SigV4Auth)
        request = AWSRequest(method, f"{self.url}{path}", headers=more.get("headers"), data=more.get("data", b""))
        signer(Credentials(keys.access_key, keys.secret, keys.token), service, more.get("region", REGION)).add_auth(
            request
        )
        tamper(request)
        body = request.data
        return requests.request(method, str(request.url), headers=dict(request.headers), data=body, timeout=10)

    def name(self, prefix: str) -> str:
        return f"{prefix}-{next(self.numbers)}"

    def user(self, *statements: dict[str, Any], boundary: dict[str, Any] | None = None) -> Keys:
        iam, name = self.client("iam"), self.name("user")
        limits = {"PermissionsBoundary": self.policy(boundary)} if boundary else {}
        arn = iam.create_user(UserName=name, **limits)["User"]["Arn"]
        if statements:
            iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=json.dumps(document(*statements)))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return Keys(arn, key["AccessKeyId"], key["SecretAccessKey"])

    def role(self, trusted: dict[str, Any], *statements: dict[str, Any], **more: Any) -> str:
        iam, name = self.client("iam"), more.pop("name", None) or self.name("role")
        if "boundary" in more:
            more["PermissionsBoundary"] = self.policy(more.pop("boundary"))
        created = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trusted), **more)
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=json.dumps(document(*statements)))
        return str(created["Role"]["Arn"])

    def bucket(self) -> str:
        name = self.name("bucket")
        self.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        return name

    def policy(self, text: dict[str, Any]) -> str:
        created = self.client("iam").create_policy(PolicyName=self.name("policy"), PolicyDocument=json.dumps(text))
        return str(created["Policy"]["Arn"])

    def session(self, *statements: dict[str, Any], **assume: Any) -> Keys:
        """A session of a fresh role that holds these statements."""
        caller = self.user()
        role = self.role(trust({"AWS": caller.arn}), *statements)
        return self.assume(caller, role, **assume)

    def assume(self, keys: Keys, role: str, **more: Any) -> Keys:
        more.setdefault("RoleSessionName", "session")
        return Keys.of_session(self.client("sts", keys).assume_role(RoleArn=role, **more))


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    moto_api_backend.reset()
    backend = get_backend("iam")[ACCOUNT]["aws"]
    user = backend.create_user(REGION, "administrator")
    key = backend.create_access_key("administrator")
    admin = Keys(user.arn, key.access_key_id, key.secret_access_key)
    installation = enforcement.install(bypass={admin.access_key})
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        yield Account(f"http://localhost:{server.get_host_and_port()[1]}", installation, admin)
    finally:
        server.stop()
        installation.uninstall()
        moto_api_backend.reset()


@pytest.fixture
def faults(account: Account) -> Iterator[Faults]:
    yield account.installation.faults
    account.installation.faults.clear()


def refused(call: Any) -> str:
    """The error code of a call that must fail."""
    with pytest.raises(ClientError) as raised:
        call()
    return str(raised.value.response["Error"]["Code"])
