from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from remediator.cli.main import app
from remediator.core.seeds import SeedRecord, slot_of
from remediator.core.windows import open_at, window_at
from tests.vendor.speaking import DEPLOYMENT_ID, Speaker, seed_of, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from typer.testing import Result

ACCOUNT = "123456789012"
REGION = "eu-west-1"
REMEDIATOR = f"arn:aws:iam::{ACCOUNT}:role/remediator"


class Deployed:
    """Hold a deployment as its command line sees it: the stack, its tables and roles, an endpoint that speaks."""

    def __init__(self, url: str) -> None:
        self.outputs = {
            "Deployment": DEPLOYMENT_ID,
            "Region": REGION,
            "Endpoint": url,
            "SeedSecrets": ",".join(f"remediator/seed/{slot}" for slot in range(6)),
            "ReaderRoleArn": f"arn:aws:iam::{ACCOUNT}:role/remediator-reader",
            "ExternalId": "vendor-issued-id",
            "OperatorRoleArn": f"arn:aws:iam::{ACCOUNT}:role/remediator-operator",
            "StateTable": "remediator-state",
            "ReceiptsTable": "remediator-receipts",
            "RotateFunction": "remediator-rotate",
            "RemediateFunction": "remediator-remediate",
            "WriteRoleArn": f"arn:aws:iam::{ACCOUNT}:role/remediator-write",
            "RemediatorRoleArn": REMEDIATOR,
        }
        self._session: Any = boto3.Session(region_name=REGION)
        self.windows = open_at(time.time())
        self._make()

    def client(self, service: str) -> Any:
        return self._session.client(service)

    def trust(self, *statements: Any) -> None:
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        self.client("iam").update_assume_role_policy(RoleName="remediator-write", PolicyDocument=document)

    def put(self, table: str, **item: Any) -> None:
        typed = {name: {"N": str(one)} if isinstance(one, int) else {"S": one} for name, one in item.items()}
        self.client("dynamodb").put_item(TableName=table, Item=typed)

    def _make(self) -> None:
        outputs = {name: {"Value": value} for name, value in self.outputs.items()}
        template = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}, "Outputs": outputs}
        self.client("cloudformation").create_stack(StackName="Remediator", TemplateBody=json.dumps(template))
        self.client("iam").create_role(RoleName="remediator-write", AssumeRolePolicyDocument="{}")
        self.trust(*(gate_statement(window.not_before, window.closes) for window in self.windows))
        for table, keys in {"remediator-state": ["pk"], "remediator-receipts": ["pk", "sk"]}.items():
            self.client("dynamodb").create_table(
                TableName=table,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
                KeySchema=[
                    {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
                ],
            )
        self.put("remediator-state", pk="control", state="open")
        for window in self.windows:
            self.put("remediator-state", pk=f"window/{window}", not_before=window.not_before)
        self._stage_seeds()

    def _stage_seeds(self) -> None:
        secrets = self.client("secretsmanager")
        for ahead in range(-2, 4):
            window = window_at(time.time()) + ahead
            record = SeedRecord(DEPLOYMENT_ID, window, seed_of(window)).to_json()
            secrets.create_secret(Name=f"remediator/seed/{slot_of(window)}", SecretString=record)


def gate_statement(since: int, until: int, principal: str = REMEDIATOR) -> dict[str, Any]:
    """Return a statement of the write role's trust policy as the rotator writes it."""
    dates = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment)) for moment in (since, until)]
    return {
        "Effect": "Allow",
        "Principal": {"AWS": principal},
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": {"sts:ExternalId": "e"},
            "DateGreaterThanEquals": {"aws:CurrentTime": dates[0]},
            "DateLessThan": {"aws:CurrentTime": dates[1]},
        },
    }


@pytest.fixture
def speaker() -> Speaker:
    speaker = Speaker(time.time)
    speaker.any_signer = True
    return speaker


@pytest.fixture
def deployed(speaker: Speaker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws(), serving(speaker) as url:
        yield Deployed(url)


@pytest.fixture
def run() -> Callable[..., Result]:
    def invoke(*words: str, stdin: str | None = None, env: dict[str, str] | None = None) -> Result:
        return CliRunner().invoke(app, list(words), input=stdin, env={"COLUMNS": "200", "NO_COLOR": "1"} | (env or {}))

    return invoke


def document(result: Result) -> Any:
    """Return the one JSON document on standard output."""
    return json.loads(result.stdout)
