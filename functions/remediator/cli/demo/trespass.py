"""Try the cloud's own doors, past the endpoint, with roles that are ours."""

from __future__ import annotations

import json
import secrets
import time
from typing import TYPE_CHECKING, Any

from remediator.cli.demo import verdicts
from remediator.cli.demo.board import Verdict
from remediator.core.gate import gate_value
from remediator.local.emulator.sessions import service_session
from remediator.local.runtime.functions import Acting
from remediator.vendor.sigv4 import Credentials

if TYPE_CHECKING:
    from remediator.cli.demo.stage import Stage
    from remediator.core.gate import WindowKeys
    from remediator.local.mess import Mess

STS_DENIES = Verdict("STS", 403, "AccessDenied")


class Trespass:
    """Hold the reader's credentials, and those of the remediator's own role as if its function were taken over."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._reader = stage.reader.credentials(time.time())

    def as_reader(self, mess: Mess) -> None:
        """Write with the reader role, read what it shouldn't, and go past the URL."""
        stage, bucket = self._stage, mess.offences[0].finding.target["arn"].rpartition(":")[2]
        s3, dynamodb, function = (stage.client(name, self._reader) for name in ("s3", "dynamodb", "lambda"))
        key = {"pk": {"S": "control"}}
        table = stage.outputs["StateTable"]
        self._tries(
            "the reader role writes a bucket's setting", "s3", lambda: s3.delete_public_access_block(Bucket=bucket)
        )
        self._tries(
            "the reader role reads the state table", "dynamodb", lambda: dynamodb.get_item(TableName=table, Key=key)
        )
        self._tries(
            "the reader role invokes the function past the URL, with a forged event",
            "lambda",
            lambda: function.invoke(FunctionName=stage.outputs["RemediateFunction"], Payload=self._forged_event()),
        )
        self._tries(
            "the reader role assumes the write role",
            "sts",
            lambda: stage.client("sts", self._reader).assume_role(**self._write_role()),
        )

    def as_remediator(self, live: WindowKeys) -> None:
        """Assume the write role with the remediator's own role: without an opening, with a guess, and as a control."""
        self.assumes("the remediator's role assumes the write role without an opening", None, STS_DENIES)
        guessed = secrets.token_hex(32)
        self.assumes("the remediator's role assumes the write role with a guess", guessed, STS_DENIES)
        genuine = gate_value(self._stage.deployment.id, live.window, live.opening).text()
        self.assumes("control: with the opening that a live caller brings", genuine, Verdict("STS", 200, "allowed"))

    def with_memory(self, what: str, old: WindowKeys) -> None:
        """Assume the write role with what a genuine request of a window that is over once brought."""
        remembered = gate_value(self._stage.deployment.id, old.window, old.opening).text()
        self.assumes(what, remembered, STS_DENIES)

    def assumes(self, what: str, external_id: str | None, wanted: Verdict) -> None:
        """Assume the write role with the remediator's own, and say how STS answers."""
        sts = self._stage.client("sts", self.remediators_own())
        brought = {"ExternalId": external_id} if external_id else {}
        got = verdicts.of_call("sts", lambda: sts.assume_role(**self._write_role(), **brought))
        self._stage.board.line(what, wanted=wanted, got=got)

    def remediators_own(self) -> Credentials:
        """Return what the remediator's function has in its environment."""
        role = Acting(self._stage.outputs["RemediatorRoleArn"], "lambda.amazonaws.com")
        session = service_session(role, "taken-over")
        return Credentials(session.access_key, session.secret_key, session.token)

    def _tries(self, what: str, service: str, call: Any) -> None:  # noqa: ANN401 - any call of an SDK client
        got = verdicts.of_call(service, call)
        wanted = Verdict(got.by, *_DENIALS[service])
        self._stage.board.line(what, wanted=wanted, got=got)

    def _write_role(self) -> dict[str, str]:
        return {"RoleArn": self._stage.outputs["WriteRoleArn"], "RoleSessionName": "trespasser"}

    def _forged_event(self) -> bytes:
        caller = {"iam": {"userId": "AROAFORGED:operator"}}
        context = {"http": {"method": "GET", "path": "/v1/health"}, "authorizer": caller}
        return json.dumps({"rawPath": "/v1/health", "headers": {}, "requestContext": context}).encode()


_DENIALS = {
    "s3": (403, "AccessDenied"),
    "sts": (403, "AccessDenied"),
    "dynamodb": (400, "AccessDeniedException"),
    "lambda": (403, "AccessDeniedException"),
}
"""How each service says no (DynamoDB developer guide, "Error handling": its refusals are 400s)."""
