"""The deployed stack in the embedded account, whose handlers run here with their deployed roles and settings.

IAM is enforced: what a handler calls is decided by the policies that the CDK app wrote for its role.
"""

from __future__ import annotations

import functools
import io
import json
import threading
import time
import uuid
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import botocore.loaders
import pytest
from aws_lambda_powertools.metrics.provider.cloudwatch_emf import cloudwatch

from remediator.aws import rotate_handler
from remediator.aws.trust_policy import closed_document, open_document
from remediator.core.gate import gate_value, opening, verifier_of
from remediator.core.seeds import parse_record
from remediator.core.windows import Window, staged_at, window_at
from remediator.local.emulator.sessions import service_session
from remediator.local.runtime.functions import Acting
from tests.faults.aws_wire import AwsWire
from tests.faults.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.core.seeds import Seed
    from remediator.local.account import EmbeddedAccount

WRITE_ROLE = "remediator-write"


@dataclass
class Context:
    """What Lambda tells a function about its invocation."""

    aws_request_id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def get_remaining_time_in_millis(self) -> int:
        return 170_000


class AwsStage(Stage):
    """Both handlers, and the administrator's clients."""

    cloud = "aws"
    failed = rotate_handler.RotationFailed
    takes_lease = "dynamodb:UpdateItem"
    stores_first = ("dynamodb:TransactWriteItems", 2)

    def __init__(self, account: EmbeddedAccount, patch: pytest.MonkeyPatch) -> None:
        wire = AwsWire()
        super().__init__(wire)
        self.account = account
        self.log = io.StringIO()
        self._until: dict[str, float] = {}
        self._starting = threading.Lock()
        wire.attach(patch)
        patch.setattr(cloudwatch, "print", functools.partial(print, file=self.log), raising=False)
        patch.setenv("AWS_ENDPOINT_URL", account.endpoint)
        patch.setenv("AWS_DEFAULT_REGION", account.region)
        patch.setattr(botocore.loaders, "create_loader", functools.cache(botocore.loaders.create_loader))

    @functools.cache  # noqa: B019 - one stage for a whole module
    def deployed(self, name: str) -> dict[str, Any]:
        """Return a function as it was deployed."""
        return dict(self.admin("lambda").get_function_configuration(FunctionName=name))

    def admin(self, service: str) -> Any:
        return self.account.client(service)

    def now(self) -> float:
        return time.time()

    def pass_time(self, seconds: float) -> None:
        self.account.clock.shift(seconds)

    def restart(self) -> None:
        self._until.clear()

    def start(self, name: str, module: Any, *made: Any) -> None:
        """Make what a function keeps, with its own settings and its role's session, unless it is there."""
        with self._starting:
            if self.now() < self._until.get(name, 0):
                return
            for one in vars(module).values():
                if hasattr(one, "cache_clear") and one.__module__ == module.__name__:
                    one.cache_clear()
            self._until[name] = self.now() + 11 * 3600
            function = self.deployed(name)
            given = service_session(Acting(function["Role"], "lambda.amazonaws.com", function["FunctionArn"]), name)
            keys = {
                "AWS_ACCESS_KEY_ID": given.access_key,
                "AWS_SECRET_ACCESS_KEY": given.secret_key,
                "AWS_SESSION_TOKEN": given.token,
                "AWS_LAMBDA_FUNCTION_NAME": name,
            }
            with pytest.MonkeyPatch.context() as patch, redirect_stdout(self.log):  # where a logger writes for good
                for variable, value in (function["Environment"]["Variables"] | keys).items():
                    patch.setenv(variable, value)
                for one in made:
                    one()

    def rotate(self) -> None:
        self.start("remediator-rotate", rotate_handler, rotate_handler._monitor, rotate_handler._rotator)
        rotate_handler.handler({}, Context())  # type: ignore[arg-type]

    def logged(self) -> str:
        text = self.log.getvalue()
        self.log.seek(0)
        self.log.truncate()
        return text

    def metrics(self) -> dict[str, float]:
        text = self.logged()
        self.said.append(text)
        found: dict[str, float] = {}
        for line in text.splitlines():
            document = json.loads(line) if line.startswith("{") else {}
            for directive in document.get("_aws", {}).get("CloudWatchMetrics", []):
                found |= {metric["Name"]: sum(document[metric["Name"]]) for metric in directive["Metrics"]}
        return found

    @property
    def deployment(self) -> str:
        return str(self.account.outputs["Deployment"])

    def shown(self) -> Mapping[Window, Seed]:
        slots = self.account.outputs["SeedSecrets"].split(",")
        answer = self.admin("secretsmanager").batch_get_secret_value(SecretIdList=slots)
        records = [parse_record(value["SecretString"]) for value in answer["SecretValues"]]
        return {one.window: one.seed for one in records if one.deployment == self.deployment}

    def set_state(self, state: str | None) -> None:
        table = self.admin("dynamodb")
        if state:
            table.put_item(
                TableName=self.account.outputs["StateTable"], Item={"pk": {"S": "control"}, "state": {"S": state}}
            )
            return
        for item in self._items():
            table.delete_item(TableName=self.account.outputs["StateTable"], Key={"pk": {"S": item}})
        self.close_gate()

    def _items(self) -> dict[str, Any]:
        found = self.admin("dynamodb").scan(TableName=self.account.outputs["StateTable"], ConsistentRead=True)["Items"]
        return {item["pk"]["S"]: item for item in found}

    def _trust(self) -> list[dict[str, Any]]:
        role = self.admin("iam").get_role(RoleName=WRITE_ROLE)["Role"]
        return list(role["AssumeRolePolicyDocument"]["Statement"])

    def _opens(self, seeds: Mapping[Window, Seed], window: Window) -> dict[str, Any]:
        """Return the statement that opens for a window's own opening, in its own time."""
        value = gate_value(self.deployment, window, opening(self.deployment, window, seeds[window])).text()
        (statement,) = open_document(self.account.outputs["RemediatorRoleArn"], {window: value})["Statement"]
        return dict(statement)

    def require_whole(self) -> None:
        items, trust, seeds = self._items(), self._trust(), self.shown()
        assert items["control"]["state"]["S"] == "open"
        assert int(items.get("lease", {"until": {"N": "0"}})["until"]["N"]) <= self.now()
        for window in staged_at(self.now()):
            assert self._verifies(items, seeds, window)
            assert self._opens(seeds, window) in trust

    def _verifies(self, items: Mapping[str, Any], seeds: Mapping[Window, Seed], window: Window) -> bool:
        item, verifier = items[f"window/{window}"], verifier_of(self.deployment, window, seeds[window])
        return (item["P"]["B"], item["c"]["B"]) == (verifier.proof_key.reveal(), verifier.check)

    def require_nothing_loose(self) -> None:
        items, trust, seeds = self._items(), self._trust(), self.shown()
        if trust == self._closed():
            return
        windows = [
            window for window in (Window(window_at(self.now()).number + n) for n in range(-2, 4)) if window in seeds
        ]
        staged = [window for window in windows if f"window/{window}" in items]
        assert all(self._verifies(items, seeds, window) for window in staged)
        living = [one for one in trust if one["Condition"]["DateLessThan"]["aws:CurrentTime"] > _instant(self.now())]
        assert [one for one in living if one not in [self._opens(seeds, window) for window in staged]] == []

    def close_gate(self) -> None:
        closed = json.dumps(closed_document(self.account.outputs["RemediatorRoleArn"]))
        self.admin("iam").update_assume_role_policy(RoleName=WRITE_ROLE, PolicyDocument=closed)

    def opens(self) -> bool:
        return self._trust() != self._closed()

    def require_closed(self) -> None:
        assert not self.opens()
        assert f"window/{staged_at(self.now())[-1]}" not in self._items()

    def _closed(self) -> list[dict[str, Any]]:
        return list(closed_document(self.account.outputs["RemediatorRoleArn"])["Statement"])


def _instant(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
