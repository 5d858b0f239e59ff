"""Freeze on AWS: beside the state and the gate, sessions that are out are denied everything."""

from __future__ import annotations

import json
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from remediator.aws.trail import FREEZE
from remediator.operator.aws.control import ControlItem
from remediator.operator.aws.refusals import reported
from remediator.operator.aws.rotator import InvokedRotator
from remediator.service.errors import NotDone
from remediator.service.freeze import Freezer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from remediator.operator.aws.office import AwsOffice
    from remediator.service.freeze import Step

POLICY: Final = FREEZE
"""The inline policy in the write role: the watcher knows it; the template doesn't, so no deployment touches it."""

EVERYTHING: Final = {"Sid": "Frozen", "Effect": "Deny", "Action": "*", "Resource": "*"}

LONGEST_RUN: Final = 180
"""Seconds after which no run of the rotator that is at work now is still at work: a lease of 120, and a run of 60."""

USES_WRITE_ROLE: Final = ("iam:GetRolePolicy", "iam:PutRolePolicy")


def freezer(office: AwsOffice, tell: Callable[[Step], None], waits: Callable[[], Iterable[None]]) -> Freezer:
    """Return what freezes a deployment; `waits` pauses while another run of the rotator is at work."""
    names = office.outputs
    deny = DenyWherePermitted if names.get("Gate") == "sealed" else DenyPolicy
    return Freezer(
        ControlItem(office.service("dynamodb"), names["StateTable"]),
        deny(office.service("iam"), office.write_role),
        InvokedRotator(office.service("lambda"), names["RotateFunction"], waits),
        tell,
    )


class DenyPolicy:
    """Deny the write role everything: a Deny counts for sessions that are out already, as soon as IAM has spread it."""

    def __init__(self, client: Any, role: str) -> None:  # noqa: ANN401 - an SDK client
        self._client = client
        self._role = role

    def stands(self) -> bool:
        """Tell whether the role is denied everything, whenever the session was issued."""
        try:
            with reported():
                answer = self._client.get_role_policy(RoleName=self._role, PolicyName=POLICY)
        except self._client.exceptions.NoSuchEntityException:
            return False
        return bool(answer["PolicyDocument"]["Statement"] == [EVERYTHING])

    def put_up(self) -> None:
        """Deny everything to everybody."""
        self._put(EVERYTHING)

    def lower(self) -> None:
        """Deny everything to sessions that were issued before now by IAM's clock: this machine's may be wrong."""
        with reported():
            headers = self._client.get_role(RoleName=self._role)["ResponseMetadata"]["HTTPHeaders"]
        now = parsedate_to_datetime(headers["date"]).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._put(EVERYTHING | {"Sid": "IssuedBefore", "Condition": {"DateLessThan": {"aws:TokenIssueTime": now}}})

    def _put(self, statement: dict[str, Any]) -> None:
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        with reported():
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
