"""An account of moto's, in process, with the deployment's tables, secrets and roles: what the adapters are tried on."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from moto import mock_aws
from moto.dynamodb.responses import DynamoHandler

from remediator.aws.clients import new_session
from remediator.aws.trust_policy import closed_document
from remediator.local.emulator import secret_batches, transactions
from remediator.local.emulator.hooks import Hooks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.session import Session

DEPLOYMENT = "3f0c9a52-7a52-4f0e-9d4f-0d3a4d6e8b11"
ACCOUNT = "123456789012"
REMEDIATOR = f"arn:aws:iam::{ACCOUNT}:role/remediator"


@dataclass
class Account:
    """The SDK session of the tests, and what stands in the account."""

    session: Session
    slots: tuple[str, ...]

    def client(self, service: str) -> Any:
        return self.session.create_client(service)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    hooks = Hooks()
    secret_batches.install(hooks)
    transactions.install(hooks)
    _one_at_a_time(hooks)
    try:
        with mock_aws():
            session = new_session()
            yield Account(session, _made(session))
    finally:
        hooks.remove()


def _one_at_a_time(hooks: Hooks) -> None:
    """Let no thread come between a condition and its write, as DynamoDB doesn't either."""
    lock = threading.Lock()

    def call_action(self: DynamoHandler) -> Any:
        with lock:
            return call(self)

    call = hooks.replace(DynamoHandler, "call_action", call_action)


def _made(session: Session) -> tuple[str, ...]:
    for table, keys in (("remediator-state", ("pk",)), ("remediator-receipts", ("pk", "sk"))):
        session.create_client("dynamodb").create_table(  # type: ignore[attr-defined]
            TableName=table,
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            KeySchema=[
                {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
            BillingMode="PAY_PER_REQUEST",
        )
    iam: Any = session.create_client("iam")
    for name, trust in (("remediator", _lambda_trust()), ("remediator-write", closed_document(REMEDIATOR))):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    secrets: Any = session.create_client("secretsmanager")
    return tuple(secrets.create_secret(Name=f"remediator/seed/{slot}")["ARN"] for slot in range(6))


def _lambda_trust() -> dict[str, Any]:
    principal = {"Service": "lambda.amazonaws.com"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}
