"""Hold what both sides have in their hands during the story."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config

from remediator.catalogue import registry
from remediator.catalogue.errors import Underway
from remediator.catalogue.spec import Home
from remediator.operator.aws.office import AwsOffice
from remediator.vendor import Client, Deployment
from remediator.vendor.aws_access import reader_access

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.catalogue.spec import JSON
    from remediator.cli.demo.board import Board
    from remediator.local.account import EmbeddedAccount
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

    def passages_since(self, mark: int) -> str:
        """Return every session of the write role that was given, and every call in one, since a mark in the log."""
        write_role = self.outputs["WriteRoleArn"]
        calls = self.account.calls.since(mark)
        given = [
            f"{call.principal_arn} {call.action}" for call in calls if call.allowed and call.resource == write_role
        ]
        made = [call.action for call in calls if call.role == write_role.rpartition("/")[2]]
        return ", ".join([*(one for one in given if one.endswith("sts:AssumeRole")), *made])
