"""Freeze on AWS: the control item, a Deny in the write role, and the rotator, which alone moves the gate."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC
from email.utils import parsedate_to_datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from remediator.aws.trail import FREEZE
from remediator.service.control import Control, Order
from remediator.service.errors import FrozenAgain, NotDone
from remediator.service.freeze import Freezer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from remediator.operator.aws.office import AwsOffice
    from remediator.service.freeze import Step

POLICY: Final = FREEZE
"""The inline policy in the write role: the watcher knows it; the template doesn't, so no deployment touches it."""

EVERYTHING: Final = {"Sid": "Frozen", "Effect": "Deny", "Action": "*", "Resource": "*"}

LONGEST_RUN: Final = 180
"""Seconds after which no run of the rotator that is at work now is still at work: a lease of 120, and a run of 60."""

USES_STATE: Final = {"dynamodb:UpdateItem": ("control",)}
USES_WRITE_ROLE: Final = ("iam:GetRolePolicy", "iam:PutRolePolicy")


def freezer(office: AwsOffice, tell: Callable[[Step], None], waits: Callable[[], Iterable[None]]) -> Freezer:
    """Return what freezes a deployment; `waits` pauses while another run of the rotator is at work."""
    names = office.outputs
    deny = DenyWherePermitted if names.get("Gate") == "sealed" else DenyPolicy
    return Freezer(
        ControlItem(office.service("dynamodb"), names["StateTable"]),
        deny(office.service("iam"), names["WriteRoleArn"].rpartition("/")[2]),
        InvokedRotator(office.service("lambda"), names["RotateFunction"], waits),
        tell,
    )


class ControlItem:
    """Keep the state in the state table, with the order that it follows from."""

    def __init__(self, client: Any, table: str) -> None:  # noqa: ANN401 - an SDK client
        self._client = client
        self._table = table

    def read(self) -> Control:
        """Return the control item, read consistently."""
        with _reported():
            answer = self._client.get_item(TableName=self._table, Key={"pk": {"S": "control"}}, ConsistentRead=True)
        if "Item" not in answer:
            return Control(None, "", None)
        item = {name: next(iter(value.values())) for name, value in answer["Item"].items()}
        if "order" not in item:
            return Control(item["state"], "", None)
        order = Order(item["order"], item["by"], int(item["at"]), item["why"])
        return Control(item["state"], order.id, order)

    def freeze(self, order: Order) -> None:
        """Set the state to frozen, whatever it was."""
        with _reported():
            self._set("frozen", order)

    def open(self, order: Order, met: Control) -> None:
        """Set the state to open if the control item is still the one that was met; one that shows the order is so."""
        if met.state != "frozen":
            if self.read().state == "frozen":
                raise FrozenAgain("somebody froze it meanwhile, and that holds")
            return
        condition = "#state = :met AND " + ("#order = :order_met" if met.version else "attribute_not_exists(#order)")
        values = {":met": {"S": "frozen"}} | ({":order_met": {"S": met.version}} if met.version else {})
        try:
            with _reported():
                self._set("open", order, ConditionExpression=condition, more=values)
        except self._client.exceptions.ConditionalCheckFailedException:
            if self.read().order != order:  # ours, if the reply was lost and the SDK sent it again
                raise FrozenAgain("somebody froze it again meanwhile, and that holds") from None

    def _set(self, state: str, order: Order, *, more: dict[str, Any] | None = None, **condition: str) -> None:
        names = {f"#{name}": name for name in ("state", "order", "by", "at", "why")}
        values = {":state": state, ":order": order.id, ":by": order.by, ":why": order.why}
        self._client.update_item(
            TableName=self._table,
            Key={"pk": {"S": "control"}},
            UpdateExpression="SET #state = :state, #order = :order, #by = :by, #at = :at, #why = :why",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={name: {"S": value} for name, value in values.items()}
            | {":at": {"N": str(order.at)}}
            | (more or {}),
            **condition,
        )


class DenyPolicy:
    """Deny the write role everything: a Deny counts for sessions that are out already, as soon as IAM has spread it."""

    def __init__(self, client: Any, role: str) -> None:  # noqa: ANN401 - an SDK client
        self._client = client
        self._role = role

    def stands(self) -> bool:
        """Tell whether the role is denied everything, whenever the session was issued."""
        try:
            with _reported():
                answer = self._client.get_role_policy(RoleName=self._role, PolicyName=POLICY)
        except self._client.exceptions.NoSuchEntityException:
            return False
        return bool(answer["PolicyDocument"]["Statement"] == [EVERYTHING])

    def put_up(self) -> None:
        """Deny everything to everybody."""
        self._put(EVERYTHING)

    def lower(self) -> None:
        """Deny everything to sessions that were issued before now by IAM's clock: this machine's may be wrong."""
        with _reported():
            headers = self._client.get_role(RoleName=self._role)["ResponseMetadata"]["HTTPHeaders"]
        now = parsedate_to_datetime(headers["date"]).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._put(EVERYTHING | {"Sid": "IssuedBefore", "Condition": {"DateLessThan": {"aws:TokenIssueTime": now}}})

    def _put(self, statement: dict[str, Any]) -> None:
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        with _reported():
            self._client.put_role_policy(RoleName=self._role, PolicyName=POLICY, PolicyDocument=document)


class DenyWherePermitted(DenyPolicy):
    """Deny the write role everything where the organisation lets the operator; with a sealed gate it may not."""

    def put_up(self) -> None:
        """Deny everything to everybody, or say how long what is out lives on."""
        try:
            super().put_up()
        except NotDone as refused:
            raise NotDone(f"{refused}; where IAM can't be written, they live on for an hour at most") from None

    def lower(self) -> None:
        """Lower the Deny if it stands: one that was never allowed to stand keeps nobody from going on."""
        if self.stands():
            super().lower()


class _Busy(Exception):  # noqa: N818 - errors are named for what is the case
    """The rotator didn't do its work this time; another try may find it free."""


class InvokedRotator:
    """Run the rotator until a run of its own has read the state under the lease, after it was written."""

    def __init__(self, client: Any, function: str, waits: Callable[[], Iterable[None]]) -> None:  # noqa: ANN401
        self._client = client
        self._function = function
        self._waits = waits

    def close(self) -> str:
        """Have the closed trust policy written."""
        if not self.finds_frozen():
            raise NotDone("somebody unfroze it while it was being frozen: the rotator found it open")
        return ""

    def open(self) -> str:
        """Have the trust policy of the staged windows written."""
        if self.finds_frozen():
            raise FrozenAgain("somebody froze it again meanwhile, and that holds")
        return "IAM takes some seconds to spread it"

    def finds_frozen(self) -> bool:
        """Tell whether a run of its own found the state frozen; raise `NotDone` where none comes to its end."""
        reason = ""
        for _ in chain((None,), self._waits()):
            try:
                return self._run()
            except _Busy as busy:
                reason = str(busy)
        raise NotDone(f"the rotator didn't do it: {reason}")

    def _run(self) -> bool:
        """Run it once; tell whether it found the state frozen. An answer that is lost is asked for again."""
        try:
            with _refused():
                answer = self._client.invoke(FunctionName=self._function)
                said = json.loads(answer["Payload"].read())
        except self._client.exceptions.TooManyRequestsException:
            raise _Busy("another run is at work") from None
        except BotoCoreError as error:
            raise _Busy(str(error)) from None
        if "FunctionError" in answer:
            raise _Busy(str(said.get("errorMessage", "it failed without a word")))
        return bool(said["frozen"])


@contextmanager
def _reported() -> Iterator[None]:
    """Turn what AWS refuses, or what gets lost, into a step that wasn't done."""
    try:
        with _refused():
            yield
    except BotoCoreError as error:
        raise NotDone(str(error)) from None


@contextmanager
def _refused() -> Iterator[None]:
    """Turn what AWS refuses into a step that wasn't done, but for what the callers expect by name."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code")
        if code in ("ConditionalCheckFailedException", "NoSuchEntity", "TooManyRequestsException"):
            raise
        raise NotDone(f"{error.operation_name}: {code}: {error.response.get('Error', {}).get('Message')}") from None
