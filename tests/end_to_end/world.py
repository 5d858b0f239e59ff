"""A deployment in an account, and both sides of it: the real CDK CLI, IAM enforced, Lambda's own runtime."""

from __future__ import annotations

import json
import time
import uuid
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3

from remediator.core.gate import keys_of
from remediator.core.seeds import parse_record, slot_of
from remediator.core.windows import PERIOD, window_at
from remediator.local.account import EmbeddedAccount
from remediator.local.emulator.identities import CUSTOMER_ACCOUNT
from remediator.local.iam.organization import no_writes_to_iam
from remediator.local.mess import make_mess
from remediator.operator.aws.office import AwsOffice
from remediator.operator.codes import CodeBook, code_book
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

    from remediator.core.gate import WindowKeys
    from remediator.core.seeds import SeedRecord
    from remediator.core.windows import Window
    from remediator.local.mess import Mess
    from remediator.service.freeze import Step
    from remediator.vendor.answers import Answer
    from remediator.vendor.aws_access import AwsAccess

BLOCK = "aws.s3.block-public-access"
FORMER = "remediator-receipts-of-a-former-deployment"
IMPATIENT = Patience(seconds=0, stalls=0)


@dataclass(frozen=True)
class Kind:
    """What is deployed, and whether the account's organisation lets anybody but the deployer write to IAM."""

    context: tuple[tuple[str, str], ...] = ()
    writes_forbidden: bool = False


USUAL = Kind((("notify_email", "changes@example.com"), ("account_alias", "shop")))
BY_HAND = Kind((*USUAL.context, ("delivery", "manual")))
SEALED = Kind((*USUAL.context, ("gate", "sealed")), writes_forbidden=True)


@dataclass
class World:
    """A deployment, both sides' clients, and what is wrong in the account."""

    account: EmbeddedAccount
    _mess: Mess | None = None

    def admin(self, service: str) -> Any:
        return self.account.client(service)

    def session(self, whose: str) -> boto3.Session:
        described = self.account.describe()
        return boto3.Session(**described[f"{whose}_credentials"], region_name=described["region"])

    def access(self) -> AwsAccess:
        """Reach the deployment as the vendor does."""
        deployment = Deployment.from_outputs(self.account.outputs)
        return reader_access(deployment, self.session("vendor"), endpoint_url=self.account.endpoint)

    def vendor(self, code: str | None = None) -> Client:
        """Return the vendor's client, or one that was told a code and reads no seed."""
        deployment = Deployment.from_outputs(self.account.outputs)
        client = Client(deployment, self.access(), patience=IMPATIENT)
        return client if code is None else client.told(code)

    def operator(self) -> AwsOffice:
        described = self.account.describe()
        return AwsOffice(self.session("operator"), described["stack"], endpoint_url=described["aws_endpoint_url"])

    def book(self) -> CodeBook:
        return code_book(self.operator())

    def findings(self) -> list[Finding]:
        """Return all that is wrong in the mess."""
        return [offence.finding for offence in self.mess.offences]

    @property
    def mess(self) -> Mess:
        if self._mess is None:
            self._mess = make_mess(self.admin, self.account.region)
        return self._mess

    def open_bucket(self) -> list[Finding]:
        """Make a bucket in which nothing is blocked, and return what is wrong with it."""
        name, region = f"open-to-all-{uuid.uuid4().hex[:12]}", self.account.region
        self.admin("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})
        return [Finding(fix=BLOCK, target={"arn": f"arn:aws:s3:::{name}", "region": region})]

    def record(self, window: Window | None = None) -> SeedRecord:
        """Return the seed record of a window, the live one by default, as the administrator reads it."""
        secret = self.account.outputs["SeedSecrets"].split(",")[slot_of(window or window_at(time.time()))]
        return parse_record(self.admin("secretsmanager").get_secret_value(SecretId=secret)["SecretString"])

    def keys(self, window: Window | None = None) -> WindowKeys:
        """Return what a caller derives from that."""
        return keys_of(self.record(window))

    def break_again(self) -> None:
        """Bring the mess back to where every fix has something to do."""
        self._mess = make_mess(self.admin, self.account.region)

    def rotate_next(self) -> None:
        """Let a window pass, and rotate as the schedule does: a run that has something to write."""
        self.account.clock.shift(PERIOD)
        answer = self.admin("lambda").invoke(FunctionName=self.account.outputs["RotateFunction"])
        assert "FunctionError" not in answer, answer["Payload"].read()

    def fresh_window(self) -> None:
        """Be at the beginning of the next window, rotated, so that a test has one to itself."""
        now = time.time()
        self.account.clock.shift(window_at(now).not_after + 5 - now)
        self.account.rotate()

    def forbid_writes(self) -> None:
        """Let the account's organisation forbid writes to IAM to all but the administrator and the CDK's roles."""
        deployers = self.account.identities.admin.arn, f"arn:aws:iam::{CUSTOMER_ACCOUNT}:role/cdk-*"
        self.account.control(no_writes_to_iam(*deployers))

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
        steps = self.ordered(act)
        assert all(step.done for step in steps), steps

    def ordered(self, act: str) -> list[Step]:
        """Freeze or unfreeze as the operator."""
        operator = self.operator()
        given = Order(uuid.uuid4().hex, operator.who(), int(time.time()), "a drill")
        steps: list[Step] = getattr(operator.freezer(lambda _: None), act)(given)
        return steps

    @contextmanager
    def without(self, role: str, sid: str) -> Iterator[None]:
        """Take one statement out of a role's inline policy, and put it back."""
        iam = self.admin("iam")
        [name] = iam.list_role_policies(RoleName=role)["PolicyNames"]
        whole = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        rest = [one for one in whole["Statement"] if one.get("Sid") != sid]
        assert len(rest) == len(whole["Statement"]) - 1
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(whole | {"Statement": rest}))
        try:
            yield
        finally:
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(whole))


class Standing:
    """Keep one account up for all that ask for what is deployed in it: there is one at a time in a process."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._kind: Kind | None = None
        self._world: World | None = None

    def world(self, kind: Kind) -> World:
        """Return what stands, or else close that and deploy."""
        if self._world is None or self._kind != kind:
            self.close()
            self._world, self._kind = self._stack.enter_context(deployed(kind)), kind
        return self._world

    def close(self) -> None:
        """Make room for other accounts."""
        self._world = None
        self._stack.close()


@contextmanager
def deployed(kind: Kind) -> Iterator[World]:
    """Deploy into an account of its own, and rotate once."""
    with EmbeddedAccount() as account:
        world = World(account)
        if kind.writes_forbidden:
            world.forbid_writes()
        account.deploy(None, **dict(kind.context))
        be_told(account)
        leave_receipts(account)
        account.rotate()
        yield world


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
