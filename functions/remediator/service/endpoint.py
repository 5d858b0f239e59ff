"""Answer HTTP requests: route, two locks, use case."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from remediator.catalogue import registry
from remediator.catalogue.spec import OneWay
from remediator.core.errors import Malformed
from remediator.core.messages import is_bare, parse, parse_bare
from remediator.core.windows import window_at
from remediator.service import requests
from remediator.service.answers import Reply, remediation, reply_to, result
from remediator.service.errors import ClaimLost
from remediator.service.problems import Problem, Refused
from remediator.service.records import Mode
from remediator.service.requests import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from remediator.catalogue.spec import JSON, Fix
    from remediator.core.messages import BareMessage, SignedMessage
    from remediator.service.admission import Admitted
    from remediator.service.by_hand import ByHand
    from remediator.service.remediate import Remediator
    from remediator.service.requests import Call
    from remediator.service.roll_back import Return


class Verb(StrEnum):
    """Name what a principal may be allowed to do."""

    PLAN = "plan"
    APPLY = "apply"
    GET = "get"
    REFRESH = "refresh"
    ROLLBACK = "rollback"
    FIXES = "fixes"
    HEALTH = "health"


def verbs_of(*, vendor_rollback: bool) -> Mapping[Role, frozenset[Verb]]:
    """Return the closed map from roles to verbs; a stranger has none."""
    both = {Verb.PLAN, Verb.GET, Verb.REFRESH, Verb.FIXES, Verb.HEALTH}
    undoing = {Verb.ROLLBACK} if vendor_rollback else set()
    return {
        Role.READER: frozenset(both | {Verb.APPLY} | undoing),
        Role.OPERATOR: frozenset(both | {Verb.ROLLBACK}),
        Role.STRANGER: frozenset(),
    }


_ID = r"(?P<id>[A-Za-z0-9-]{16,64})"
_ROUTES: tuple[tuple[str, re.Pattern[str], str], ...] = tuple(
    (method, re.compile(path, re.ASCII), name)
    for method, path, name in (
        ("POST", r"/v1/remediations", "remediate"),
        ("GET", rf"/v1/remediations/{_ID}", "get"),
        ("GET", rf"/v1/remediations/{_ID}/findings/(?P<index>[0-9]{{1,3}})", "get_finding"),
        ("POST", rf"/v1/remediations/{_ID}/refresh", "refresh"),
        ("POST", rf"/v1/remediations/{_ID}/rollback", "roll_back"),
        ("GET", r"/v1/fixes", "fixes"),
        ("GET", r"/v1/health", "health"),
        ("GET", r"/v1/openapi", "openapi"),
    )
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Answer what the protocol allows, in its order, and refuse everything else."""

    remediator: Remediator
    returning: Return
    verbs: Mapping[Role, frozenset[Verb]]
    by_hand: ByHand | None = None
    """Given where codes are passed on by hand."""

    def answer(self, call: Call) -> Reply:
        """Return the answer to one request; a refusal is an answer."""
        try:
            name, parts = _route(call)
            requests.require_plain(call)
            reply: Reply = getattr(self, f"_{name}")(call, **parts)
        except Refused as refused:
            return self._refuse(call, refused)
        except ClaimLost:
            lost = Refused(Problem.IN_PROGRESS, "Another request has taken this one over.", retry_after=15)
            return self._refuse(call, lost)
        return reply

    def _refuse(self, call: Call, refused: Refused) -> Reply:
        self.remediator.monitor.note(
            "refused a request",
            problem=refused.problem.name.lower(),
            detail=refused.detail,
            method=call.method,
            path=call.path[:200],
            caller=call.principal.id,
            key=call.headers.get("idempotency-key", "")[:64],
        )
        return reply_to(refused)

    def _remediate(self, call: Call) -> Reply:
        admit = self._second_lock(call)
        asked = requests.read_remediation(call.body, self.remediator.scope.home)
        self._require(call, Verb.APPLY if asked.mode is Mode.APPLY else Verb.PLAN)
        return self.remediator.remediate(call, admit(asked.mode), asked)

    def _roll_back(self, call: Call, id: str) -> Reply:  # noqa: A002 - the path's name for it
        message = _message(call)
        chosen = requests.read_selection(call.body, "Selection")
        self._require(call, Verb.ROLLBACK)
        return self.returning.roll_back(call, self.remediator.admission.admit(message), id, chosen)

    def _refresh(self, call: Call, id: str) -> Reply:  # noqa: A002 - the path's name for it
        message = _message(call)
        chosen = requests.read_selection(call.body, "Selection")
        self._require(call, Verb.REFRESH)
        return self.returning.refresh(call, self.remediator.admission.admit(message), id, chosen)

    def _get(self, call: Call, id: str) -> Reply:  # noqa: A002 - the path's name for it
        self._require(call, Verb.GET)
        record = self.returning.visible(call, id)
        return Reply(200, remediation(record, self.remediator.receipts.findings(id)))

    def _get_finding(self, call: Call, id: str, index: str) -> Reply:  # noqa: A002 - the path's name for it
        self._require(call, Verb.GET)
        record = self.returning.visible(call, id)
        for finding in self.remediator.receipts.findings(id):
            if finding.index == int(index):
                return Reply(200, result(finding, record.mode))
        raise Refused(Problem.NOT_FOUND, "There is no such receipt.")

    def _fixes(self, call: Call) -> Reply:
        self._require(call, Verb.FIXES)
        enabled = sorted(self.remediator.scope.fixes)
        return Reply(200, {"fixes": [describe(registry.load(fix)) for fix in enabled]})

    def _health(self, call: Call) -> Reply:
        self._require(call, Verb.HEALTH)
        now = self.remediator.clock()
        standing = self.remediator.admission.verifiers.standing(window_at(now))
        ready = standing.state and standing.verifier
        gate = standing.state if standing.state == "frozen" else "open" if ready else "unavailable"
        health = {"gate": gate, "window": window_at(now).number, "deployment": self.remediator.admission.deployment}
        return Reply(200, health)

    def _openapi(self, call: Call) -> Reply:
        self._require(call, Verb.FIXES)
        return Reply(200, requests.openapi())

    def _second_lock(self, call: Call) -> Callable[[Mode], Admitted]:
        """Read what a plan or an apply presents, and return what admits it."""
        if self.by_hand and is_bare(call.headers):
            bare, by_hand = _bare(call), self.by_hand
            by_hand.require_bound(call.headers)
            return lambda mode: by_hand.admit(bare, mode, requests.digest_of(call))
        message = _message(call)
        return lambda _: self.remediator.admission.admit(message)

    def _require(self, call: Call, verb: Verb) -> None:
        if verb not in self.verbs[call.principal.role]:
            raise Refused(Problem.FORBIDDEN, f"This principal may not {verb.value} here.")


def describe(fix: Fix[Any, Any, Any]) -> dict[str, JSON]:
    """Return a fix's card as a JSON object."""
    return {
        "id": fix.id,
        "title": fix.title(),
        "consequence": fix.consequence(),
        "severity": fix.severity.value,
        "target": fix.target.schema(),
        "parameters": fix.parameter_schema(),
        "answers": {scanner: sorted(findings) for scanner, findings in fix.answers.items()},
        "irreversible": fix.why if isinstance(fix, OneWay) else None,
    }


def _route(call: Call) -> tuple[str, dict[str, str]]:
    allowed = []
    for method, path, name in _ROUTES:
        match = path.fullmatch(call.path)
        if match and method == call.method:
            return name, match.groupdict()
        if match:
            allowed.append(method)
    if allowed:
        raise Refused(Problem.METHOD_NOT_ALLOWED, f"Use {' or '.join(allowed)}.")
    raise Refused(Problem.NOT_FOUND, "There is no such path.")


def _message(call: Call) -> SignedMessage:
    try:
        return parse(call.method, call.path, call.headers, call.body)
    except Malformed as malformed:
        raise Refused(Problem.INVALID_REQUEST, f"{malformed}.") from None


def _bare(call: Call) -> BareMessage:
    try:
        return parse_bare(call.method, call.path, call.headers, call.body)
    except Malformed as malformed:
        raise Refused(Problem.INVALID_REQUEST, f"{malformed}.") from None
