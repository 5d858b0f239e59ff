"""A whole deployment over the world in memory, and a vendor that signs."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from remediator.core.gate import keys_of
from remediator.core.messages import Fields, Request, sign
from remediator.core.seeds import SeedRecord
from remediator.core.windows import window_at
from remediator.service.admission import Admission
from remediator.service.endpoint import Endpoint, verbs_of
from remediator.service.remediate import Remediator
from remediator.service.requests import Call, Principal, Role
from remediator.service.roll_back import Return
from remediator.service.rotate import Rotator
from remediator.service.scope import Scope
from tests.service.world import DEPLOYMENT, HOME, Clock, Gate, Lamps, Ledger, Notebook, Ring, Sessions, Steps, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from remediator.core.gate import WindowKeys
    from remediator.service.answers import Reply

READER = Principal(Role.READER, "AROAREADER")
OPERATOR = Principal(Role.OPERATOR, "AROAOPERATOR")
STRANGER = Principal(Role.STRANGER, "AROASTRANGER")
KEY = "11111111-2222-3333-4444-555555555555"


def lamp(
    name: str, *, account: str = HOME.account, region: str = "eu-west-1", partition: str = "aws"
) -> dict[str, str]:
    return {"arn": f"arn:{partition}:lamp:{region}:{account}:{name}"}


def asking(*names: str, mode: str = "apply", **more: Any) -> dict[str, Any]:
    findings = [{"fix": "aws.lamp.switch-on", "target": lamp(name), **more} for name in names]
    return {"mode": mode, "findings": findings}


@dataclass
class Site:
    """One deployment. `steps` sees every call to the world."""

    vendor_rollback: bool = False
    clock: Clock = field(default_factory=Clock)
    steps: Steps = field(default_factory=Steps)
    monitor: Notebook = field(default_factory=Notebook)
    waited: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ring, self.table = Ring(self.steps), Table(self.steps)
        self.gate, self.ledger, self.cloud = Gate(self.steps), Ledger(self.steps), Lamps(self.steps)
        self.sessions = Sessions(self.steps, self.gate, self.clock, self.cloud)
        self.rotator = Rotator(DEPLOYMENT, self.ring, self.table, self.gate, self.clock, os.urandom)
        remediator = Remediator(
            scope=Scope(
                home=HOME,
                regions=frozenset({"eu-west-1", "eu-central-1"}),
                fixes=frozenset({"aws.lamp.switch-on", "aws.lamp.burn-out", "aws.lamp.warm-up"}),
                own=("arn:aws:lamp:*:*:remediator-*",),
            ),
            admission=Admission(DEPLOYMENT, self.table, self.monitor, self.clock),
            receipts=self.ledger,
            sessions=self.sessions,
            monitor=self.monitor,
            clock=self.clock,
            pauses=self._pauses,
        )
        self.endpoint = Endpoint(remediator, Return(remediator), verbs_of(vendor_rollback=self.vendor_rollback))

    def _pauses(self) -> Iterator[None]:
        for seconds in (1, 2):
            self.waited.append(seconds)
            yield

    def rotate(self, holder: str = "run-1") -> Any:
        return self.rotator.run(holder)

    def keys(self, window: Any = None) -> WindowKeys:
        window = window or window_at(self.clock())
        return keys_of(SeedRecord(DEPLOYMENT, window, self.ring.versions[window]))

    def post(
        self,
        body: Any,
        *,
        path: str = "/v1/remediations",
        key: str = KEY,
        principal: Principal = READER,
        keys: WindowKeys | None = None,
        created: float | None = None,
        headers: Mapping[str, str | None] | None = None,
        remaining: float = 170.0,
        method: str = "POST",
        query: str = "",
    ) -> Reply:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = Request(method, path, raw, key)
        signed = sign(request, keys or self.keys(), created=int(self.clock() if created is None else created))
        fields = {"content-type": "application/json"} | signed | dict(headers or {})
        present = {name: value for name, value in fields.items() if value is not None}
        return self.endpoint.answer(Call(method, path, query, Fields(present), raw, principal, remaining))

    def get(self, path: str, *, principal: Principal = READER) -> Reply:
        return self.endpoint.answer(Call("GET", path, "", Fields({}), b"", principal, 170.0))


def outcomes(reply: Reply) -> list[str]:
    return [result["outcome"] for result in reply.body["results"]]


def problem(reply: Reply) -> str:
    return str(reply.body["type"]).rpartition(":")[2]
