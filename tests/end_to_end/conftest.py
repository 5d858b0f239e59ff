"""One deployment for all end-to-end tests: the real CDK CLI, IAM enforced, the functions in Lambda's own runtime."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from remediator.core.windows import PERIOD
from remediator.local.account import EmbeddedAccount
from remediator.local.mess import make_mess
from remediator.operator.aws.office import AwsOffice
from remediator.operator.doctor import diagnose
from remediator.operator.evidence import read_evidence
from remediator.operator.history import Wanted, history
from remediator.operator.policy import editor_of
from remediator.service.control import Order
from remediator.vendor import Client, Deployment, Finding
from remediator.vendor.aws_access import reader_access
from remediator.vendor.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediator.local.mess import Mess
    from remediator.vendor.answers import Answer

FORMER = "remediator-receipts-of-a-former-deployment"
IMPATIENT = Patience(seconds=0, stalls=0)


@dataclass
class World:
    """A deployment, a mess, and both sides' clients."""

    account: EmbeddedAccount
    mess: Mess

    def admin(self, service: str) -> Any:
        return self.account.client(service)

    def _session(self, whose: str) -> boto3.Session:
        described = self.account.describe()
        return boto3.Session(**described[f"{whose}_credentials"], region_name=described["region"])

    def vendor(self) -> Client:
        deployment = Deployment.from_outputs(self.account.outputs)
        access = reader_access(deployment, self._session("vendor"), endpoint_url=self.account.endpoint)
        return Client(deployment, access, patience=IMPATIENT)

    def operator(self) -> AwsOffice:
        described = self.account.describe()
        return AwsOffice(self._session("operator"), described["stack"], endpoint_url=described["aws_endpoint_url"])

    def findings(self) -> list[Finding]:
        return [offence.finding for offence in self.mess.offences]

    def break_again(self) -> None:
        """Bring the mess back to where every fix has something to do."""
        self.mess = make_mess(self.admin, self.account.region)

    def rotate_next(self) -> None:
        """Let a window pass, and rotate as the schedule does: a run that has something to write."""
        self.account.clock.shift(PERIOD)
        answer = self.admin("lambda").invoke(FunctionName=self.account.outputs["RotateFunction"])
        assert "FunctionError" not in answer, answer["Payload"].read()

    def apply_all(self) -> Answer:
        self.break_again()
        return self.vendor().apply(self.findings())

    def look_after(self, remediation: str) -> None:
        """Do everything that the operator's commands do."""
        operator = self.operator()
        condition = operator.examine(time.time())
        assert condition.gate == "open"
        read_evidence(operator, remediation, 0)
        assert operator.archive(FORMER).record(remediation) is None
        assert [check for check in diagnose(operator, None, time.time()) if not check.fine] == []
        assert history(operator, operator.archive(), Wanted(), lambda _: None)
        operator.service("lambda").invoke(FunctionName=self.account.outputs["RotateFunction"])
        answer = operator.client().roll_back(remediation)
        assert {result.outcome for result in answer.results} <= {"rolled_back", "refused"}
        self.edit_policy()
        for act in ("freeze", "unfreeze", "unfreeze"):  # the last one finds it open, and looks for what to repair
            self.order(act)

    def edit_policy(self, **members: Any) -> None:
        """Put a policy as the operator's command does."""
        editor = editor_of(self.operator())
        editor.save(json.dumps({"version": 1, **members}), editor.store.read(), now=time.time())

    def order(self, act: str) -> None:
        """Freeze or unfreeze as the operator; every step must succeed."""
        operator = self.operator()
        order = Order(uuid.uuid4().hex, operator.who(), int(time.time()), "a drill")
        steps = getattr(operator.freezer(lambda _: None), act)(order)
        assert all(step.done for step in steps), steps


def be_told(account: EmbeddedAccount) -> None:
    """Have somebody hear of the deployment's alarms."""
    sns: Any = account.client("sns")
    topics = [one["TopicArn"] for one in sns.list_topics()["Topics"]]
    (topic,) = [one for one in topics if one.endswith(":remediator-alarms")]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="security@example.com")


def leave_receipts(account: EmbeddedAccount) -> None:
    """Leave a table under a key of its own, as a former deployment does."""
    kms: Any = account.client("kms")
    dynamodb: Any = account.client("dynamodb")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    names = {"pk": "HASH", "sk": "RANGE"}
    dynamodb.create_table(
        TableName=FORMER,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in names.items()],
        SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key},
    )


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Be gone with the module: there is one account at a time in a process, and other tests start their own."""
    with EmbeddedAccount() as account:
        account.deploy()
        be_told(account)
        leave_receipts(account)
        account.rotate()
        yield World(account, make_mess(account.client, account.region))
