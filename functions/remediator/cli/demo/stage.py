"""Hold what both sides have in their hands during the story."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config

from remediator.catalogue import registry
from remediator.catalogue.errors import Underway
from remediator.catalogue.spec import Home
from remediator.core.windows import window_at
from remediator.operator.aws.gate_roller import GateRoller
from remediator.operator.aws.office import AwsOffice
from remediator.vendor import Client, Deployment
from remediator.vendor.aws_access import reader_access

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from remediator.catalogue.spec import JSON
    from remediator.cli.demo.board import Board
    from remediator.local.account import EmbeddedAccount
    from remediator.vendor import Result
    from remediator.vendor.sigv4 import Credentials

UNDERWAY: Final = "(a change is under way)"

_ONCE = Config(retries={"total_max_attempts": 1})


class Stage:
    """Hold the account, the deployment in it, and a client for each side."""

    def __init__(self, account: EmbeddedAccount, board: Board) -> None:
        described = account.describe()
        self.account = account
        self.board = board
        self.endpoint_url: str = described["aws_endpoint_url"]
        self.region: str = described["region"]
        self.outputs: Mapping[str, str] = account.outputs
        self.deployment = Deployment.from_outputs(self.outputs)
        self.home = Home("aws", described["account_id"])
        admin, vendor, operator = (
            boto3.Session(**described[f"{whose}_credentials"], region_name=self.region)
            for whose in ("admin", "vendor", "operator")
        )
        self._admin: Any = admin
        self.reader = reader_access(self.deployment, vendor, endpoint_url=self.endpoint_url)
        self.vendor = Client(self.deployment, self.reader)
        self.desk = AwsOffice(operator, described["stack"], endpoint_url=self.endpoint_url)
        self.operator = self.desk.client()

    def admin(self, service: str, region: str | None = None) -> Any:  # noqa: ANN401 - an SDK client of any service
        """Return an administrator's client, in the deployment's region unless another one is named."""
        return self._admin.client(service, endpoint_url=self.endpoint_url, region_name=region)

    def client(self, service: str, credentials: Credentials) -> Any:  # noqa: ANN401 - an SDK client of any service
        """Return a client with somebody's credentials; it tries once."""
        return self._admin.client(
            service,
            endpoint_url=self.endpoint_url,
            aws_access_key_id=credentials.access_key,
            aws_secret_access_key=credentials.secret_key,
            aws_session_token=credentials.token,
            config=_ONCE,
        )

    def setting(self, fix_id: str, target: Mapping[str, str]) -> JSON:
        """Return a setting as an administrator reads it, whatever any answer says; `UNDERWAY` while it changes."""
        fix = registry.load(fix_id)
        found = fix.target.parse(target, self.home)
        try:
            return fix.read(self.admin(fix.service, found.region), found)
        except Underway:
            return UNDERWAY

    def setting_of(self, result: Result) -> JSON:
        """Return the setting that a result is about, as an administrator reads it."""
        return self.setting(str(result.fix), result.target or {})

    def lay_open(self, result: Result) -> None:
        """Bring a setting back to what was found there, as an administrator may."""
        fix = registry.load(str(result.fix))
        found = fix.target.parse(result.target or {}, self.home)
        client = self.admin(fix.service, found.region)
        fix.write(client, found, fix.read(client, found), result.before)

    def let_a_window_pass(self) -> None:
        """Be at the beginning of the next window, rotated, so that what follows has time for it."""
        now = time.time()
        self.account.clock.shift(window_at(now).not_after + 1 - now)
        self.account.rotate()

    def roller(self, tell: Callable[[str], None]) -> GateRoller:
        """Return what rolls a sealed gate, with an administrator's rights; the account is never busy."""
        return GateRoller(
            self._admin,
            str(self.account.stack_name),
            endpoint_url=self.endpoint_url,
            clock=time.time,
            waits=lambda: (),
            tell=tell,
        )

    def passages_since(self, mark: int) -> str:
        """Return every session of the write role that was given, and every call in one, since a mark in the log."""
        write_role = self.outputs["WriteRoleArn"]
        calls = self.account.calls.since(mark)
        given = [
            f"{call.principal_arn} {call.action}" for call in calls if call.allowed and call.resource == write_role
        ]
        made = [call.action for call in calls if call.role == write_role.rpartition("/")[2]]
        return ", ".join([*(one for one in given if one.endswith("sts:AssumeRole")), *made])
